"""Settings chosen on some queries must reach their target on others."""

import numpy as np
import pytest

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.indexes import (
    CosineLSH,
    EuclideanLSH,
    ExactIndex,
    choose_probes,
    choose_settings,
    neighbour_recall,
)
from recsys_lib.seeding import generator


@pytest.fixture(scope="module")
def held_out(points) -> tuple[EmbeddingTable, np.ndarray]:
    """The points without 600 of them, and these as queries."""
    order = generator(3, "held out").permutation(len(points))
    return EmbeddingTable(points.item_ids[order[600:]], points.vectors[order[600:]]), (
        points.vectors[order[:600]]
    )


def test_recall_by_hand():
    found = np.array([[1, 2, 3], [7, -1, -1], [-1, -1, -1]])
    wanted = np.array([[3, 1, 9, 8], [7, 1, 2, 3], [4, 5, 6, 7]])
    assert neighbour_recall(found, wanted).tolist() == [0.5, 0.25, 0.0]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("target", [0.5, 0.8, 0.95])
def test_chosen_settings_reach_the_target_on_held_out_queries(held_out, metric, target):
    base, queries = held_out
    wanted, _ = ExactIndex(metric=metric).fit(base).search(queries, 10)
    chosen = choose_settings(metric, base, target_recall=target)
    assert chosen.metric == metric
    assert chosen.n_probes == 0
    recalls, shares = [], []
    for seed in range(8):
        chosen.seed = seed
        recalls.append(neighbour_recall(chosen.fit(base).search(queries, 10)[0], wanted).mean())
        shares.append(np.mean([len(rows) for rows in chosen.candidates(queries)]) / len(base))
    # The closed form speaks of the mean over draws; of those we see eight.
    assert np.mean(recalls) >= target - 2 * np.std(recalls) / np.sqrt(8)
    assert np.mean(recalls) < target + 0.5 * (1 - target)  # no more than was asked for
    assert np.mean(shares) < np.mean(recalls)  # luck would need this share


def test_a_higher_target_costs_more(points):
    costs = []
    for target in (0.5, 0.7, 0.9):
        index = choose_settings("euclidean", points, target_recall=target).fit(points)
        costs.append(np.mean([len(rows) for rows in index.candidates(points.vectors[:200])]))
    assert costs == sorted(costs)


def test_the_same_seed_chooses_the_same(points):
    one, two = (choose_settings("euclidean", points, seed=4) for _ in range(2))
    assert [getattr(one, s) for s in one.SETTINGS] == [getattr(two, s) for s in two.SETTINGS]


def test_too_few_tables_are_said_to_be_too_few(points):
    with pytest.raises(RecsysError, match="No setting with at most 1 tables"):
        choose_settings("cosine", points, target_recall=0.999, max_tables=1)


@pytest.mark.parametrize("target", [0.5, 0.9])
@pytest.mark.parametrize("index", [EuclideanLSH(n_hashes=6), CosineLSH(n_hashes=16)])
def test_chosen_probes_reach_the_target_on_held_out_queries(held_out, index, target):
    base, queries = held_out
    wanted, _ = ExactIndex(metric=index.metric).fit(base).search(queries, 10)
    choose_probes(index.fit(base), queries[:300], wanted[:300], target_recall=target)
    recall = neighbour_recall(index.search(queries[300:], 10)[0], wanted[300:])
    assert recall.mean() >= target - 2 * recall.std() / np.sqrt(300)
    assert recall.mean() < target + 0.5 * (1 - target)


def test_the_fewest_probes_are_chosen(held_out):
    base, queries = held_out
    wanted, _ = ExactIndex(metric="cosine").fit(base).search(queries[:100], 10)
    index = choose_probes(CosineLSH(n_hashes=10).fit(base), queries[:100], wanted)

    def lower_end(n_probes):
        index.n_probes = n_probes
        recall = neighbour_recall(index.search(queries[:100], 10)[0], wanted)
        return recall.mean() - 1.96 * recall.std() / 10

    chosen = index.n_probes
    assert lower_end(chosen) >= 0.9 > lower_end(chosen - 1)


def test_probes_that_cannot_reach_leave_the_index_as_it_was(points):
    wanted = np.full((3, 10), -7)  # no item bears this number
    index = CosineLSH(n_tables=1, n_hashes=4, n_probes=5).fit(points)
    with pytest.raises(RecsysError, match="is not reached with 65536 probes"):
        choose_probes(index, points.vectors[:3], wanted)
    assert index.n_probes == 5


@pytest.mark.parametrize("target", [0, 1, 1.5])
def test_a_target_out_of_range_is_named(points, target):
    with pytest.raises(RecsysError, match="target_recall must lie between 0 and 1"):
        choose_settings("cosine", points, target_recall=target)
