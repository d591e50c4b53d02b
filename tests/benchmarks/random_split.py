"""nDCG@10 on MovieLens 100K as the published tables of the field measure it.

    python tests/benchmarks/random_split.py [--seeds 3] [--recallers best item2vec]

A random quarter of each item's ratings is held out, all of them relevant; films a user has in the
training part are not recommended; the ideal list holds min(10, relevant) hits. Each recaller
chooses its settings inside the training part (``recsys recommend`` does the same). The tables say
BiVAE .475, BPR .442, LightGCN .420 nDCG@10 (README of recommenders-team/recommenders).
"""

import argparse

import numpy as np
import pandas as pd

from recsys_lib.data import ensure
from recsys_lib.evaluation import ranking_metrics, relevant_items
from recsys_lib.recall import make_recaller
from recsys_lib.schema import ITEM, USER
from recsys_lib.seeding import generator

NAMES = ("popular", "item_knn", "user_knn", "rp3beta", "als", "ease", "best_single", "best")
MORE = ("item2vec",)  # takes longer than all others together, so it is measured when asked for
METRICS = ("ndcg_at_10", "map_at_10", "precision_at_10", "recall_at_10")


def stratified_by_item(rows: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return three random quarters of each item's rows, and the fourth."""
    order = pd.Series(generator(seed, "random split").permutation(len(rows)), index=rows.index)
    by_item = order.groupby(rows[ITEM])
    train = by_item.rank(method="first") <= (0.75 * by_item.transform("size")).round()
    return rows[train], rows[~train]


def measured(name: str, train: pd.DataFrame, test: pd.DataFrame) -> list[float]:
    """Return the mean of each metric over the users with something held out."""
    recaller = make_recaller(name, protocol="random", relevant="all", k=10).fit(train)
    relevant = relevant_items(test, min_rating=None).of(train[USER].unique())
    found = recaller.lists(relevant.user_ids, 10)
    per_user = ranking_metrics(found.item_ids, relevant, ks=(10,))
    return [float(per_user[metric].mean()) for metric in METRICS]


def main() -> None:
    """Print mean and range over seeds for every recaller."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recallers", nargs="+", default=NAMES, choices=(*NAMES, *MORE))
    asked = parser.parse_args()
    rows = ensure("ml-100k").interactions
    splits = [stratified_by_item(rows, seed) for seed in range(asked.seeds)]
    print(f"{'mean over ' + str(len(splits)) + ' splits':<22}", *(f"{m:<12}" for m in METRICS))
    for name in asked.recallers:
        figures = np.array([measured(name, *split) for split in splits])  # (splits, metrics)
        mean, spread = figures.mean(axis=0), np.ptp(figures[:, 0])
        print(f"{name:<22}", *(f"{m:<12.4f}" for m in mean), f"nDCG range {spread:.4f}", flush=True)


if __name__ == "__main__":
    main()
