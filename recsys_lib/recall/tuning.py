"""Recallers that choose their own settings, and their own merge, on a part held out."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.data.splits import hold_out
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError, nearest
from recsys_lib.evaluation import Relevant, ranking_metrics, relevant_items
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.channels.ease import users_are_few
from recsys_lib.recall.channels.vectors import TRAINERS
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import Lists
from recsys_lib.recall.merge import fuse
from recsys_lib.recall.merge_search import grow_merge
from recsys_lib.recall.registry import (
    channel_names,
    checked_settings,
    class_of,
    feasible,
    item_column,
    make_channel,
    merge_from_plan,
)
from recsys_lib.recall.vocabulary import Vocabulary
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
    | AGE
    | {"near_weight": [0.0, 1.0], "agreement_weight": [0.0, 0.5]},
    "session_ease": LIKES
    | {"regularization": [300.0, 100.0], "half_life_likes": [10.0, 100.0, 30.0, 4.0]},
    "co_occurrence": {"half_life_likes": [30.0, 100.0, 10.0, 3.0]},
    "als": LIKES
    | {"embedding_dim": [24, 16, 40], "regularization": [20.0, 10.0], "alpha": [1.0, 0.5]},
    # Passes last, which take longest.
    "item2vec": LIKES
    | {"n_recent": [None, 20, 5], "popularity_weight": [0.0, 0.06, 0.12], "epochs": [10, 30]},
}
# Tried once more at the end, because what was chosen after them asks for other values.
AGAIN = {"ease": ("user_damping", "regularization")}
READING = ("popularity_weight", "n_recent")  # of vectors: how they are read, not trained
SESSIONS = ("session_ease", "co_occurrence")  # read the order of a user's likes
# What takes part in the merge unless a caller names others: all whose fit takes no training. A
# random part held out lies all over a sequence: channels with a short memory do not help there.
CLOSED_FORM = tuple(name for name in SEARCH if name not in (*SESSIONS, "item2vec"))
WEIGHTS = (0.2, 0.5, 1.0)  # tried for a channel that joins the merge; the first has 1
SMALLEST_GAIN = 0.001  # of nDCG@k, below which nothing more joins
DEPTH = 200  # places of a channel's list that a merge looks at


class TunedMerge(Recaller):
    """Chooses channels, settings and weights on a part held out of its training data, then refits.

    Each channel of ``channels`` chooses its settings by nDCG@k on the held-out part. The best of
    them is then joined by whichever other helps most, as long as the gain is worth it, by
    weighted sums of scores (fusion ``score`` of :func:`fuse`). At last all are fitted on
    everything. The data on which the result will be evaluated are not looked at.

    Parameters
    ----------
    protocol : {"random", "last", "time"}
        How the part to choose by is held out, see :func:`hold_out`: it should resemble how the
        result will be evaluated.
    relevant : {"all", "likes"}
        Whether every held-out interaction counts as a hit or only those rated 3.5 and more.
    k : int
        Length of the lists that the choice is for.
    channels : sequence of str
        Names of the channels that may take part, each a key of ``SEARCH``. By default all but
        ``item2vec``, whose training takes longer than all others together, and those that read
        the order of likes, which a random part does not keep.
    merge : bool
        Whether channels may be merged; otherwise the best one stands alone.
    seed : int

    Attributes
    ----------
    plan_ : dict
        As :func:`recsys_lib.recall.default_plan`.
    validation_ : dict of float
        nDCG@k on the held-out part, of each channel with its chosen settings and of ``merged``;
        empty where no user has both a past and something held out.
    merged_ : Merged
    """

    name = "tuned"

    def __init__(
        self,
        *,
        protocol: str = "random",
        relevant: str = "all",
        k: int = 10,
        channels: tuple[str, ...] = CLOSED_FORM,
        merge: bool = True,
        seed: int = DEFAULT_SEED,
    ):
        self.protocol = protocol
        self.relevant = relevant
        self.k = k
        self.channels = channels
        self.merge = merge
        self.seed = seed

    def learn(self, seen: Histories, vocabulary: Vocabulary) -> None:
        if self.relevant not in RELEVANT:
            raise RecsysError(f"relevant must be one of {', '.join(RELEVANT)}: {self.relevant!r}.")
        train, held_out = hold_out(seen.events, self.protocol, self.seed)
        relevant = relevant_items(held_out, None if self.relevant == "all" else LIKE_THRESHOLD)
        relevant = relevant.of(train[USER].unique())
        lists, settings, self.validation_ = {}, {}, {}
        catalogue = np.unique(train[ITEM])
        # Where no user has both a past and something held out there is nothing to choose by: the
        # first channel stands alone, with its first settings.
        possible = [*feasible(dict.fromkeys(self.channels), len(catalogue))] or self.channels
        for name in possible if len(relevant.user_ids) else ():
            settings[name], lists[name], self.validation_[name] = _tuned(
                name, train, relevant, self.k
            )
        best_single = max(self.validation_, key=self.validation_.get, default=possible[0])
        weights = {best_single: 1.0}
        if self.merge and self.validation_:

            def ndcg(weights: Mapping[str, float]) -> np.ndarray:
                some = {name: lists[name] for name in weights}
                return _ndcg(fuse(some, weights, "score", catalogue, self.k), relevant, self.k)

            # Of equal gains the last name and the largest weight win.
            joining = sorted(((n, w) for n in lists for w in WEIGHTS), reverse=True)
            weights = grow_merge(weights, joining, ndcg, lambda gain: gain.mean() >= SMALLEST_GAIN)
            self.validation_["merged"] = float(ndcg(weights).mean())
        self.plan_ = {
            "channels": weights,
            "settings": {name: settings.get(name, _first(name)) for name in weights},
            "fusion": "score",
            "candidates": DEPTH,
        }
        self.merged_ = merge_from_plan(self.plan_)
        self.merged_.learn(seen, vocabulary)
        self.matrix_, self.vocabulary_ = seen.matrix, vocabulary

    def share(self, matrix: InteractionMatrix) -> None:
        super().share(matrix)
        self.merged_.share(matrix)

    @property
    def has_similar_items(self) -> bool:
        """Whether a channel that was chosen compares items; unknown, so False, before the fit."""
        return self.matrix_ is not None and self.merged_.has_similar_items

    def lists(self, users, k=10, histories=None, exclude=None) -> Lists:
        self._check_request(k, histories)
        return self.merged_.lists(users, k, histories, exclude)

    def similar_lists(self, items, k=10) -> Lists:
        self._check_request(k)
        return self.merged_.similar_lists(items, k)


MERGES = {
    "best": "the merge of channels that does best on a held-out part",
    "best_single": "the one channel that does best there",
}


def describe() -> dict[str, str]:
    """Return what each recaller that :func:`make_recaller` knows needs and does, by name."""
    described = dict(MERGES)
    for name in channel_names():
        if name in SEARCH:
            described[name] = "settings are chosen on a held-out part"
        elif item_column(name):
            described[name] = f"needs an item table with {item_column(name)}"
        else:
            described[name] = "settings are the defaults, or yours"
    return described


def check_name(name: str) -> None:
    """Raise :class:`RecsysError` with the nearest name if there is no such recaller."""
    known = describe()
    if name not in known:
        raise RecsysError(
            f"There is no recaller {name!r}.{nearest(name, known)} Known: {', '.join(known)}."
        )


def check_settings(name: str, settings: Mapping) -> None:
    """Raise :class:`RecsysError` for a setting that a recaller does not take, or a wrong value."""
    checked_settings(name, TunedMerge if name in MERGES else class_of(name), settings)


def make_recaller(
    name: str,
    items: pd.DataFrame | None = None,
    *,
    protocol: str = "random",
    relevant: str = "all",
    k: int = 10,
    **settings,
) -> Recaller:
    """Return an unfitted recaller by its name, one that tunes itself where that is possible.

    Parameters
    ----------
    name : str
        A key of :func:`describe`.
    items : DataFrame, optional
        For the channels that read an item table.
    protocol, relevant, k
        How settings are chosen, see :class:`TunedMerge`.
    **settings
        Keyword arguments of the recaller. With any, a channel is made with these settings;
        without, the channels that :class:`TunedMerge` can tune choose their own.
    """
    check_name(name)
    chosen_by = {"protocol": protocol, "relevant": relevant, "k": k}
    check_settings(name, settings)
    if name in MERGES:
        channels = CLOSED_FORM if protocol == "random" else (*CLOSED_FORM, *SESSIONS)
        merged = {"merge": name == "best", "channels": channels}
        return TunedMerge(**{**chosen_by, **merged, **settings})
    if name in SEARCH and not settings:
        return TunedMerge(**chosen_by, channels=(name,))
    return make_channel(name, items, **settings)


def _ndcg(lists: Lists, relevant: Relevant, k: int) -> np.ndarray:
    """Return each user's nDCG@k."""
    return ranking_metrics(lists.item_ids, relevant, ks=(k,))[f"ndcg_at_{k}"]


def _first(name: str) -> dict:
    """Return the settings that a channel's search starts from."""
    return {setting: values[0] for setting, values in SEARCH[name].items()}


def _search(name: str, train: pd.DataFrame) -> dict[str, list]:
    """Return what is tried of a channel: not what would take it many times as long."""
    search = SEARCH[name]
    if name == "ease" and users_are_few(train[USER].nunique(), train[ITEM].nunique()):
        return search | {"near_weight": [0.0]}
    return search


def _tuned(name: str, train: pd.DataFrame, relevant: Relevant, k: int):
    """Return a channel's chosen settings, its lists for the users, and their mean nDCG@k."""
    search, chosen = _search(name, train), _first(name)
    best, lists = -1.0, None
    tried: list[dict] = []
    vectors: dict[tuple, dict] = {}  # by the settings that their training reads
    for setting in (*search, *AGAIN.get(name, ())):
        for value in search[setting]:
            trial = chosen | {setting: value}
            if trial in tried:
                continue
            tried.append(trial)
            learned_with = tuple(trial[each] for each in trial if each not in READING)
            channel = make_channel(name, tables=vectors.get(learned_with), **trial).fit(train)
            if name in TRAINERS:
                table = EmbeddingTable(channel.matrix_.item_ids, channel.item_vectors_)
                vectors[learned_with] = {name: table}
            found = channel.lists(relevant.user_ids, max(k, DEPTH))
            score = float(_ndcg(found, relevant, k).mean())
            if score > best:
                best, lists, better = score, found, trial
        chosen = better
    return chosen, lists, best
