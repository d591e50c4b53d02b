"""Between pandas and Spark: tables in with checked types, typed frames out."""

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from recsys_lib.features.frames import arrow_from, pandas_from


def to_spark(spark: SparkSession, frame: pd.DataFrame, types: pa.Schema) -> DataFrame:
    """Hand a pandas frame to Spark with the column types of ``types``.

    Columns that ``types`` does not name are handed over as text. Large tables are better read
    from Parquet by Spark itself: this one goes through the driver's memory.
    """
    return spark.createDataFrame(arrow_from(frame, types))


def to_pandas(frame: DataFrame) -> pd.DataFrame:
    """Collect a table of features as pandas, typed by the registry and in a fixed order.

    Returns
    -------
    DataFrame
        As :func:`recsys_lib.features.frames.pandas_from`.
    """
    return pandas_from(frame.toArrow())
