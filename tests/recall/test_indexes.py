"""The exact index against scipy; the hashed one against it and against the closed form."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.spatial.distance import cdist

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.recall import EuclideanLSH, ExactIndex, collision_probability, hash_values
from recsys_lib.seeding import generator

RNG_SEED = 11


@pytest.fixture(scope="module")
def table() -> EmbeddingTable:
    """2,000 points around 100 centres, lengths from .5 to 2."""
    rng = generator(RNG_SEED, "index points")
    centres = rng.standard_normal((100, 16))
    vectors = centres[rng.integers(0, 100, 2_000)] + 0.3 * rng.standard_normal((2_000, 16))
    vectors *= rng.uniform(0.5, 2, (2_000, 1)) / np.linalg.norm(vectors, axis=1, keepdims=True)
    return EmbeddingTable(np.arange(2_000) * 3 + 1, vectors)


@pytest.fixture(scope="module")
def queries() -> np.ndarray:
    return generator(RNG_SEED, "index queries").standard_normal((50, 16)).astype(np.float32)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_exact_search_equals_brute_force(table, queries, metric):
    item_ids, distances = ExactIndex(metric=metric).fit(table).search(queries, 10)
    every = cdist(queries, table.vectors, metric)
    np.testing.assert_array_equal(item_ids, table.item_ids[np.argsort(every, axis=1)[:, :10]])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :10], rtol=1e-4)
    assert (item_ids.dtype, distances.dtype) == (np.int64, np.float32)


def test_exact_search_in_chunks_is_the_same(table, queries, monkeypatch):
    whole, _ = ExactIndex().fit(table).search(queries, 10)
    monkeypatch.setattr("recsys_lib.recall.exact.DISTANCES_AT_ONCE", 7 * len(table))
    np.testing.assert_array_equal(ExactIndex().fit(table).search(queries, 10)[0], whole)


def test_orders_of_both_metrics_agree_on_unit_vectors_only(table, queries):
    unit = table.normalized()
    euclidean, _ = ExactIndex(metric="euclidean").fit(unit).search(queries, 10)
    cosine, _ = ExactIndex(metric="cosine").fit(unit).search(queries, 10)
    np.testing.assert_array_equal(euclidean, cosine)
    raw, _ = ExactIndex(metric="euclidean").fit(table).search(queries, 10)
    assert (raw != cosine).mean() > 0.5


def test_more_asked_for_than_there_is(queries):
    small = EmbeddingTable([4, 9], np.ones((2, 16)))
    for index in (ExactIndex(), EuclideanLSH(width=1_000.0)):
        item_ids, distances = index.fit(small).search(queries[:1], 5)
        assert item_ids[0].tolist() == [4, 9, -1, -1, -1]
        assert np.isinf(distances[0, 2:]).all()


def test_hash_by_hand():
    points = np.array([[0.1, 0.0], [0.9, 0.0], [1.1, 0.0], [-0.1, 0.0], [2.0, 5.0]])
    values = hash_values(points, np.array([[1.0], [0.0]]), np.array([0.5]), width=1.0)
    assert values.ravel().tolist() == [0, 1, 1, 0, 2]


def test_closed_form_is_the_integral_of_the_paper():
    """p(c) = integral over t in [0, w] of (1/c) f(t/c) (1 - t/w), f the folded normal density."""
    for distance in (0.2, 1.0, 5.0):
        integral, _ = integrate.quad(
            lambda t, c=distance: 2 * stats.norm.pdf(t / c) / c * (1 - t / 1.5), 0, 1.5
        )
        assert collision_probability(distance, width=1.5) == pytest.approx(integral, abs=1e-9)


def test_closed_form_at_its_ends():
    assert collision_probability(0.0, width=1.0) == 1
    assert collision_probability(1e6, width=1.0) < 1e-6
    p = collision_probability(0.7, width=1.0)
    both_agree = collision_probability(0.7, width=1.0, n_hashes=2)
    assert both_agree == pytest.approx(p**2)
    either = collision_probability(0.7, width=1.0, n_hashes=2, n_tables=3)
    assert either == pytest.approx(1 - (1 - p**2) ** 3)


@pytest.mark.parametrize("distance", [0.2, 0.7, 2.0])
@pytest.mark.parametrize(("n_hashes", "n_tables"), [(1, 1), (3, 1), (1, 3), (2, 4)])
def test_points_meet_as_often_as_the_closed_form_says(distance, n_hashes, n_tables):
    pair = EmbeddingTable([1, 2], [[0.3, -0.4, 0.0], [0.3, -0.4, distance]])
    meets = [
        len(
            EuclideanLSH(n_tables=n_tables, n_hashes=n_hashes, width=1.0, seed=seed)
            .fit(pair)
            .candidates(pair.vectors[:1])[0]
        )
        == 2
        for seed in range(1_000)
    ]
    expected = collision_probability(distance, 1.0, n_hashes, n_tables)
    # Four standard errors of a share over 1,000 draws: at most .064.
    tolerance = 4 * np.sqrt(expected * (1 - expected) / 1_000)
    assert np.mean(meets) == pytest.approx(expected, abs=tolerance)


def test_a_fixed_offset_parts_points_beside_the_origin():
    """C10: on either side of an edge that never moves, no number of tables lets points meet."""
    pair = EmbeddingTable([1, 2], [[-0.001], [0.001]])
    for random_offsets, expected in ((False, 1), (True, 2)):
        index = EuclideanLSH(n_tables=20, n_hashes=1, width=1.0, random_offsets=random_offsets)
        assert len(index.fit(pair).candidates(pair.vectors[:1])[0]) == expected


def test_candidates_are_those_that_share_a_bucket(table, queries):
    index = EuclideanLSH(n_tables=5, n_hashes=3, width=1.0, seed=2).fit(table)
    shape = (-1, 5, 3)
    of_items, of_queries = (
        hash_values(x, index.directions_, index.offsets_, 1.0).reshape(shape)
        for x in (table.vectors, queries)
    )
    for query, rows in zip(of_queries, index.candidates(queries), strict=True):
        expected = np.flatnonzero((of_items == query).all(axis=2).any(axis=1))
        np.testing.assert_array_equal(rows, expected)


def test_found_items_are_the_nearest_candidates(table, queries):
    index = EuclideanLSH(n_tables=4, n_hashes=2, width=1.5).fit(table)
    item_ids, distances = index.search(queries, 10)
    for q, rows in enumerate(index.candidates(queries)):
        distance = np.linalg.norm(table.vectors[rows] - queries[q], axis=1)
        order = np.argsort(distance, kind="stable")[:10]
        np.testing.assert_array_equal(item_ids[q, : len(order)], table.item_ids[rows[order]])
        np.testing.assert_allclose(distances[q, : len(order)], distance[order], rtol=1e-5)


def test_more_tables_only_add_candidates(table, queries):
    few, many = (
        EuclideanLSH(n_tables=n, n_hashes=3, width=1.0).fit(table).candidates(queries)
        for n in (2, 6)
    )
    assert all(set(a) <= set(b) for a, b in zip(few, many, strict=True))
    assert sum(map(len, few)) < sum(map(len, many))


def test_one_bucket_for_all_is_exact_search(table, queries):
    index = EuclideanLSH(n_tables=1, n_hashes=1, width=1e6, random_offsets=True).fit(table)
    exact = ExactIndex().fit(table).search(queries, 10)[0]
    np.testing.assert_array_equal(index.search(queries, 10)[0], exact)


def test_a_query_in_empty_buckets_gets_padding(table):
    far = np.full((1, 16), 1e4, dtype=np.float32)
    item_ids, distances = EuclideanLSH(width=0.5).fit(table).search(far, 3)
    assert item_ids.tolist() == [[-1, -1, -1]]
    assert np.isinf(distances).all()


def test_recall_beats_as_many_random_candidates(table):
    index = EuclideanLSH(n_tables=8, n_hashes=4, width=1.0).fit(table)
    some = table.vectors[::20]
    exact, _ = ExactIndex().fit(table).search(some, 10)
    found, _ = index.search(some, 10)
    recall = np.mean([np.isin(e, f).mean() for e, f in zip(exact, found, strict=True)])
    share = np.mean([len(rows) for rows in index.candidates(some)]) / len(table)
    assert share < 0.3
    assert recall > 2 * share


def test_added_items_are_found_like_the_first(table, queries):
    settings = {"n_tables": 4, "n_hashes": 3, "width": 1.0}
    half = len(table) // 2
    first = EmbeddingTable(table.item_ids[:half], table.vectors[:half])
    rest = EmbeddingTable(table.item_ids[half:], table.vectors[half:])
    grown = EuclideanLSH(**settings).fit(first).add(rest)
    whole = EuclideanLSH(**settings).fit(table)
    np.testing.assert_array_equal(grown.search(queries, 5)[0], whole.search(queries, 5)[0])
    with pytest.raises(DataError, match="Item 1 is in the index already"):
        grown.add(first)


def test_save_and_load(table, queries, tmp_path):
    index = EuclideanLSH(n_tables=3, n_hashes=2, width=0.8, random_offsets=False, seed=9)
    index.fit(table).save(tmp_path / "index.npz")
    loaded = EuclideanLSH.load(tmp_path / "index.npz")
    assert (loaded.n_tables, loaded.width, loaded.random_offsets) == (3, 0.8, False)
    for got, want in zip(loaded.search(queries, 5), index.search(queries, 5), strict=True):
        np.testing.assert_array_equal(got, want)
    loaded.add(EmbeddingTable([2], queries[:1]))
    assert loaded.search(queries[:1], 1)[0].tolist() == [[2]]


@pytest.mark.parametrize("content", [b"", b"not an index", b"PK\x05\x06" + bytes(18)])
def test_a_broken_file_is_said_to_be_one(tmp_path, content):
    path = tmp_path / "index.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="No LSH index can be read from"):
        EuclideanLSH.load(path)


def test_an_absent_file_is_said_to_be_absent(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        EuclideanLSH.load(tmp_path / "index.npz")


@pytest.mark.parametrize("index", [ExactIndex(), EuclideanLSH()])
def test_queries_of_another_shape_are_refused(index, table):
    index.fit(table)
    with pytest.raises(RecsysError, match=r"queries must have shape \(m, 16\)"):
        index.search(np.zeros(16), 3)
    with pytest.raises(RecsysError, match="k must be at least 1"):
        index.search(np.zeros((1, 16)), 0)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (ExactIndex(metric="manhattan"), "metric must be"),
        (EuclideanLSH(n_tables=0), "at least 1"),
        (EuclideanLSH(width=0.0), "width positive"),
    ],
)
def test_a_wrong_index_setting_is_named(index, message, table):
    with pytest.raises(RecsysError, match=message):
        index.fit(table)
