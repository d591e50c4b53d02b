"""Between Spark and the rest: tables in with checked types, typed pandas frames out."""

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from recsys_lib import schema
from recsys_lib.features.monitoring import monitoring_statistics
from recsys_lib.features.registry import FEATURES, arrow_schema, names
from recsys_lib.features.samples import serving_features, training_samples
from recsys_lib.schema import ITEM, TIMESTAMP, USER
from recsys_lib.spark import borrowed_session

# Arrow's integers with nulls become pandas' integers with nulls, not floats.
_NULLABLE_INTEGERS = {pa.int16(): pd.Int16Dtype(), pa.int64(): pd.Int64Dtype()}


def to_spark(spark: SparkSession, frame: pd.DataFrame, types: pa.Schema) -> DataFrame:
    """Hand a pandas frame to Spark with the column types of ``types``.

    Columns that ``types`` does not name are handed over as text. Large tables are better read
    from Parquet by Spark itself: this one goes through the driver's memory.
    """
    for column in frame.columns.difference(types.names, sort=False):
        types = types.append(pa.field(column, pa.string()))
    return spark.createDataFrame(pa.Table.from_pandas(frame, schema=types, preserve_index=False))


def to_pandas(frame: DataFrame) -> pd.DataFrame:
    """Collect a table of features as pandas, typed by the registry and in a fixed order.

    Returns
    -------
    DataFrame
        Sorted by time, user and item, as far as the table has them. Counts and keys are plain
        integers; other integers are pandas' nullable ones; missing numbers are NaN, missing
        texts None.
    """
    table = frame.toArrow()
    known = [c for c in table.column_names if c in FEATURES]
    types = {field.name: field for field in arrow_schema(known)}
    table = table.cast(pa.schema([types.get(field.name, field) for field in table.schema]))
    order = [c for c in (TIMESTAMP, USER, ITEM) if c in known]
    table = table.sort_by([(c, "ascending") for c in order])
    nullable = [c for c in table.column_names if table.schema.field(c).nullable]
    plain = table.drop_columns(nullable).to_pandas()
    holed = table.select(nullable).to_pandas(types_mapper=_NULLABLE_INTEGERS.get)
    return pd.concat([plain, holed], axis=1)[table.column_names]


def build_training_samples(data, splits: dict) -> dict[str, pd.DataFrame]:
    """Return the training samples of both protocols.

    Parameters
    ----------
    data : recsys_lib.data.Dataset
    splits : dict of str to recsys_lib.data.splits.Split
        ``by_time`` and ``last_likes``.

    Returns
    -------
    dict
        ``by_time``: a sample for each interaction, with its ``part`` (train, validation, test);
        no sample knows later events, so all parts come out of one pass.
        ``last_likes``: samples of ``history("test")`` alone, so that nothing held out enters,
        with the ``part`` train or validation.
    """
    with borrowed_session("training_samples") as spark:
        items = to_spark(spark, data.items[schema.ITEMS.names], schema.ITEMS)
        samples = {}
        for name, parts in (
            ("by_time", ("train", "validation", "test")),
            ("last_likes", ("train", "validation")),
        ):
            marked = pd.concat([splits[name].part(p).assign(part=p) for p in parts])
            events = to_spark(spark, marked, schema.INTERACTIONS)
            samples[name] = to_pandas(training_samples(events, items))
    return samples


def build_serving_features(data, splits: dict) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the latest features after ``history("test")`` of each split.

    Returns
    -------
    dict
        ``{"by_time": {"users": frame, "items": frame}, "last_likes": ...}``; ``users`` has a row
        for each user with an event, ``items`` one for each item of the data set.
    """
    features = {}
    with borrowed_session("serving_features") as spark:
        items = to_spark(spark, data.items[schema.ITEMS.names], schema.ITEMS)
        for name, split in splits.items():
            events = to_spark(spark, split.history("test"), schema.INTERACTIONS)
            user_rows, item_rows = serving_features(events, items)
            features[name] = {"users": to_pandas(user_rows), "items": to_pandas(item_rows)}
    return features


def build_monitoring(samples: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return what a dashboard watches: :func:`monitoring_statistics` of the samples by time.

    Returns
    -------
    dict
        ``by_month``: the numbers and the favourite genre, month by month.
    """
    columns = [*names(kind="number"), "user_genre_1"]
    kept = ["timestamp", *columns]
    with borrowed_session("monitoring") as spark:
        rows = to_spark(spark, samples["by_time"][kept], arrow_schema(kept))
        return {"by_month": monitoring_statistics(rows, columns)}
