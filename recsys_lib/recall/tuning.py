"""The best merge for a person's own data: settings and weights chosen on a part held out of it."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.data.splits import hold_out
from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import Relevant, ranking_metrics, relevant_items
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.channels.ease import LARGEST_CATALOGUE
from recsys_lib.recall.merge import fuse
from recsys_lib.recall.registry import make_channel, recallers_from_plan
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, USER
from recsys_lib.seeding import DEFAULT_SEED

RELEVANT = ("all", "likes")

# What is tried, one setting after the other, the earlier choices kept: a full grid would fit many
# times as many models for differences that validation can't tell from noise.
LIKES = {"min_rating": [None, LIKE_THRESHOLD]}
AGE = {"half_life_likes": [None, 100.0, 30.0, 10.0, 4.0]}
SEARCH: dict[str, dict[str, list]] = {
    "popular": LIKES,
    "recently_popular": LIKES | {"half_life_days": [3.0, 14.0, 60.0]},
    "item_knn": LIKES | {"n_neighbours": [200, 50], "shrinkage": [0.0, 20.0]} | AGE,
    "user_knn": LIKES | {"n_neighbours": [100, 200], "shrinkage": [0.0, 20.0]},
    "rp3beta": LIKES | {"beta": [0.6, 0.4]} | AGE,
    "ease": LIKES
    | {"user_damping": [0.5, 0.0], "rating_weight": [0.15, 0.0], "dropout": [0.5, 0.0]}
    | {"regularization": [300.0, 150.0, 600.0]}
    | AGE,
    "als": LIKES
    | {"embedding_dim": [24, 16, 40], "regularization": [20.0, 10.0], "alpha": [1.0, 0.5]},
}
WEIGHTS = (0.2, 0.5, 1.0)  # tried for a channel that joins the merge; the first has 1
SMALLEST_GAIN = 0.001  # of nDCG@k, below which nothing more joins
DEPTH = 200  # places of a channel's list that a merge looks at


class Best(Recaller):
    """Chooses channels, settings and weights on a part held out of its training data, then refits.

    Each channel of ``channels`` chooses its settings by nDCG@k on the held-out part. The best of
    them is then joined by whichever other helps most, as long as the gain is worth it, by
    weighted sums of scores (fusion ``score`` of :func:`fuse`). At last all are fitted on
    everything. The data that will judge the result are not looked at.

    Parameters
    ----------
    protocol : {"random", "last", "time"}
        How the part to choose by is held out, see :func:`hold_out`: it should resemble how the
        result will be judged.
    relevant : {"all", "likes"}
        Whether every held-out interaction counts as a hit or only those rated 3.5 and more.
    k : int
        Length of the lists that the choice is for.
    channels : sequence of str
        Names of the channels that may take part, each a key of ``SEARCH``.
    merge : bool
        Whether channels may be merged; otherwise the best one stands alone.
    seed : int

    Attributes
    ----------
    plan_ : dict
        As :func:`recsys_lib.recall.default_plan`.
    validation_ : dict of float
        nDCG@k on the held-out part, of each channel with its chosen settings and of ``merged``;
        empty where nobody can be judged there.
    merged_ : Merged
    """

    def __init__(
        self,
        *,
        protocol: str = "random",
        relevant: str = "all",
        k: int = 10,
        channels: tuple[str, ...] = tuple(SEARCH),
        merge: bool = True,
        seed: int = DEFAULT_SEED,
    ):
        self.protocol = protocol
        self.relevant = relevant
        self.k = k
        self.channels = channels
        self.merge = merge
        self.seed = seed

    def fit(self, interactions: pd.DataFrame) -> Self:
        """Choose, then learn from all interactions."""
        if self.relevant not in RELEVANT:
            raise RecsysError(f"relevant must be one of {', '.join(RELEVANT)}: {self.relevant!r}.")
        train, held_out = hold_out(interactions, self.protocol, self.seed)
        judged = relevant_items(held_out, None if self.relevant == "all" else LIKE_THRESHOLD)
        judged = judged.of(train[USER].unique())
        lists, settings, self.validation_ = {}, {}, {}
        catalogue = np.unique(train[ITEM])
        # Where nobody can be judged (nobody has both a past and something held out) there is
        # nothing to choose by: the first channel stands alone, with its first settings.
        for name in self.channels if len(judged.user_ids) else ():
            if name == "ease" and len(catalogue) > LARGEST_CATALOGUE and len(self.channels) > 1:
                continue
            settings[name], lists[name], self.validation_[name] = _tuned(
                name, train, judged, self.k
            )
        best_single = max(self.validation_, key=self.validation_.get, default=self.channels[0])
        weights = {best_single: 1.0}
        if self.merge and self.validation_:
            weights, self.validation_["merged"] = _grown(
                best_single, lists, judged, catalogue, self.k
            )
        self.plan_ = {
            "channels": weights,
            "settings": {name: settings.get(name, _first(name)) for name in weights},
            "fusion": "score",
            "candidates": DEPTH,
        }
        self.merged_ = recallers_from_plan(self.plan_, None, interactions)
        self.matrix_: InteractionMatrix = self.merged_.matrix_
        return self

    def recommend(
        self, user_ids, k: int, exclude: pd.DataFrame | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        self._check_request(k)
        return self.merged_.recommend(user_ids, k, exclude)

    def recommend_with_channels(self, user_ids, k: int, exclude: pd.DataFrame | None = None):
        """Return what :meth:`recommend` does, and the channel behind each item."""
        self._check_request(k)
        return self.merged_.recommend_with_channels(user_ids, k, exclude)


def _ndcg(item_ids: np.ndarray, judged: Relevant, k: int) -> float:
    return float(ranking_metrics(item_ids, judged, ks=(k,))[f"ndcg_at_{k}"].mean())


def _first(name: str) -> dict:
    """Return the settings that a channel's search starts from."""
    return {setting: values[0] for setting, values in SEARCH[name].items()}


def _tuned(name: str, train: pd.DataFrame, judged: Relevant, k: int):
    """Return a channel's chosen settings, its lists for the judged users, and their nDCG@k."""
    search, chosen = SEARCH[name], _first(name)
    best, lists = -1.0, None
    tried: list[dict] = []
    for setting, values in search.items():
        for value in values:
            trial = chosen | {setting: value}
            if trial in tried:
                continue
            tried.append(trial)
            found = make_channel(name, **trial).fit(train).recommend(judged.user_ids, max(k, DEPTH))
            score = _ndcg(found[0], judged, k)
            if score > best:
                best, lists, better = score, found, trial
        chosen = better
    return chosen, lists, best


def _grown(
    first: str, lists: Mapping, judged: Relevant, catalogue: np.ndarray, k: int
) -> tuple[dict[str, float], float]:
    """Return the weights of the merge grown from its first channel, and its nDCG@k."""

    def ndcg(weights: dict[str, float]) -> float:
        some = {name: lists[name] for name in weights}
        return _ndcg(fuse(some, weights, "score", catalogue, k)[0], judged, k)

    weights = {first: 1.0}
    best = ndcg(weights)
    while len(weights) < len(lists):
        joining = [(n, w) for n in lists if n not in weights for w in WEIGHTS]
        gained, name, weight = max((ndcg({**weights, n: w}), n, w) for n, w in joining)
        if gained < best + SMALLEST_GAIN:
            break
        best, weights = gained, {**weights, name: weight}
    return weights, best
