"""A cascade trained whole: recall, what ranking reads, the lists it learns from, the ranking."""

from collections.abc import Iterable

import pandas as pd

from recsys_lib.data.splits import Split, earlier_cuts
from recsys_lib.rankers.listwise import (
    NETWORK,
    CandidateFeatures,
    ListwiseConfig,
    ListwiseModel,
    ListwiseRanker,
    RankingLists,
    ranking_lists,
)
from recsys_lib.recall import Merged, Recaller, VectorRecaller, make_channel
from recsys_lib.recall.channels.vectors import TRAINERS
from recsys_lib.seeding import DEFAULT_SEED
from recsys_lib.serving.cascade import Cascade

N_CUTS = 3  # times in the past at which lists are made to learn from; a fourth one gained nothing
MOST_LISTS = 5_000  # of a cut; more take memory (80 KB each) and teach little that is new
# Channels that ranking reads besides those of recall, by name: the kind and its settings. They are
# cheap, and each has an opinion of its own. Chosen on validation on MovieLens 100K, in lab 09.
SIGNALS: dict[str, tuple[str, dict]] = {
    "co_occurrence": ("co_occurrence", {}),
    "transitions": ("transitions", {}),
    "als": ("als", {"embedding_dim": 32}),
    "als_all": ("als", {"embedding_dim": 32, "min_rating": None}),
    "rp3beta": ("rp3beta", {"half_life_likes": 10.0}),
}


def fit_again(recall: Merged, history: pd.DataFrame) -> Merged:
    """Return a merge with the same settings, fitted on another history.

    Vectors that were given ready-made are trained anew by the trainer of the channel's name, since
    those at hand may have learned from what the history leaves out.
    """
    channels: dict[str, Recaller] = {}
    for name, channel in recall.channels.items():
        settings = channel.parameters
        if isinstance(channel, VectorRecaller) and name in TRAINERS:
            settings["table"] = name
        channels[name] = type(channel)(**settings)
    again = Merged(channels, recall.weights, fusion=recall.fusion, depth=recall.depth)
    return again.fit(history)


def ranking_features(
    recall: Merged, history: pd.DataFrame, items: pd.DataFrame | None = None
) -> CandidateFeatures:
    """Return what ranking reads: recall's channels as they are, ``SIGNALS`` fitted beside them.

    Parameters
    ----------
    recall : Merged
        Fitted on ``history``.
    history : DataFrame
        With the whole numbers inside as ids.
    items : DataFrame, optional
        The item table.
    """
    more = {
        name: make_channel(kind, **settings).fit(history)
        for name, (kind, settings) in SIGNALS.items()
        if name not in recall.channels
    }
    return CandidateFeatures({**recall.channels, **more}, items).fit(history)


def lists_at_cuts(
    recall: Merged,
    cuts: Iterable[tuple[pd.DataFrame, pd.DataFrame]],
    items: pd.DataFrame | None = None,
) -> list[RankingLists]:
    """Fit recall and features anew at each cut, and return the lists it would have shown there.

    Of more than :data:`MOST_LISTS` users, so many are drawn.

    Whatever ranking will read in service was learned from a whole history, so at each cut it is
    learned from what there was then. Features fitted once, on everything, would know the likes
    that they are to predict.

    Parameters
    ----------
    recall : Merged
        Its settings count, not what it was fitted on.
    cuts : iterable of (train, held_out)
        As :func:`recsys_lib.data.splits.earlier_cuts` returns.
    items : DataFrame, optional
    """
    found = []
    for train, held_out in cuts:
        again = fit_again(recall, train)
        features = ranking_features(again, train, items)
        shown = (again, features, train, held_out, recall.depth)
        found.append(ranking_lists(*shown, most_users=MOST_LISTS))
    return found


def cuts_of(split: Split, n_cuts: int = N_CUTS) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Return the cuts before the test part: the validation part, and what lies before it."""
    return [(split.train, split.validation), *earlier_cuts(split.train, n_cuts - 1)]


def train_cascade(
    recall: Merged,
    split: Split,
    items: pd.DataFrame | None = None,
    config: ListwiseConfig = NETWORK,
    seed: int = DEFAULT_SEED,
) -> Cascade:
    """Return a cascade whose ranking stage has learned from the lists of :func:`cuts_of`.

    Parameters
    ----------
    recall : Merged
        Fitted on what precedes the test part.
    split : Split
        With the whole numbers inside as ids; its test part is not looked at.
    items : DataFrame, optional
        The item table.
    config : ListwiseConfig
    seed : int
        Of the ranking model.
    """
    lists = RankingLists.concatenate(lists_at_cuts(recall, cuts_of(split), items))
    model = ListwiseModel.train(lists, config, seed)
    ranker = ListwiseRanker(model, ranking_features(recall, split.history("test"), items))
    return Cascade(recall, ranker, candidates=recall.depth)
