"""The registry: what the course knows of its features, read without anything heavy.

The samples, the serving tables, the inputs of the models and the documentation are all read from
here. The features themselves are declared in :mod:`recsys_lib.features.declarations`.
"""

import pyarrow as pa

from recsys_lib.errors import DataError, RecsysError, nearest
from recsys_lib.features.declarations import (
    FEATURES,
    LABEL,
    MAX_GENRES,
    N_ITEM_GENRES,
    N_LIKED_ITEMS,
    N_USER_GENRES,
    STATE,
)
from recsys_lib.features.feature import names_in

__all__ = [
    "FEATURES",
    "LABEL",
    "N_ITEM_GENRES",
    "N_LIKED_ITEMS",
    "N_USER_GENRES",
    "STATE",
    "arrow_schema",
    "checked",
    "checked_genres",
    "documentation",
    "names",
    "needed",
]


def names(
    subject: str | None = None, kind: str | None = None, *, all_families: bool = False
) -> list[str]:
    """Return the names of the columns, in their order, of one subject or kind or of both.

    Those are the reference system's columns, which samples have by default; with
    ``all_families`` they are all columns of the registry.

    >>> names("item", "category")
    ['item_genre_1', 'item_genre_2', 'item_genre_3']
    """
    for value, attribute in ((subject, "subject"), (kind, "kind")):
        known = {getattr(feature, attribute) for feature in FEATURES.values()}
        if value is not None and value not in known:
            raise RecsysError(f"No feature has the {attribute} {value!r}.{nearest(value, known)}")
    return [
        feature.name
        for feature in FEATURES.values()
        if subject in (None, feature.subject)
        and kind in (None, feature.kind)
        and (all_families or feature.in_reference)
    ]


def checked(columns: list[str] | None) -> list[str]:
    """Return the columns, each of which must be in the registry and be named once.

    By default they are the reference system's.

    Raises
    ------
    RecsysError
        A column is not in the registry, or is named twice.
    """
    columns = names() if columns is None else list(columns)
    for column in columns:
        if column not in FEATURES:
            raise RecsysError(f"No feature is called {column!r}.{nearest(column, FEATURES)}")
        if columns.count(column) > 1:
            raise RecsysError(f"The feature {column!r} is named twice.")
    return columns


def needed(columns: list[str]) -> set[str]:
    """Return all names that the columns' formulas read, those of their states included."""
    needs = set().union(*(names_in(FEATURES[c].formula) for c in columns))
    for state in STATE.values():
        needs |= set().union(*(names_in(state[name].value) for name in needs & state.keys()))
    return needs


def checked_genres(genres) -> list[str]:
    """Return the different genres in alphabetical order, each of which needs a counter.

    Raises
    ------
    DataError
        There are more than :data:`recsys_lib.features.declarations.MAX_GENRES`.
    """
    different = sorted({genre for genre in genres if genre is not None})
    if len(different) > MAX_GENRES:
        raise DataError(
            f"The items have more than {MAX_GENRES} different genres; user_genre_* counts each. "
            "Keep the coarse ones in `genres`."
        )
    return different


def arrow_schema(columns: list[str]) -> pa.Schema:
    """Return the types of the named columns, for Parquet and for the serving tables."""
    types = {"string": pa.string(), "strings": pa.list_(pa.string()), "float32": pa.float32()}
    return pa.schema(
        [
            pa.field(
                c,
                types.get(FEATURES[c].dtype) or getattr(pa, FEATURES[c].dtype)(),
                nullable=FEATURES[c].nullable,
            )
            for c in columns
        ]
    )


def documentation(columns: list[str] | None = None):
    """Return the registry as a table for people: a DataFrame, one row a column (default: all)."""
    import pandas as pd

    shown = (
        "name", "subject", "family", "kind", "dtype", "unit", "rule", "source", "meaning",
        "in_reference",
    )  # fmt: skip
    chosen = [FEATURES[c] for c in checked(columns or list(FEATURES))]
    return pd.DataFrame([{c: getattr(feature, c) for c in shown} for feature in chosen])
