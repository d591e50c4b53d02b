"""The fitted recallers that notebook 05 hands to the serving notebooks, with default settings."""

from collections.abc import Mapping

import pandas as pd

from recsys_lib.data.splits import Split
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.channels.popular import Popular, RandomRecaller
from recsys_lib.recall.channels.vectors import TRAINERS, trained_vectors
from recsys_lib.recall.registry import default_plan, feasible, merge_from_plan
from recsys_lib.schema import ITEM
from recsys_lib.seeding import DEFAULT_SEED

# For choices on the validation part of the split `last_likes`: fitted on its training part alone.
TRAIN_ONLY = "last_likes_train"


def build_recallers(
    splits: Mapping[str, Split],
    tables: Mapping[str, Mapping[str, EmbeddingTable]],
    items: pd.DataFrame | None = None,
    seed: int = DEFAULT_SEED,
) -> dict[str, dict[str, Recaller]]:
    """Fit what is served and what it is compared with, on all that precedes each test part.

    Parameters
    ----------
    splits : mapping of str to Split
    tables : mapping of str to mapping of str to EmbeddingTable
        Vectors by the name of their trainer, then by split.
    items : DataFrame, optional
        The item table.
    seed : int

    Returns
    -------
    dict
        By split: ``merged``, the default plan, of a large catalogue without the channels that
        cannot be fitted to it; ``vectors``, a merge of the vectors alone;
        ``popular`` and ``random``. Under ``last_likes_train`` stands ``merged``, fitted on the
        training part of ``last_likes``.
    """
    plan = default_plan()
    n_items = max(split.history("test")[ITEM].nunique() for split in splits.values())
    plan["channels"] = feasible(plan["channels"], n_items)
    fitted = {}
    for name, split in splits.items():
        of_split = {trainer: by_split[name] for trainer, by_split in tables.items()}
        recallers = {
            "merged": merge_from_plan(plan, items, of_split),
            "vectors": merge_from_plan(vectors_plan(plan["candidates"]), None, of_split),
            "popular": Popular(),
            "random": RandomRecaller(seed=seed),
        }
        history = split.history("test")
        fitted[name] = {key: recaller.fit(history) for key, recaller in recallers.items()}
    train = splits["last_likes"].train
    early = {n: trained_vectors(n, train, seed) for n in TRAINERS if n in plan["channels"]}
    fitted[TRAIN_ONLY] = {"merged": merge_from_plan(plan, items, early).fit(train)}
    return fitted


def vectors_plan(candidates: int) -> dict:
    """Return the plan that merges nothing but vectors."""
    return {
        "channels": dict.fromkeys(TRAINERS, 1.0),
        "settings": {name: {"n_recent": 5} for name in TRAINERS},
        "fusion": "rank",
        "candidates": candidates,
    }
