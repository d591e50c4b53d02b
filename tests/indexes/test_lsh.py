"""Hash families against their closed forms, and the search against its definition."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import integrate, stats

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.indexes import (
    CosineLSH,
    EuclideanLSH,
    ExactIndex,
    angular_collision_probability,
    collision_probability,
    hash_values,
    neighbour_recall,
)


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


def test_angular_closed_form():
    assert angular_collision_probability(0.0) == 1
    assert angular_collision_probability(np.pi) == 0
    assert angular_collision_probability(np.pi / 2, n_hashes=3) == pytest.approx(1 / 8)
    either = angular_collision_probability(np.pi / 2, n_hashes=3, n_tables=2)
    assert either == pytest.approx(1 - (7 / 8) ** 2)


@pytest.mark.parametrize("distance", [0.2, 0.7, 1.9])
@pytest.mark.parametrize(("n_hashes", "n_tables"), [(1, 1), (3, 1), (1, 3), (2, 4)])
@pytest.mark.parametrize("kind", [EuclideanLSH, CosineLSH])
def test_points_meet_as_often_as_the_closed_form_says(kind, distance, n_hashes, n_tables):
    if kind is EuclideanLSH:
        vectors = [[0.3, -0.4, 0.0], [0.3, -0.4, distance]]
    else:
        angle = np.arccos(1 - distance)
        vectors = [[0.0, 2.0, 0.0], [0.0, np.cos(angle), np.sin(angle)]]
    pair = EmbeddingTable([1, 2], vectors)
    indexes = (kind(n_tables=n_tables, n_hashes=n_hashes, seed=seed) for seed in range(1_000))
    meets = [len(each.fit(pair).candidates(pair.vectors[:1])[0]) == 2 for each in indexes]
    expected = kind(n_tables=n_tables, n_hashes=n_hashes).collision_probability(distance)
    # Four standard errors of a share over 1,000 draws: at most .064.
    tolerance = 4 * np.sqrt(expected * (1 - expected) / 1_000)
    assert np.mean(meets) == pytest.approx(expected, abs=tolerance)


def test_a_fixed_offset_parts_points_beside_the_origin():
    """C10: on either side of an edge that never moves, no number of tables lets points meet."""
    pair = EmbeddingTable([1, 2], [[-0.001], [0.001]])
    for random_offsets, expected in ((False, 1), (True, 2)):
        index = EuclideanLSH(n_tables=20, n_hashes=1, width=1.0, random_offsets=random_offsets)
        assert len(index.fit(pair).candidates(pair.vectors[:1])[0]) == expected


def test_cosine_does_not_see_lengths(points, queries):
    index = CosineLSH(n_hashes=6, n_probes=3).fit(points)
    for longer, of_query in zip(
        index.candidates(100 * queries), index.candidates(queries), strict=True
    ):
        np.testing.assert_array_equal(longer, of_query)


def bucket_numbers(index, vectors) -> np.ndarray:
    """Return hash values (n, n_tables, n_hashes), computed here from the drawn functions."""
    if isinstance(index, EuclideanLSH):
        values = hash_values(vectors, index.directions_, index.offsets_, index.width)
    else:
        values = (vectors @ index.directions_ >= 0).astype(int)
    return values.reshape(len(vectors), index.n_tables, index.n_hashes)


def nearest_buckets(index, query) -> list[tuple]:
    """Return (table, *hash values) of all buckets one step around a query, nearest first."""
    found = []
    projection = query @ index.directions_
    for table, home in enumerate(bucket_numbers(index, query[None])[0]):
        functions = slice(table * index.n_hashes, (table + 1) * index.n_hashes)
        if isinstance(index, EuclideanLSH):
            position = (projection + index.offsets_)[functions] / index.width
            ways = [{0: 0.0, -1: p - h, 1: h + 1 - p} for p, h in zip(position, home, strict=True)]
        else:
            ways = [
                {0: 0.0, (-1 if h else 1): abs(p)}
                for p, h in zip(projection[functions], home, strict=True)
            ]
        for change in itertools.product(*ways):
            distance = sum(way[c] ** 2 for way, c in zip(ways, change, strict=True))
            found.append((distance, table, *(home + np.array(change))))
    return [bucket[1:] for bucket in sorted(found)]


@pytest.mark.parametrize("n_probes", [0, 1, 2, 7, 40, 10_000])
@pytest.mark.parametrize(
    "kind", [lambda **s: EuclideanLSH(width=0.6, n_hashes=3, **s), lambda **s: CosineLSH(**s)]
)
def test_candidates_are_those_of_the_nearest_buckets(points, queries, kind, n_probes):
    """All buckets one step around are listed here and sorted; the index grows them in a heap."""
    index = kind(n_tables=3, n_probes=n_probes, seed=2).fit(points)
    of_items = bucket_numbers(index, index.vectors_)
    for query, rows in zip(queries[:12], index.candidates(queries[:12]), strict=True):
        unit = query / np.linalg.norm(query) if index.metric == "cosine" else query
        asked = nearest_buckets(index, unit)[: index.n_tables + n_probes]
        expected = np.unique(
            np.concatenate(
                [np.flatnonzero((of_items[:, t] == bucket).all(1)) for t, *bucket in asked]
            )
        )
        np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize(
    "index",
    [
        EuclideanLSH(n_tables=4, n_hashes=2, width=1.5),
        EuclideanLSH(n_tables=2, n_hashes=4, n_probes=9),
        CosineLSH(n_tables=4, n_hashes=5, n_probes=3),
    ],
)
@pytest.mark.parametrize("k", [1, 10, 300])
def test_found_items_are_the_nearest_candidates(points, queries, index, k):
    index.fit(points)
    item_ids, distances = index.search(queries, k)
    for q, rows in enumerate(index.candidates(queries)):
        among = EmbeddingTable(points.item_ids[rows], points.vectors[rows])
        expected = ExactIndex(metric=index.metric).fit(among).search(queries[q : q + 1], k)
        np.testing.assert_array_equal(item_ids[q], expected[0][0])
        np.testing.assert_allclose(distances[q], expected[1][0], rtol=1e-4, atol=1e-6)


def test_equally_near_items_come_in_order_of_adding():
    same = EmbeddingTable([5, 6, 7, 8], np.ones((4, 3)))
    for index in (EuclideanLSH(n_probes=4), CosineLSH(n_probes=4)):
        assert index.fit(same).search(np.ones((1, 3)), 3)[0].tolist() == [[5, 6, 7]]


@pytest.mark.parametrize("kind", [EuclideanLSH, CosineLSH])
@pytest.mark.parametrize("setting", ["n_tables", "n_probes"])
def test_more_tables_and_more_probes_only_add_candidates(points, kind, setting):
    few, many = (
        kind(**{"n_hashes": 6, setting: number}).fit(points).candidates(points.vectors[::40])
        for number in (2, 9)
    )
    assert all(set(a) <= set(b) for a, b in zip(few, many, strict=True))
    assert sum(map(len, few)) < sum(map(len, many))


@pytest.mark.parametrize(
    "setting", [(EuclideanLSH, {"width": 1.0, "n_hashes": 6}), (CosineLSH, {"n_hashes": 12})]
)
def test_probes_do_the_work_of_tables(points, setting):
    """Lv et al., 2007: with probes a quarter of the tables finds as much."""
    kind, same = setting
    asked = points.vectors[::20]
    recall = {}
    for n_tables, n_probes in ((2, 0), (2, 40), (8, 0)):
        index = kind(n_tables=n_tables, n_probes=n_probes, **same).fit(points)
        wanted, _ = ExactIndex(metric=index.metric).fit(points).search(asked, 10)
        recall[n_tables, n_probes] = neighbour_recall(index.search(asked, 10)[0], wanted).mean()
    assert recall[2, 0] < 0.8 * recall[8, 0]
    assert recall[2, 40] >= recall[8, 0]


@pytest.mark.parametrize("index", [EuclideanLSH(width=1.0), CosineLSH(n_hashes=6)])
def test_recall_beats_as_many_random_candidates(points, index):
    asked = points.vectors[::20]
    wanted, _ = ExactIndex(metric=index.metric).fit(points).search(asked, 10)
    recall = neighbour_recall(index.fit(points).search(asked, 10)[0], wanted).mean()
    share = np.mean([len(rows) for rows in index.candidates(asked)]) / len(points)
    assert share < 0.3
    assert recall > 2 * share


def test_a_query_in_empty_buckets_gets_padding(points):
    far = np.full((1, 16), 1e4, dtype=np.float32)
    item_ids, distances = EuclideanLSH(width=0.5).fit(points).search(far, 3)
    assert item_ids.tolist() == [[-1, -1, -1]]
    assert np.isinf(distances).all()


def test_threads_do_not_disturb_each_other(points):
    index = CosineLSH(n_hashes=6, n_probes=20).fit(points)
    asked = np.resize(points.vectors[::10], (600, 16))
    wanted = index.search(asked, 10)[0]

    def ask(q):
        index.candidates(asked[q : q + 1])
        return index.search(asked[q : q + 1], 10)[0][0]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(len(asked))))
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.spark
def test_values_are_those_of_spark(points, spark):
    """Spark's hash has directions of length 1, no offset and one function a table."""
    from pyspark.ml.feature import BucketedRandomProjectionLSH
    from pyspark.ml.functions import array_to_vector

    rows = [(row, vector.tolist()) for row, vector in enumerate(points.vectors[:50])]
    frame = spark.createDataFrame(rows, "row int, vector array<double>")
    frame = frame.withColumn("vector", array_to_vector("vector"))
    hasher = BucketedRandomProjectionLSH(
        inputCol="vector", outputCol="hashes", bucketLength=0.4, numHashTables=3, seed=5
    )
    model = hasher.fit(frame)
    hashed = model.transform(frame).orderBy("row").collect()
    theirs = np.array([[table[0] for table in each.hashes] for each in hashed])
    matrix = model._java_obj.randMatrix()  # (n_tables, embedding_dim), stored column by column
    directions = np.array(list(matrix.toArray())).reshape(matrix.numCols(), matrix.numRows())
    ours = hash_values(points.vectors[:50].astype(float), directions, np.zeros(3), 0.4)
    np.testing.assert_array_equal(theirs, ours)
