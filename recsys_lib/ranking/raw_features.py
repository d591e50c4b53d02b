"""Samples as a service sends them: plain arrays, one a column, before any encoding."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError, nearest
from recsys_lib.ranking.inputs import FeatureInputs


class RawColumn(NamedTuple):
    """The form of one raw column.

    Attributes
    ----------
    kind : str
        ``int64`` or ``string`` for categories, ``float32`` for numbers.
    width : int or None
        Places of a column of lists; None where a row has one value.
    """

    kind: str
    width: int | None = None

    @property
    def missing(self):
        """What stands for a missing value: -1, an empty text, NaN."""
        return {"int64": -1, "string": "", "float32": np.float32(np.nan)}[self.kind]


def raw_columns(
    inputs: FeatureInputs, renamed: Mapping[str, str] | None = None
) -> dict[str, RawColumn]:
    """Return the form of each column that a model reads, under the person's names.

    Parameters
    ----------
    inputs : FeatureInputs
    renamed : dict of str to str, optional
        The person's name of a column by the library's, where they differ.
    """
    columns = dict.fromkeys(inputs.numbers, RawColumn("float32"))
    for column, vocabulary, width in inputs.coded_columns:
        known = inputs.vocabularies[vocabulary]  # of no values, what comes may as well be text
        whole = len(known) > 0 and np.issubdtype(known.dtype, np.integer)
        columns[column] = RawColumn("int64" if whole else "string", width)
    return {(renamed or {}).get(column, column): form for column, form in columns.items()}


def raw_features(columns: Mapping[str, RawColumn], samples: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the columns of samples as arrays: int64, float32, or objects for texts.

    Lists become (n, longest list) arrays, padded with the missing value.

    Parameters
    ----------
    columns : dict of str to RawColumn
        What a model reads, as :func:`raw_columns` gives it.
    samples : DataFrame

    Raises
    ------
    DataError
        A column is missing, or holds values of another kind.
    """
    raw = {}
    for column, form in columns.items():
        if column not in samples.columns:
            raise DataError(
                f"The samples lack the column {column}.{nearest(column, map(str, samples.columns))}"
            )
        try:
            raw[column] = _array(samples[column], form)
        except (TypeError, ValueError) as error:
            raise DataError(f"Column {column} holds no values of {form.kind}: {error}") from None
    return raw


def _array(values: pd.Series, form: RawColumn) -> np.ndarray:
    if form.width is None:
        dtype = {"string": object}.get(form.kind, form.kind)
        return values.astype(object).where(values.notna(), form.missing).to_numpy(dtype)
    lists = [list(v[: form.width]) if np.ndim(v) else [] for v in values]
    longest = max(map(len, lists), default=0)
    padded = np.full((len(lists), longest), form.missing, object)
    for row, chosen in enumerate(lists):
        padded[row, : len(chosen)] = chosen
    return padded if form.kind == "string" else padded.astype(form.kind)
