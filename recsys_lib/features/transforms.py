"""Turning raw columns into model inputs: fitted once, saved, applied to rows to come (S3, S4).

A transform learns from the rows it is fitted on (a vocabulary, a minimum, a median) and repeats
exactly that on new rows. So it is fitted on training data only, and kept with the model.
"""

from dataclasses import dataclass, fields
from pathlib import Path

from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.feature import (
    CountVectorizerModel,
    Imputer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    QuantileDiscretizer,
    RobustScaler,
    SQLTransformer,
    StandardScaler,
    StringIndexer,
    VectorAssembler,
    VectorSlicer,
)
from pyspark.ml.functions import vector_to_array
from pyspark.ml.linalg import VectorUDT
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recsys_lib.errors import DataError, RecsysError, nearest
from recsys_lib.files import atomic_folder
from recsys_lib.spark.sql import literal

UNSEEN = "(unseen)"
_SCRATCH = "scratch__"  # prefix of columns between two stages; the last stage drops them


@dataclass(frozen=True)
class TransformConfig:
    """Which columns are transformed how. Each field but the last two holds column names.

    Attributes
    ----------
    one_hot : tuple of str
        Categories -> ``<column>_one_hot``, a sparse vector: the fitted categories in alphabetical
        order, then one slot that unseen and missing ones share.
    multi_hot : tuple of str
        Lists of texts -> ``<column>_multi_hot``: likewise; a missing list is an empty one.
    min_max, standard, robust : tuple of str
        Numbers -> ``<column>_min_max`` in [0, 1], ``<column>_standard`` with mean 0 and sample
        deviation 1, ``<column>_robust`` with median 0 and interquartile range 1 (on the fitted
        rows; each a vector of one). A missing number is replaced by the fitted median.
    bucket : tuple of str
        Numbers -> ``<column>_bucket``, the index of the quantile bucket; missing ones get the
        bucket after the last.
    normalize : tuple of str
        Numbers taken together as one vector per row -> ``normalized_l<p>``, divided by the
        row's own p-norm. Nothing is learned; a row with a missing number gives NaN.
    n_buckets : int
        Quantile buckets asked for; equal quantiles fall together.
    norms : tuple of float
        The p of each normalised vector, at least 1.
    """

    one_hot: tuple[str, ...] = ()
    multi_hot: tuple[str, ...] = ()
    min_max: tuple[str, ...] = ()
    standard: tuple[str, ...] = ()
    robust: tuple[str, ...] = ()
    bucket: tuple[str, ...] = ()
    normalize: tuple[str, ...] = ()
    n_buckets: int = 100
    norms: tuple[float, ...] = (1.0, 2.0)

    def columns(self) -> list[str]:
        """Return the input columns, each once."""
        groups = [getattr(self, f.name) for f in fields(self)]
        named = [c for group in groups if isinstance(group, tuple) for c in group]
        return list(dict.fromkeys(c for c in named if isinstance(c, str)))


def fit_transforms(frame: DataFrame, config: TransformConfig) -> PipelineModel:
    """Fit all transforms of ``config`` on ``frame`` as one pipeline of Spark ML stages.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        Training rows only: what is learned here must not know the test rows.
    config : TransformConfig

    Returns
    -------
    pyspark.ml.PipelineModel
        ``model.transform(rows)`` adds the output columns and keeps the input ones.

    Raises
    ------
    DataError
        ``frame`` is empty, or a column to scale has no value at all.
    RecsysError
        A column is not there, or a setting is out of range.
    """
    _check(frame, config)
    stages: list[Transformer] = []
    if config.one_hot:
        stages += _one_hot(frame, config)
    for column in config.multi_hot:
        stages += _multi_hot(frame, column)
    stages += _scalers(frame, config)
    if config.bucket:
        stages += _buckets(frame, config)
    if config.normalize:
        stages += _normalizers(config)
    added = PipelineModel(stages).transform(frame).columns
    scratch = ", ".join(f"`{c}`" for c in added if c.startswith(_SCRATCH))
    if scratch:
        stages.append(SQLTransformer(statement=f"SELECT * EXCEPT ({scratch}) FROM __THIS__"))
    return PipelineModel(stages)


def save_transforms(model: PipelineModel, folder: Path) -> None:
    """Write a fitted pipeline (Parquet and JSON) to ``folder``, in place of what was there."""
    with atomic_folder(Path(folder).absolute()) as fresh:
        model.write().save(str(fresh / "pipeline"))


def load_transforms(folder: Path) -> PipelineModel:
    """Read a pipeline that :func:`save_transforms` wrote; needs a running Spark session."""
    saved = Path(folder).absolute() / "pipeline"
    if not (saved / "metadata").is_dir():
        raise DataError(f"There is no saved pipeline in {folder}.")
    return PipelineModel.load(str(saved))


def with_arrays(frame: DataFrame) -> DataFrame:
    """Return ``frame`` with its vectors as arrays of numbers, and vectors of one as numbers.

    Spark ML works on vectors; people, pandas and Parquet readers elsewhere want plain numbers.
    """
    plain = {}
    for column in (field.name for field in frame.schema if isinstance(field.dataType, VectorUDT)):
        values = vector_to_array(column)
        one = column.endswith(("_min_max", "_standard", "_robust"))
        plain[column] = values[0] if one else values
    return frame.withColumns(plain)


def _check(frame: DataFrame, config: TransformConfig) -> None:
    for column in config.columns():
        if column not in frame.columns:
            raise RecsysError(f"No column {column!r} to transform.{nearest(column, frame.columns)}")
    if config.n_buckets < 2:
        raise RecsysError(f"n_buckets must be at least 2, not {config.n_buckets}.")
    if any(p < 1 for p in config.norms):
        raise RecsysError(f"Each of norms must be at least 1, not {config.norms}.")
    numbers = _scaled(config) + list(config.bucket)
    present = frame.agg(
        F.count("*"), *(F.count(F.nanvl(F.col(c).cast("double"), F.lit(None))) for c in numbers)
    ).first()
    if present[0] == 0:
        raise DataError("There are no rows to fit a transform on.")
    for column, count in zip(numbers, present[1:], strict=True):
        if count == 0:
            raise DataError(f"Column {column!r} has no value to fit a transform on.")


def _one_hot(frame: DataFrame, config: TransformConfig) -> list[Transformer]:
    indices = [f"{_SCRATCH}index_{c}" for c in config.one_hot]
    # "keep" gives unseen and missing values one index after the last.
    indexer = StringIndexer(
        inputCols=list(config.one_hot),
        outputCols=indices,
        handleInvalid="keep",
        stringOrderType="alphabetAsc",
    ).fit(frame)
    encoder = OneHotEncoder(
        inputCols=indices, outputCols=[f"{c}_one_hot" for c in config.one_hot], dropLast=False
    )
    return [indexer, encoder.fit(indexer.transform(frame))]


def _multi_hot(frame: DataFrame, column: str) -> list[Transformer]:
    rows = frame.select(F.explode(column).alias("value")).distinct().collect()
    vocabulary = sorted(row.value for row in rows if row.value is not None)
    known = f"{_SCRATCH}known_{column}"
    # CountVectorizer drops terms it does not know, and fails on null. So both are named first.
    texts = ", ".join(literal(value) for value in vocabulary)
    name_unseen = SQLTransformer(
        statement=f"SELECT *, transform(filter(coalesce(`{column}`, array()), v -> v IS NOT NULL), "
        f"v -> if(array_contains(cast(array({texts}) AS array<string>), v), v, '{UNSEEN}')) "
        f"AS `{known}` FROM __THIS__"
    )
    encoder = CountVectorizerModel.from_vocabulary(
        [*vocabulary, UNSEEN], inputCol=known, outputCol=f"{column}_multi_hot"
    )
    return [name_unseen, encoder.setBinary(True)]


def _scaled(config: TransformConfig) -> list[str]:
    """Return the columns to scale, each once."""
    return list(dict.fromkeys(config.min_max + config.standard + config.robust))


def _scalers(frame: DataFrame, config: TransformConfig) -> list[Transformer]:
    columns = _scaled(config)
    if not columns:
        return []
    filled = {c: f"{_SCRATCH}filled_{c}" for c in columns}
    imputer = Imputer(inputCols=columns, outputCols=list(filled.values()), strategy="median")
    stages: list[Transformer] = [imputer.fit(frame)]
    scalers = [
        (config.min_max, "min_max", MinMaxScaler()),
        # Spark's default leaves the mean in, which would no longer be the formula.
        (config.standard, "standard", StandardScaler(withMean=True)),
        (config.robust, "robust", RobustScaler(withCentering=True)),
    ]
    for of_kind, kind, scaler in scalers:
        if of_kind:
            # All columns as one vector: a scaler is fitted in one pass over the rows, and Spark
            # recomputes each assembled vector of a plan whether it is asked for or not.
            together, scaled = f"{_SCRATCH}vector_{kind}", f"{_SCRATCH}scaled_{kind}"
            assembler = VectorAssembler(inputCols=[filled[c] for c in of_kind], outputCol=together)
            ready = PipelineModel([stages[0], assembler]).transform(frame)
            stages += [assembler, scaler.setInputCol(together).setOutputCol(scaled).fit(ready)]
            stages += [
                VectorSlicer(inputCol=scaled, outputCol=f"{c}_{kind}", indices=[place])
                for place, c in enumerate(of_kind)
            ]
    return stages


def _buckets(frame: DataFrame, config: TransformConfig) -> list[Transformer]:
    # Missing has to be NaN to get a bucket of its own; null would stay null.
    numbers = {c: f"{_SCRATCH}number_{c}" for c in config.bucket}
    missing_as_nan = SQLTransformer(
        statement="SELECT *, "
        + ", ".join(
            f"coalesce(cast(`{c}` AS double), double('NaN')) AS `{n}`" for c, n in numbers.items()
        )
        + " FROM __THIS__"
    )
    discretizer = QuantileDiscretizer(
        inputCols=list(numbers.values()),
        outputCols=[f"{c}_bucket" for c in numbers],
        numBuckets=config.n_buckets,
        handleInvalid="keep",
    )
    return [missing_as_nan, discretizer.fit(missing_as_nan.transform(frame))]


def _normalizers(config: TransformConfig) -> list[Transformer]:
    vector = f"{_SCRATCH}vector_normalize"
    assembler = VectorAssembler(
        inputCols=list(config.normalize), outputCol=vector, handleInvalid="keep"
    )
    return [
        assembler,
        *(
            Normalizer(inputCol=vector, outputCol=f"normalized_l{p:g}", p=float(p))
            for p in config.norms
        ),
    ]
