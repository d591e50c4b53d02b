"""Made-up clicks whose cause is known: what attention, order and crossing must find.

A comparison that finds no gain on real data says little unless it can find one. In each of these
tables one structure is the cause of all clicks, and no single column says anything about them.
"""

import numpy as np
import pandas as pd

from recsys_lib.seeding import generator

N_TOPICS, ITEMS_A_KIND = 20, 4
N_OLD, N_NEW = 5, 5  # likes before and after an interest changes
N_IDS, N_TASTES = 300, 4


def attention_clicks(n: int, seed: int, noise: float = 0.05) -> pd.DataFrame:
    """Clicks that one liked item decides, the only one of the candidate's topic.

    An item has a topic and is good or bad. A history holds an item each of ten topics out of 20, in
    random order, five of them good on average. The candidate is of one of these topics and is
    clicked if the liked item of that topic is good, except for a share ``noise`` of the rows.

    Returns
    -------
    DataFrame, n rows
        ``user_id``, one each; ``item_id``; ``history``, int64 arrays; ``label``.
    """
    rng = generator(seed, "planted attention")
    topics = rng.permuted(np.tile(np.arange(N_TOPICS), (n, 1)), axis=1)[:, : N_TOPICS // 2]
    good = rng.integers(2, size=topics.shape)
    candidate = rng.integers(topics.shape[1], size=n)
    rows = np.arange(n)
    label = good[rows, candidate] ^ (rng.random(n) < noise)
    return _table(
        _items(topics[rows, candidate], rng.integers(2, size=n), rng),
        _items(topics, good, rng),
        label,
    )


def sequence_clicks(n: int, seed: int, noise: float = 0.05) -> pd.DataFrame:
    """Clicks that the order of the history decides: an interest is replaced by another one.

    A history holds five items of one topic and, later, five of another one. The candidate is of one
    of the two and is clicked if it is of the later, except for a share ``noise`` of the rows. The
    same items in another order would say the opposite.

    Returns
    -------
    DataFrame, n rows
        As for :func:`attention_clicks`; the latest like comes first.
    """
    rng = generator(seed, "planted sequence")
    both = rng.permuted(np.tile(np.arange(N_TOPICS), (n, 1)), axis=1)[:, :2]  # the later one first
    topics = np.repeat(both, (N_NEW, N_OLD), axis=1)
    late = rng.integers(2, size=n)
    label = late ^ (rng.random(n) < noise)
    candidate = both[np.arange(n), 1 - late]
    kinds = rng.integers(2, size=topics.shape)
    return _table(
        _items(candidate, rng.integers(2, size=n), rng), _items(topics, kinds, rng), label
    )


def crossing_clicks(n: int, seed: int, strength: float = 2.0) -> pd.DataFrame:
    """Clicks that only the product of a user's and an item's tastes decides.

    Both have four tastes, drawn from a normal distribution. The logit of a click is ``strength``
    times their inner product, over the root of four. Nobody clicks more, and nothing is clicked
    more, than others.

    Returns
    -------
    DataFrame, n rows
        ``user_id`` and ``item_id``, of 300 each; ``label``. Tables of all seeds are about the same
        users and items.
    """
    tastes = generator(0, "planted tastes").normal(size=(2, N_IDS, N_TASTES))
    rng = generator(seed, "planted crossing")
    user, item = rng.integers(N_IDS, size=(2, n))
    logit = strength * (tastes[0, user] * tastes[1, item]).sum(axis=1) / N_TASTES**0.5
    label = rng.random(n) < 1 / (1 + np.exp(-logit))
    return pd.DataFrame({"user_id": user, "item_id": item, "label": label.astype(int)})


def _items(topics: np.ndarray, good: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an item of each topic and kind: there are four of them, which mean the same."""
    kind = topics * 2 + good
    return kind * ITEMS_A_KIND + rng.integers(ITEMS_A_KIND, size=kind.shape)


def _table(candidates: np.ndarray, histories: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": np.arange(len(labels)),
            "item_id": candidates,
            "history": list(histories),
            "label": labels.astype(int),
        }
    )
