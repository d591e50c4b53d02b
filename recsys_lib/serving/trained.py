"""A cascade trained whole: recall, what ranking reads, the lists it learns from, the ranking."""

from collections.abc import Sequence

import pandas as pd

from recsys_lib.data.splits import earlier_cuts
from recsys_lib.rankers.listwise import (
    NETWORK,
    CandidateFeatures,
    ListwiseConfig,
    ListwiseModel,
    ListwiseRanker,
    RankingLists,
    ranking_lists,
)
from recsys_lib.recall import Merged, default_plan, make_channel, merge_from_plan
from recsys_lib.seeding import DEFAULT_SEED
from recsys_lib.serving.cascade import Cascade

N_CUTS = 4  # times in the past at which lists are made to learn from
# Channels that ranking reads besides those of recall: cheap ones, with other opinions.
SIGNALS: dict[str, dict] = {
    "co_occurrence": {},
    "transitions": {},
    "ease": {"half_life_likes": 10.0},
}


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
    more = {name: make_channel(name, **settings).fit(history) for name, settings in SIGNALS.items()}
    return CandidateFeatures({**more, **recall.channels}, items).fit(history)


def lists_at_cuts(
    cuts: Sequence[tuple[pd.DataFrame, pd.DataFrame]],
    items: pd.DataFrame | None = None,
    plan: dict | None = None,
) -> list[RankingLists]:
    """Fit recall and features anew at each cut, and return the lists it would have shown there.

    Whatever ranking will read in service was learned from a whole history, so at each cut it is
    learned from what there was then. Features fitted once, on everything, would know the likes
    that they are to predict.

    Parameters
    ----------
    cuts : sequence of (train, held_out)
        As :func:`recsys_lib.data.splits.earlier_cuts` returns.
    items : DataFrame, optional
    plan : dict, optional
        Of recall, by default :func:`recsys_lib.recall.default_plan`.
    """
    plan, found = plan or default_plan(), []
    for train, held_out in cuts:
        recall = merge_from_plan(plan, items).fit(train)
        features = ranking_features(recall, train, items)
        found.append(ranking_lists(recall, features, train, held_out, plan["candidates"]))
    return found


def train_cascade(
    history: pd.DataFrame,
    items: pd.DataFrame | None = None,
    plan: dict | None = None,
    config: ListwiseConfig = NETWORK,
    seed: int = DEFAULT_SEED,
) -> Cascade:
    """Return a cascade whose two stages have learned from one history.

    Parameters
    ----------
    history : DataFrame
        With the whole numbers inside as ids.
    items : DataFrame, optional
        The item table.
    plan : dict, optional
        Of recall, by default :func:`recsys_lib.recall.default_plan`.
    config : ListwiseConfig
    seed : int
        Of the ranking model.
    """
    plan = plan or default_plan()
    lists = RankingLists.concatenate(lists_at_cuts(earlier_cuts(history, N_CUTS), items, plan))
    model = ListwiseModel.train(lists, config, seed)
    recall = merge_from_plan(plan, items).fit(history)
    ranker = ListwiseRanker(model, ranking_features(recall, history, items))
    return Cascade(recall, ranker, candidates=plan["candidates"])
