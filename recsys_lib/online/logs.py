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

    Ids are compared as text, which is how a service writes them.

    Parameters
    ----------
    impressions : DataFrame
        As :func:`recsys_lib.serving.service.read_impressions` returns it.
    likes : DataFrame
        ``user_id``, ``item_id`` and ``timestamp`` in seconds since 1970. A like is the reward of
        the last impression of this item to this user up to its second; all other rewards are 0.
    item_ids : array, shape (arms,)
        The action is the place of the shown item here. Rows of other items are left out.
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
    rows = impressions[impressions["position"] == position].sort_values("at", kind="stable")
    arms = pd.Index(np.asarray(item_ids).astype(str)).get_indexer(rows[ITEM].astype(str))
    rows, arms = rows[arms >= 0].reset_index(drop=True), arms[arms >= 0]
    if rows.empty:
        raise DataError(f"No impression shows one of the {len(item_ids)} items at {position}.")
    if (rows["propensity"] == 1).all():
        raise DataError(
            f"Each of the {len(rows)} impressions has propensity 1: the lists were not drawn. Let "
            f"the service draw place {position} for a share of its answers, and log the chances."
        )
    keys = [USER, ITEM]
    # The seconds of ratings are whole: a like may come within the second of its impression.
    shown = rows[keys].astype(str).assign(second=rows["at"].astype(np.int64), row=rows.index)
    liked = likes[keys].astype(str).assign(second=likes[TIMESTAMP].astype(np.int64))
    earned = pd.merge_asof(liked.sort_values("second"), shown, on="second", by=keys)["row"]
    rewards = rows.index.isin(earned.dropna()).astype(np.float64)
    return Logged(arms, rewards, rows["propensity"].to_numpy()), rows[USER].to_numpy()
