"""A trained model as a SavedModel that takes raw features and is served without this library."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from recsys_lib import files
from recsys_lib.keras_backend import load_keras
from recsys_lib.ranking.inputs import FeatureInputs


def export(
    network, inputs: FeatureInputs, folder: Path, renamed: Mapping[str, str] | None = None
) -> None:
    """Write a SavedModel whose signature ``serving_default`` has one named input for each column.

    A category is int64, (n,), with -1 for a missing value, or, if it is text, a string, (n,), with
    an empty one for a missing value. Lists have the shape (n, any length) and are padded with
    these. A number is float32, (n,), with NaN for a missing value. Values that training did not
    contain are looked up as unknown. The output ``like`` is the probability: float32, (n,).

    Parameters
    ----------
    network : keras.Model
        Takes ``[categories, numbers]``.
    inputs : FeatureInputs
    folder : Path
        Replaced once the new one is complete.
    renamed : dict of str to str, optional
        Name of an input by the library's name of the column, where they differ.
    """
    import tensorflow as tf

    keras = load_keras()
    tables = {name: _table(tf, values) for name, values in inputs.vocabularies.items()}
    names = {column: (renamed or {}).get(column, column) for column in inputs.columns}

    def spec(column: str, dtype, width: int | None = None):
        shape = (None,) if width is None else (None, None)
        return tf.TensorSpec(shape, dtype, name=names[column])

    signature = {
        names[column]: spec(column, tables[vocabulary].key_dtype, width)
        for column, vocabulary, width in inputs.coded_columns
    }
    signature |= {names[column]: spec(column, tf.float32) for column in inputs.numbers}

    def like(features):
        blocks = []  # (n, width) each
        for column, vocabulary, width in inputs.coded_columns:
            codes = tables[vocabulary][features[names[column]]]
            if width is None:
                codes = codes[:, None]
            else:
                codes = codes[:, :width]
                codes = tf.pad(codes, [[0, 0], [0, width - tf.shape(codes)[1]]])
            blocks.append(codes)
        codes = tf.cast(tf.concat(blocks, axis=1), tf.int32)
        numbers = [features[names[column]] for column in inputs.numbers]
        numbers = _scaled(tf, inputs, numbers) if numbers else tf.zeros((tf.shape(codes)[0], 0))
        return {"like": network([codes, numbers], training=False)[:, 0]}

    archive = keras.export.ExportArchive()
    archive.track(network)
    for table in tables.values():
        archive.track(table)
    archive.add_endpoint("serving_default", like, input_signature=[signature])
    with files.atomic_folder(Path(folder)) as fresh:
        archive.write_out(str(fresh), verbose=False)


def _table(tf, values: np.ndarray):
    """Return a table from the raw values to their codes, which gives 0 for any other value."""
    whole = np.issubdtype(values.dtype, np.integer)
    keys = tf.constant(values if whole else values.astype(object), tf.int64 if whole else tf.string)
    codes = tf.range(1, len(values) + 1, dtype=tf.int64)
    known = tf.lookup.KeyValueTensorInitializer(keys, codes)
    return tf.lookup.StaticHashTable(known, default_value=0)


def _scaled(tf, inputs: FeatureInputs, numbers: list):
    """Fill and scale as :meth:`FeatureInputs.encode_numbers` does, in double precision, too."""
    logarithms = np.isin(inputs.numbers, inputs.log_numbers)
    values = tf.stack([tf.cast(number, tf.float64) for number in numbers], axis=1)
    values = tf.where(logarithms, tf.sign(values) * tf.math.log1p(tf.abs(values)), values)
    values = tf.where(tf.math.is_nan(values), inputs.fill, values)
    return tf.cast((values - inputs.shift) / inputs.scale, tf.float32)
