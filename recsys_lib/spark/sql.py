"""Pieces of Spark SQL."""


def literal(text: str) -> str:
    """Return the text as a literal of Spark SQL, in quotes."""
    escaped = text.replace("\\", r"\\").replace("'", r"\'")
    return f"'{escaped}'"
