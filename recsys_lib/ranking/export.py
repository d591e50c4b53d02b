"""A trained model as a SavedModel that takes raw features, served without this library.

It has three signatures, as TensorFlow Serving knows them: ``serving_default`` (predict) takes one
named input a column; ``regress`` and ``classify`` take ``tf.Example`` messages.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib import files
from recsys_lib.errors import DataError
from recsys_lib.file_list import write_file_list
from recsys_lib.keras_backend import load_keras, load_tensorflow
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.raw_features import RawColumn, raw_columns, raw_features

WARM_UP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
METHODS = {"regress": "tensorflow/serving/regress", "classify": "tensorflow/serving/classify"}
CLASSES = ("dislike", "like")


def export_version(model, base_path: Path, samples: pd.DataFrame | None = None) -> int:
    """Export a model as the next version of a folder of versions, and return its number.

    The version appears complete or not at all, so a server may watch the folder.

    Parameters
    ----------
    model : RankingModel
    base_path : Path
        Holds the folders ``1``, ``2``, ...
    samples : DataFrame, optional
        As in :func:`export`.
    """
    base_path = Path(base_path)
    there = [int(p.name) for p in base_path.glob("*") if p.name.isascii() and p.name.isdigit()]
    version = max(there, default=0) + 1
    model.export(base_path / str(version), samples)
    return version


def export(model, folder: Path, samples: pd.DataFrame | None = None) -> None:
    """Write a SavedModel.

    A category is int64, (n,), with -1 for a missing value, or, if it is text, a string, (n,), with
    an empty one for a missing value. Lists have the shape (n, any length) and are padded with
    these. A number is float32, (n,), with NaN for a missing value. Values that training did not
    contain are looked up as unknown. The output ``like`` is the probability: float32, (n,). An
    example leaves out what is missing. Columns have the names of the person's own table.

    Parameters
    ----------
    model : RankingModel
    folder : Path
        Replaced once the new one is complete.
    samples : DataFrame, optional
        A few typical requests. A server runs them before the version is available
        (``assets.extra/tf_serving_warmup_requests``).
    """
    keras, tf = load_keras(), load_tensorflow()
    network, inputs = model.network, model.inputs
    columns = _columns(model)
    tables = {name: _table(tf, values) for name, values in inputs.vocabularies.items()}

    def probability(features):
        theirs = {} if model.schema is None else model.schema.renamed
        named = {column: features[theirs.get(column, column)] for column in inputs.columns}
        return network(_encoded(tf, inputs, tables, named), training=False)[:, 0]

    def like(features):
        return {"like": probability(features)}

    def regress(examples):
        return {"outputs": probability(_parsed(tf, columns, examples))}

    def classify(examples):
        p = probability(_parsed(tf, columns, examples))
        classes = tf.tile(tf.constant([CLASSES]), [tf.size(p), 1])
        return {"classes": classes, "scores": tf.stack([1 - p, p], axis=1)}

    examples = tf.TensorSpec((None,), tf.string, name="inputs")
    archive = keras.export.ExportArchive()
    archive.track(network)
    for table in tables.values():
        if not isinstance(table, _EmptyTable):
            archive.track(table)
    archive.add_endpoint("serving_default", like, input_signature=[_signature(tf, columns)])
    archive.add_endpoint("regress", regress, input_signature=[examples])
    archive.add_endpoint("classify", classify, input_signature=[examples])
    with files.atomic_folder(Path(folder)) as fresh:
        archive.write_out(str(fresh), verbose=False)
        set_methods(fresh, METHODS)
        if samples is not None:
            _write_warm_up(tf, fresh / WARM_UP_FILE, columns, samples)
        write_file_list(fresh)


def largest_difference(model, folder: Path, samples: pd.DataFrame) -> float:
    """Return how far an exported model's scores are from the model's own, at most.

    Parameters
    ----------
    model : RankingModel
    folder : Path
        That :func:`export` wrote.
    samples : DataFrame
    """
    tf = load_tensorflow()
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    raw = raw_features(_columns(model), samples)
    served = serve(**{name: tf.constant(values) for name, values in raw.items()})["like"]
    return float(np.abs(served.numpy() - model.predict(samples)).max())


def set_methods(folder: Path, methods: Mapping[str, str]) -> None:
    """Name the method of some signatures: TensorFlow 2 saves all of them as predict."""
    load_tensorflow()
    from tensorflow.core.protobuf import saved_model_pb2

    path = Path(folder) / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for key, method in methods.items():
        saved.meta_graphs[0].signature_def[key].method_name = method
    path.write_bytes(saved.SerializeToString(deterministic=True))


def _columns(model) -> dict[str, RawColumn]:
    return raw_columns(model.inputs, None if model.schema is None else model.schema.renamed)


def _signature(tf, columns: Mapping[str, RawColumn]) -> dict:
    return {
        column: tf.TensorSpec(
            (None,) if form.width is None else (None, None), getattr(tf, form.kind), name=column
        )
        for column, form in columns.items()
    }


def _parsed(tf, columns: Mapping[str, RawColumn], examples) -> dict:
    """Return the raw columns that serialised examples hold."""
    spec = {
        column: tf.io.FixedLenFeature([], getattr(tf, form.kind), form.missing)
        if form.width is None
        else tf.io.VarLenFeature(getattr(tf, form.kind))
        for column, form in columns.items()
    }
    return {
        column: tf.sparse.to_dense(value, columns[column].missing)
        if isinstance(value, tf.SparseTensor)
        else value
        for column, value in tf.io.parse_example(examples, spec).items()
    }


def _encoded(tf, inputs: FeatureInputs, tables: Mapping, features: Mapping) -> list:
    """Return ``[categories, numbers]``, as :meth:`FeatureInputs.encode` does."""
    blocks = []  # (n, width) each
    for column, vocabulary, width in inputs.coded_columns:
        codes = tables[vocabulary][features[column]]
        if width is None:
            codes = codes[:, None]
        else:
            codes = codes[:, :width]
            codes = tf.pad(codes, [[0, 0], [0, width - tf.shape(codes)[1]]])
        blocks.append(codes)
    codes = tf.cast(tf.concat(blocks, axis=1), tf.int32)
    numbers = [features[column] for column in inputs.numbers]
    return [codes, _scaled(tf, inputs, numbers) if numbers else tf.zeros((tf.shape(codes)[0], 0))]


def _table(tf, values: np.ndarray):
    """Return a table from the raw values to their codes, which gives 0 for any other value."""
    if not len(values):
        return _EmptyTable(tf)
    whole = np.issubdtype(values.dtype, np.integer)
    keys = tf.constant(values if whole else values.astype(object), tf.int64 if whole else tf.string)
    codes = tf.range(1, len(values) + 1, dtype=tf.int64)
    known = tf.lookup.KeyValueTensorInitializer(keys, codes)
    return tf.lookup.StaticHashTable(known, default_value=0)


class _EmptyTable:
    """A table of no values, as of genres where no film has one; TensorFlow makes none."""

    def __init__(self, tf):
        self._tf = tf

    def __getitem__(self, values):
        return self._tf.zeros(self._tf.shape(values), self._tf.int64)


def _scaled(tf, inputs: FeatureInputs, numbers: list):
    """Fill and scale as :meth:`FeatureInputs.encode_numbers` does, in double precision, too."""
    logarithms = np.isin(inputs.numbers, inputs.log_numbers)
    values = tf.stack([tf.cast(number, tf.float64) for number in numbers], axis=1)
    values = tf.where(logarithms, tf.sign(values) * tf.math.log1p(tf.abs(values)), values)
    values = tf.where(tf.math.is_nan(values), inputs.fill, values)
    return tf.cast((values - inputs.shift) / inputs.scale, tf.float32)


def _write_warm_up(tf, path: Path, columns: Mapping[str, RawColumn], samples) -> None:
    """Write one request of each method as records of ``PredictionLog`` messages."""
    from tensorflow_serving.apis import prediction_log_pb2

    if samples.empty:
        raise DataError("There is no sample to warm the model up with.")
    raw = raw_features(columns, samples)
    predict, regress, classify = (prediction_log_pb2.PredictionLog() for _ in range(3))
    for column, values in raw.items():
        predict.predict_log.request.inputs[column].CopyFrom(tf.make_tensor_proto(values))
    regress.regress_log.request.input.example_list.examples.append(example_of(raw, 0))
    classify.classify_log.request.input.example_list.examples.append(example_of(raw, 0))
    regress.regress_log.request.model_spec.signature_name = "regress"
    classify.classify_log.request.model_spec.signature_name = "classify"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in (predict, regress, classify):
            writer.write(log.SerializeToString(deterministic=True))


def example_of(raw: Mapping[str, np.ndarray], row: int):
    """Return one row of raw features as a ``tf.Example`` message."""
    load_tensorflow()
    from tensorflow.core.example import example_pb2

    example = example_pb2.Example()
    for column, values in raw.items():
        feature, chosen = example.features.feature[column], np.atleast_1d(values[row])
        if chosen.dtype == np.int64:
            feature.int64_list.value.extend(chosen)
        elif chosen.dtype == np.float32:
            feature.float_list.value.extend(chosen)
        else:
            feature.bytes_list.value.extend(text.encode() for text in chosen)
    return example
