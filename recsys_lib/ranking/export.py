"""A trained model as a SavedModel that takes raw features, served without this library."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from recsys_lib import files
from recsys_lib.keras_backend import load_keras
from recsys_lib.ranking.inputs import FeatureInputs, vocabulary_of
from recsys_lib.schema import ITEM


def export(network, inputs: FeatureInputs, folder: Path) -> None:
    """Write a SavedModel whose ``serving_default`` takes one named input a column.

    Whole numbers as categories are int64, (n,), -1 for a missing one; texts are strings, (n,),
    empty for a missing one; bags are (n, any number), padded with these; numbers are float32,
    (n,), NaN for a missing one. Unknown values are looked up as unknown. The answer is ``like``,
    the probability: float32, (n,).

    Parameters
    ----------
    network : keras.Model
        Takes ``[categories, numbers]``.
    inputs : FeatureInputs
    folder : Path
        Replaced once the new one is complete.
    """
    import tensorflow as tf

    keras = load_keras()
    tables = {name: _table(tf, values) for name, values in inputs.vocabularies.items()}
    signature = {
        column: tf.TensorSpec((None,) if width is None else (None, None), dtype, name=column)
        for column, (dtype, width) in _types(tf, inputs).items()
    }

    def like(features):
        codes = [tables[vocabulary_of(c)][features[c]][:, None] for c in inputs.categories]
        for column, width in inputs.bags.items():
            code = tables[vocabulary_of(column)][features[column][:, :width]]
            codes.append(tf.pad(code, [[0, 0], [0, width - tf.shape(code)[1]]]))
        codes += [tables[vocabulary_of(ITEM)][features[c]][:, None] for c in inputs.history]
        code = tf.cast(tf.concat(codes, axis=1), tf.int32)
        return {"like": network([code, _numbers(tf, inputs, features)], training=False)[:, 0]}

    archive = keras.export.ExportArchive()
    archive.track(network)
    for table in tables.values():
        archive.track(table)
    archive.add_endpoint("serving_default", like, input_signature=[signature])
    with files.atomic_folder(Path(folder)) as fresh:
        archive.write_out(str(fresh), verbose=False)


def _types(tf, inputs: FeatureInputs) -> Mapping[str, tuple]:
    """Return the dtype of each raw column and its number of places (None: one value)."""
    whole = {n: np.issubdtype(v.dtype, np.integer) for n, v in inputs.vocabularies.items()}
    types = {}
    for column in (*inputs.categories, *inputs.bags, *inputs.history):
        name = vocabulary_of(ITEM) if column in inputs.history else vocabulary_of(column)
        types[column] = (tf.int64 if whole[name] else tf.string, inputs.bags.get(column))
    return types | dict.fromkeys(inputs.numbers, (tf.float32, None))


def _table(tf, values: np.ndarray):
    """Return a table from the raw values to their codes, 0 for what it does not know."""
    keys = values if np.issubdtype(values.dtype, np.integer) else values.astype(object)
    dtype = tf.int64 if np.issubdtype(values.dtype, np.integer) else tf.string
    known = tf.lookup.KeyValueTensorInitializer(
        tf.constant(keys, dtype), tf.range(1, len(values) + 1, dtype=tf.int64)
    )
    return tf.lookup.StaticHashTable(known, default_value=0)


def _numbers(tf, inputs: FeatureInputs, features):
    """Fill and scale as :meth:`FeatureInputs.encode_numbers` does, in double precision too."""
    if not inputs.numbers:
        return tf.zeros((tf.shape(next(iter(features.values())))[0], 0))
    logarithms = np.isin(inputs.numbers, inputs.log_numbers)
    values = tf.stack([tf.cast(features[c], tf.float64) for c in inputs.numbers], axis=1)
    values = tf.where(logarithms, tf.sign(values) * tf.math.log1p(tf.abs(values)), values)
    values = tf.where(tf.math.is_nan(values), inputs.fill, values)
    return tf.cast((values - inputs.shift) / inputs.scale, tf.float32)
