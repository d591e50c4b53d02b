"""Labels of samples: 1 for a like, 0 for none."""

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError
from recsys_lib.features.registry import LABEL
from recsys_lib.ranking.columns import require_columns


def labels_of(frame: pd.DataFrame) -> np.ndarray:
    """Return the labels of samples: float32, (n,), 1 for a like.

    Raises
    ------
    DataError
        A label is neither 0 nor 1, or all labels are the same, from which nothing can be learned.
    """
    labels = binary_labels(frame)
    check_classes(labels.sum(), len(labels))
    return labels


def binary_labels(frame: pd.DataFrame) -> np.ndarray:
    """Return the labels of a piece of the samples, which may all be the same: float32, (n,)."""
    require_columns(frame, [LABEL])
    labels = pd.to_numeric(frame[LABEL], errors="coerce").to_numpy(np.float32, na_value=np.nan)
    if not np.isin(labels, (0, 1)).all():
        wrong = frame[LABEL][~np.isin(labels, (0, 1))].iloc[0]
        raise DataError(f"Labels must be 0 or 1; one is {wrong!r}.")
    return labels


def check_classes(n_likes: float, n: int, part: str = "samples") -> None:
    """Raise a :class:`DataError` when all of ``n`` labels, ``n_likes`` of them 1, are the same.

    ``part`` says in words whose labels they are.
    """
    if n_likes in (0, n):
        raise DataError(
            f"All {n} {part} have the same label"
            + (f", {n_likes / n:.0f}" if n else "")
            + ": a ranking model needs likes and dislikes."
        )
