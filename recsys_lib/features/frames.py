"""Between pandas and the engines: tables in with checked types, typed frames out."""

import pandas as pd
import pyarrow as pa

from recsys_lib.features.registry import FEATURES, arrow_schema
from recsys_lib.schema import ITEM, TIMESTAMP, USER

# Arrow's integers with nulls become pandas' integers with nulls, not floats.
_NULLABLE_INTEGERS = {pa.int16(): pd.Int16Dtype(), pa.int64(): pd.Int64Dtype()}


def arrow_from(frame: pd.DataFrame, types: pa.Schema) -> pa.Table:
    """Return a pandas frame as Arrow, with the column types of ``types``.

    Columns that ``types`` does not name are handed over as text; NaN becomes null.
    """
    for column in frame.columns.difference(types.names, sort=False):
        types = types.append(pa.field(column, pa.string()))
    return pa.Table.from_pandas(frame, schema=types, preserve_index=False)


def pandas_from(table: pa.Table) -> pd.DataFrame:
    """Return a table of features as pandas, typed by the registry and in a fixed order.

    Returns
    -------
    DataFrame
        Sorted by time, user and item, as far as the table has them. Counts and keys are plain
        integers; other integers are pandas' nullable ones; missing numbers are NaN, missing
        texts None.
    """
    known = [c for c in table.column_names if c in FEATURES]
    types = {field.name: field for field in arrow_schema(known)}
    table = table.cast(pa.schema([types.get(field.name, field) for field in table.schema]))
    order = [c for c in (TIMESTAMP, USER, ITEM) if c in known]
    table = table.sort_by([(c, "ascending") for c in order])
    nullable = [c for c in table.column_names if table.schema.field(c).nullable]
    plain = table.drop_columns(nullable).to_pandas()
    with_holes = table.select(nullable).to_pandas(types_mapper=_NULLABLE_INTEGERS.get)
    return pd.concat([plain, with_holes], axis=1)[table.column_names]
