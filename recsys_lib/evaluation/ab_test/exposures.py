"""The exposure log: who has really seen which variant, and what they did from then on."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys_lib.errors import DataError
from recsys_lib.schema import TIMESTAMP, USER

# One row an answer in which the variant made a difference, or would have for the control.
EXPOSURES = pa.schema(
    [
        pa.field("request_id", pa.string(), nullable=False),
        pa.field(USER, pa.int64(), nullable=False),
        pa.field("experiment", pa.string(), nullable=False),
        pa.field("variant", pa.string(), nullable=False),
        pa.field(TIMESTAMP, pa.int64(), nullable=False),  # Unix seconds, UTC
    ]
)


class Exposed(NamedTuple):
    """The users of an experiment.

    Attributes
    ----------
    users : DataFrame
        ``user_id``, ``variant``, ``timestamp`` of the first exposure; one row a user.
    crossed : int64 array
        Users who saw more than one variant. They are not among ``users``; more than a handful
        means that the split is broken.
    """

    users: pd.DataFrame
    crossed: np.ndarray


def first_exposures(log: pd.DataFrame, experiment: str) -> Exposed:
    """Return who was exposed to an experiment, and since when.

    Parameters
    ----------
    log : DataFrame
        With the columns of ``EXPOSURES``.
    experiment : str

    Raises
    ------
    DataError
        Columns are missing, or nobody was exposed.
    """
    missing = sorted(set(EXPOSURES.names) - set(log.columns))
    if missing:
        raise DataError(f"The exposure log lacks the columns {', '.join(missing)}.")
    rows = log[log["experiment"] == experiment]
    if rows.empty:
        raise DataError(f"The exposure log has no row of experiment {experiment!r}.")
    variants = rows.groupby(USER)["variant"].nunique()
    crossed = variants.index[variants > 1].to_numpy(np.int64)
    rows = rows[~rows[USER].isin(crossed)].sort_values([USER, TIMESTAMP])
    first = rows.drop_duplicates(USER)[[USER, "variant", TIMESTAMP]]
    return Exposed(first.reset_index(drop=True), crossed)


def outcomes(
    exposed: Exposed, events: pd.DataFrame, value: str | None = None, window_s: int | None = None
) -> pd.Series:
    """Return what each exposed user did from their first exposure on.

    Users without an event count with 0: leaving them out would compare different users.

    Parameters
    ----------
    exposed : Exposed
    events : DataFrame
        ``user_id``, ``timestamp`` and the column ``value``.
    value : str, optional
        What is added up; by default events are counted.
    window_s : int, optional
        Seconds after the first exposure that count, so that early users have no longer time.

    Returns
    -------
    Series of float64
        In the order of ``exposed.users``, with its index.
    """
    joined = events.merge(exposed.users, on=USER, suffixes=("", "_exposed"))
    since = joined[TIMESTAMP] - joined[f"{TIMESTAMP}_exposed"]
    counts = since >= 0
    if window_s is not None:
        counts &= since < window_s
    amounts = joined[value] if value else pd.Series(1.0, joined.index)
    totals = amounts[counts].groupby(joined.loc[counts, USER]).sum()
    return exposed.users[USER].map(totals).fillna(0.0).astype(np.float64)
