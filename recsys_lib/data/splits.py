"""Splits: two that learn nothing from the future, and a random one to compare with.

Two ways to hold out are used beside each other everywhere:

``last_likes``
    each user's last likes are held out (leave-last-n). Every user with enough likes is evaluated,
    but other users' later events are learned from.
``by_time``
    one moment divides all users' events. Nothing at all is known of later times, but on
    MovieLens 100K few users are active on both sides of the moment.

``at_random`` draws rows without regard to time, as much published work does. It lets a model learn
from a user's later events; it is here to show how much that flatters.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys_lib.data.feedback import are_likes
from recsys_lib.errors import RecsysError, nearest
from recsys_lib.schema import ITEM, TIMESTAMP, USER
from recsys_lib.seeding import DEFAULT_SEED, key_hash

PARTS = ("train", "validation", "test")
PROTOCOLS = ("random", "last", "time")
N_TEST = N_VALIDATION = MIN_TRAIN = 5  # likes of a user in each part of last_likes
HELD_OUT = 0.2  # share of the interactions that hold_out sets apart


@dataclass(frozen=True)
class Split:
    """Three disjoint parts of a table of interactions.

    Attributes
    ----------
    name : str
        ``last_likes``, ``by_time`` or ``at_random``.
    train, validation, test : DataFrame
        Columns as in :data:`recsys_lib.schema.INTERACTIONS`, sorted as they came.
    """

    name: str
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame

    def part(self, name: str) -> pd.DataFrame:
        """Return the part called ``train``, ``validation`` or ``test``."""
        if name not in PARTS:
            raise RecsysError(f"A split has the parts {', '.join(PARTS)}, not {name!r}.")
        return getattr(self, name)

    def history(self, part: str) -> pd.DataFrame:
        """Return all that may be learned from before ``part`` is predicted.

        That is the training part for ``validation``, and training and validation for ``test``.
        """
        if part == "validation":
            return self.train
        if part == "test":
            return pd.concat([self.train, self.validation], ignore_index=True)
        raise RecsysError(f"Only 'validation' and 'test' are predicted, not {part!r}.")

    def train_test(self, part: str = "test") -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return what may be learned from before ``part`` is predicted, and ``part``."""
        return self.history(part), self.part(part)

    def likes(self, part: str) -> pd.DataFrame:
        """Return the rows of ``part`` whose rating is a like."""
        frame = self.part(part)
        return frame[are_likes(frame)]


def in_time_order(interactions: pd.DataFrame) -> pd.DataFrame:
    """Sort by user, then time; ties in time by a hash of the ids.

    Most MovieLens ratings share their second with others of the same user. Ordering those by item
    id would order them by age and popularity of the film, and leak both into the split.
    """
    tie = key_hash(interactions[USER], interactions[ITEM])
    order = np.lexsort((tie, interactions[TIMESTAMP], interactions[USER]))
    return interactions.iloc[order].reset_index(drop=True)


def last_likes(
    interactions: pd.DataFrame,
    n_test: int = N_TEST,
    n_validation: int = N_VALIDATION,
    min_train: int = MIN_TRAIN,
) -> Split:
    """Hold out each user's last likes.

    A user with at least ``n_test + n_validation + min_train`` likes gives the last ``n_test`` of
    them to ``test`` and the ``n_validation`` before to ``validation``. Whatever the user did after
    the first held-out like of a part goes to that part too (dislikes included), so that a part
    never trains on what came later in that user's life. Users with fewer likes stay in ``train``.
    """
    ordered = in_time_order(interactions)
    liked = are_likes(ordered)
    user = ordered[USER].to_numpy()
    total = pd.Series(liked).groupby(user).transform("sum").to_numpy()
    so_far = pd.Series(liked).groupby(user).cumsum().to_numpy()  # this row's own like included

    judged = total >= n_test + n_validation + min_train
    test = judged & (so_far > total - n_test)
    validation = judged & ~test & (so_far > total - n_test - n_validation)
    return Split(
        "last_likes",
        *(
            ordered[mask].reset_index(drop=True)
            for mask in (~(test | validation), validation, test)
        ),
    )


def by_time(
    interactions: pd.DataFrame, validation_share: float = 0.1, test_share: float = 0.2
) -> Split:
    """Cut all events at two moments: the last ``test_share`` of rows is the test part.

    The cuts fall between seconds: events of one second stay together, so shares are approximate.
    """
    _check_shares(validation_share, test_share)
    time = interactions[TIMESTAMP].to_numpy()
    validation_starts, test_starts = np.quantile(
        time, [1 - test_share - validation_share, 1 - test_share], method="higher"
    )
    train = time < validation_starts
    test = time >= test_starts
    return Split(
        "by_time",
        *(interactions[m].reset_index(drop=True) for m in (train, ~(train | test), test)),
    )


def at_random(
    interactions: pd.DataFrame,
    validation_share: float = 0.1,
    test_share: float = 0.2,
    seed: int = DEFAULT_SEED,
) -> Split:
    """Draw each row's part by a hash of its ids, so that shares are approximate.

    For comparison only: a row of ``train`` may lie after one of ``test``.
    """
    _check_shares(validation_share, test_share)
    drawn = key_hash(interactions[USER], interactions[ITEM], seed=seed) / 2**64  # in [0, 1)
    test = drawn < test_share
    validation = ~test & (drawn < test_share + validation_share)
    return Split(
        "at_random",
        *(interactions[m].reset_index(drop=True) for m in (~(test | validation), validation, test)),
    )


def _check_shares(validation_share: float, test_share: float) -> None:
    if min(validation_share, test_share) <= 0 or validation_share + test_share >= 1:
        raise RecsysError(
            "validation_share and test_share must be positive and sum to less than 1, "
            f"not {validation_share} and {test_share}."
        )


def both(interactions: pd.DataFrame) -> dict[str, Split]:
    """Return both splits with their default sizes, by name."""
    return {"last_likes": last_likes(interactions), "by_time": by_time(interactions)}


def hold_out(
    interactions: pd.DataFrame, protocol: str, seed: int = DEFAULT_SEED
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide interactions into a part to learn from and a part to choose by.

    Parameters
    ----------
    interactions : DataFrame
    protocol : {"random", "last", "time"}
        ``random``: a fifth of each user's rows, drawn by a hash of the ids; ``last``: the last
        fifth of each user's rows; ``time``: the last fifth of all rows.
    seed : int

    Returns
    -------
    train, held_out : DataFrames
    """
    if protocol not in PROTOCOLS:
        raise RecsysError(
            f"There is no protocol {protocol!r}.{nearest(protocol, PROTOCOLS)} "
            f"Known: {', '.join(PROTOCOLS)}."
        )
    rows = in_time_order(interactions)
    if protocol == "time":
        late = rows[TIMESTAMP] > rows[TIMESTAMP].quantile(1 - HELD_OUT)
    else:
        drawn = pd.Series(key_hash(rows[USER], rows[ITEM], seed=seed))
        order = drawn if protocol == "random" else pd.Series(np.arange(len(rows)))
        by_user = order.groupby(rows[USER])
        kept = by_user.transform("size") * (1 - HELD_OUT)
        late = by_user.rank(method="first") > kept.round()
    return rows[~late].reset_index(drop=True), rows[late].reset_index(drop=True)


def earlier_cuts(
    history: pd.DataFrame, n_cuts: int, n_likes: int = 5, min_train: int = 5
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Repeat the split of :func:`last_likes` step by step into the past.

    The first cut hides the last likes of ``history``, the second those before them, and so on.
    Each is a time at which lists can be made whose outcome is known: what a ranking stage learns
    from. A user with too few likes for a cut keeps in it what the cut before had left.

    Parameters
    ----------
    history : DataFrame
    n_cuts : int
    n_likes : int
        Likes of each user that a cut hides.
    min_train : int
        Likes that must be left.

    Returns
    -------
    list of (train, held_out) DataFrames
        The latest cut first; each ``train`` is what the next cut divides.
    """
    cuts: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    for _ in range(n_cuts):
        split = last_likes(history, n_test=n_likes, n_validation=0, min_train=min_train)
        cuts.append((split.train, split.test))
        history = split.train
    return cuts


def fold_of(ids, n_folds: int, seed: int = DEFAULT_SEED) -> np.ndarray:
    """Return the fold of each user, or of each item: int64, (n,), from 0 to ``n_folds - 1``.

    Whoever is in a fold is in it with all interactions, so that a model learned from the other
    folds meets somebody entirely new. Folds have equal sizes, give or take one id.

    Parameters
    ----------
    ids : int64 array, shape (n,)
        With or without repeats.
    n_folds : int
    seed : int
    """
    if n_folds < 2:
        raise RecsysError(f"There must be at least 2 folds, not {n_folds}.")
    distinct, place = np.unique(np.asarray(ids, np.int64), return_inverse=True)
    drawn = np.argsort(np.argsort(key_hash(distinct, seed=seed), kind="stable"), kind="stable")
    return (drawn % n_folds)[place]
