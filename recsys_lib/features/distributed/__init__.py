"""Spark: the same features on as many machines as there are."""
