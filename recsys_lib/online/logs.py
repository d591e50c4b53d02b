"""What a log can say of a policy that did not make it."""

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.evaluation.off_policy import Logged
from recsys_lib.online.bandits import Bandit
from recsys_lib.schema import ITEM, TIMESTAMP, USER
from recsys_lib.seeding import DEFAULT_SEED, generator


def replayed(
    bandit: Bandit,
    contexts: np.ndarray,
    logged: Logged,
    n_arms: int,
    *,
    n_runs: int = 20,
    seed: int = DEFAULT_SEED,
) -> tuple[np.ndarray, np.ndarray]:
    """Let a bandit learn from a log, by replay (Li and others, 2010).

    It is asked at every event. Where it would have done what the log did, it sees the reward and
    learns; all other events are passed over. From a log whose actions were drawn uniformly the
    rounds that are left are as good as a run of its own, about one in ``n_arms`` events. Each run
    sees the events in another order.

    Parameters
    ----------
    bandit : Bandit
        It starts anew, and holds what all runs have learned afterwards.
    contexts : float array, shape (n, dim)
    logged : Logged
    n_arms, n_runs, seed : int

    Returns
    -------
    (likes, rounds)
        Rewards seen and events used: float64 and int64, (runs,).
    """
    contexts = np.asarray(contexts, dtype=np.float64)
    if len(contexts) != len(logged.actions):
        raise RecsysError(
            f"A log needs a context an event; it has {len(logged.actions)} events and "
            f"{len(contexts)} contexts."
        )
    orders, decisions = generator(seed, "orders"), generator(seed, "decisions")
    order = np.stack([orders.permutation(len(contexts)) for _ in range(n_runs)], axis=1)
    bandit.start(n_runs, n_arms, contexts.shape[1])
    likes, rounds = np.zeros(n_runs), np.zeros(n_runs, dtype=np.int64)
    for events in order:  # (runs,)
        arms = logged.actions[events]
        runs = np.flatnonzero(bandit.choose(contexts[events], decisions) == arms)
        if len(runs):
            seen = events[runs]
            rewards = logged.rewards[seen]
            bandit.update(contexts[seen], arms[runs], rewards, runs)
            likes[runs] += rewards
            rounds[runs] += 1
    return likes, rounds


def logged_impressions(
    impressions: pd.DataFrame, likes: pd.DataFrame, item_ids: np.ndarray, *, position: int = 1
) -> tuple[Logged, np.ndarray]:
    """Return one place of all lists that a service has shown, as a log of actions and rewards.

    Parameters
    ----------
    impressions : DataFrame
        As :func:`recsys_lib.serving.service.read_impressions` returns it.
    likes : DataFrame
        ``user_id``, ``item_id`` and ``timestamp``, in seconds as the ``at`` of an impression. The
        reward is 1 where the user liked the item after it was shown, else 0.
    item_ids : int array, shape (arms,)
        Sorted: the action is the place of the shown item here. Other items' rows are left out.
    position : int
        Of the lists, from 1.

    Returns
    -------
    (Logged, user_ids)
        In order of time; ``user_ids`` has a user for each row.

    Raises
    ------
    DataError
        No row is left, or nothing was drawn: where each propensity is 1 the log cannot say what
        any other list would have brought.
    """
    rows = impressions[impressions["position"] == position]
    rows = rows[rows[ITEM].isin(item_ids)].reset_index(drop=True)
    if rows.empty:
        raise DataError(f"No impression shows one of the {len(item_ids)} items at {position}.")
    if (rows["propensity"] == 1).all():
        raise DataError(
            f"Each of the {len(rows)} impressions has propensity 1: the lists were not drawn. Let "
            f"the service draw place {position} for a share of its answers, and log the chances."
        )
    last_like = likes.groupby([USER, ITEM])[TIMESTAMP].max().rename("liked_at")
    liked_at = rows.join(last_like, on=[USER, ITEM])["liked_at"]
    logged = Logged(
        np.searchsorted(item_ids, rows[ITEM].to_numpy(np.int64)),
        (liked_at >= rows["at"]).to_numpy(np.float64),  # never liked: NaN, which is not later
        rows["propensity"].to_numpy(),
    )
    return logged, rows[USER].to_numpy()
