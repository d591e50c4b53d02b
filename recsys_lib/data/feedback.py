"""What an interaction says (反馈): so many stars, or, where there are no ratings, a like."""

import numpy as np
import pandas as pd

from recsys_lib.schema import IMPLICIT_RATING, LIKE_THRESHOLD, RATING


def stars_of(interactions: pd.DataFrame) -> np.ndarray:
    """Return the ratings in stars, float32 (n,): those of likes where the table has none."""
    if RATING in interactions:
        return interactions[RATING].to_numpy(np.float32)
    return np.full(len(interactions), IMPLICIT_RATING, dtype=np.float32)


def are_likes(interactions: pd.DataFrame, min_rating: float | None = LIKE_THRESHOLD) -> np.ndarray:
    """Tell which interactions are likes: bool (n,).

    With ``min_rating`` of None, or without ratings, every interaction is one.
    """
    if min_rating is None or RATING not in interactions:
        return np.ones(len(interactions), dtype=bool)
    return (interactions[RATING] >= min_rating).to_numpy(dtype=bool)
