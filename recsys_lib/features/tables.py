"""The features of a data set as the course's notebooks and models take them.

Each function works in this process; with a Spark session, Spark does the same.
"""

import pandas as pd

from recsys_lib import schema
from recsys_lib.features.engines import serving_features, training_samples
from recsys_lib.features.monitoring import monitoring_statistics
from recsys_lib.features.registry import arrow_schema, names


def build_training_samples(data, splits: dict, spark=None) -> dict[str, pd.DataFrame]:
    """Return the training samples of both protocols.

    Parameters
    ----------
    data : recsys_lib.data.Dataset
    splits : dict of str to recsys_lib.data.splits.Split
        ``by_time`` and ``last_likes``.
    spark : pyspark.sql.SparkSession, optional

    Returns
    -------
    dict
        ``by_time``: a sample for each interaction, with its ``part`` (train, validation, test);
        no sample knows later events, so all parts come out of one pass.
        ``last_likes``: samples of ``history("test")`` alone, so that nothing held out enters,
        with the ``part`` train or validation.
    """
    items = _given(spark, data.items[schema.ITEMS.names], schema.ITEMS)
    samples = {}
    for name, parts in (
        ("by_time", ("train", "validation", "test")),
        ("last_likes", ("train", "validation")),
    ):
        marked = pd.concat([splits[name].part(p).assign(part=p) for p in parts])
        events = _given(spark, marked, schema.INTERACTIONS)
        samples[name] = _taken(spark, training_samples(events, items))
    return samples


def build_serving_features(data, splits: dict, spark=None) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the latest features after ``history("test")`` of each split.

    Parameters
    ----------
    data, splits, spark
        As for :func:`build_training_samples`.

    Returns
    -------
    dict
        ``{"by_time": {"users": frame, "items": frame}, "last_likes": ...}``; ``users`` has a row
        for each user with an event, ``items`` one for each item of the data set.
    """
    items = _given(spark, data.items[schema.ITEMS.names], schema.ITEMS)
    features = {}
    for name, split in splits.items():
        events = _given(spark, split.history("test"), schema.INTERACTIONS)
        user_rows, item_rows = serving_features(events, items)
        features[name] = {"users": _taken(spark, user_rows), "items": _taken(spark, item_rows)}
    return features


def build_monitoring(samples: dict[str, pd.DataFrame], spark=None) -> dict[str, pd.DataFrame]:
    """Return what a dashboard watches: :func:`monitoring_statistics` of the samples by time.

    Parameters
    ----------
    samples : dict of str to DataFrame
        As :func:`build_training_samples` returns them.
    spark : pyspark.sql.SparkSession, optional

    Returns
    -------
    dict
        ``by_month``: the numbers and the favourite genre, month by month.
    """
    columns = [*names(kind="number"), "user_genre_1"]
    kept = ["timestamp", *columns]
    rows = _given(spark, samples["by_time"][kept], arrow_schema(kept))
    return {"by_month": monitoring_statistics(rows, columns)}


def _given(spark, frame: pd.DataFrame, types):
    """Return the frame for the engine that is to work on it."""
    if spark is None:
        return frame
    from recsys_lib.features.distributed.frames import to_spark

    return to_spark(spark, frame, types)


def _taken(spark, frame) -> pd.DataFrame:
    """Return the engine's answer as pandas."""
    if spark is None:
        return frame
    from recsys_lib.features.distributed.frames import to_pandas

    return to_pandas(frame)
