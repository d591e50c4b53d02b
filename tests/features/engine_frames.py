"""Frames of pandas handed to an engine, and its answers taken back."""

import pandas as pd

from recsys_lib import schema
from recsys_lib.features import to_pandas, to_spark


def given(engine, frame: pd.DataFrame, types):
    """Return the frame for an engine: a Spark session, or None for the embedded one."""
    return frame if engine is None else to_spark(engine, frame, types)


def tables(engine, events, items, users=None) -> tuple:
    """Return events, items and users for an engine."""
    some = [(events, schema.INTERACTIONS), (items, schema.ITEMS), (users, schema.USERS)]
    return tuple(given(engine, table, types) for table, types in some if table is not None)


def taken(frame) -> pd.DataFrame:
    """Return an engine's table of features as pandas."""
    return frame if isinstance(frame, pd.DataFrame) else to_pandas(frame)
