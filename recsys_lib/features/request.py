"""The features of the moment: computed at the request, from what the serving tables hold."""

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError
from recsys_lib.features.registry import FEATURES, checked

_WHOLE = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64}


def request_features(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Evaluate the registry's formulas of event features without Spark.

    Parameters
    ----------
    rows : DataFrame
        One row a candidate: ``timestamp`` of the request (s since 1970) and the serving features
        of the user and the item that the formulas read.
    columns : list of str
        Features of the event that are not keys, as ``hour`` and ``user_days_since_last``.

    Returns
    -------
    DataFrame
        The columns, typed by the registry; NaN where a time is missing.

    Raises
    ------
    DataError
        A feature is not one of the event, or a column it needs is not in ``rows``.
    """
    values = {}
    for column in checked(columns):
        feature = FEATURES[column]
        if feature.subject != "event":
            raise DataError(f"{column!r} is stored for each {feature.subject}, not computed.")
        try:
            value = rows.eval(feature.formula, engine="python")
        except pd.errors.UndefinedVariableError as error:
            raise DataError(f"To compute {column!r} the rows lack a column: {error}.") from None
        if feature.dtype in _WHOLE:  # cut off, as a cast does in SQL
            value = np.trunc(value).astype(_WHOLE[feature.dtype])
        values[column] = pd.Series(value, rows.index).astype(feature.dtype)
    return pd.DataFrame(values, rows.index)
