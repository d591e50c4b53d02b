"""Figures and toys that only notebooks use."""
