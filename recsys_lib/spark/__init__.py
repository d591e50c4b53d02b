"""Spark, started in one way; neither Spark nor Java is touched before a session is asked for."""

from recsys_lib.spark.session import borrowed_session, spark_session

__all__ = ["borrowed_session", "spark_session"]
