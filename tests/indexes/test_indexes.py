"""What every index must do, and exact search against scipy and faiss."""

import json

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.indexes import CosineLSH, EuclideanLSH, ExactIndex

# So wide, or so few bits with so many probes, that everything is a candidate: these find the truth.
EXHAUSTIVE = {
    "exact, euclidean": lambda: ExactIndex(),
    "exact, cosine": lambda: ExactIndex(metric="cosine"),
    "LSH, euclidean": lambda: EuclideanLSH(n_tables=2, n_hashes=2, width=1e6, n_probes=16),
    "LSH, cosine": lambda: CosineLSH(n_tables=2, n_hashes=4, n_probes=32),
}
SELECTIVE = {
    "LSH, euclidean, selective": lambda: EuclideanLSH(n_hashes=3, n_probes=5),
    "LSH, cosine, selective": lambda: CosineLSH(n_hashes=6, n_probes=5),
}
ALL = EXHAUSTIVE | SELECTIVE
make_any = pytest.mark.parametrize("make", ALL.values(), ids=ALL)
make_exhaustive = pytest.mark.parametrize("make", EXHAUSTIVE.values(), ids=EXHAUSTIVE)


def part(table: EmbeddingTable, rows) -> EmbeddingTable:
    return EmbeddingTable(table.item_ids[rows], table.vectors[rows])


def assert_same(found, wanted):
    """Products of other shapes are summed in another order: distances may differ in late digits."""
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-5, atol=1e-6)


@make_exhaustive
def test_equals_brute_force(make, points, queries):
    index = make().fit(points)
    item_ids, distances = index.search(queries, 10)
    every = cdist(queries, points.vectors, index.metric)
    np.testing.assert_array_equal(item_ids, points.item_ids[np.argsort(every, axis=1)[:, :10]])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :10], rtol=1e-4)
    assert (item_ids.dtype, distances.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize(("metric", "peer"), [("euclidean", "L2"), ("cosine", "IP")])
def test_exact_search_equals_faiss(points, queries, metric, peer):
    unit = points.normalized()
    flat = getattr(faiss, f"IndexFlat{peer}")(16)
    flat.add(unit.vectors)
    length = np.linalg.norm(queries, axis=1, keepdims=True)
    _, rows = flat.search(queries / length if metric == "cosine" else queries, 10)
    found, _ = ExactIndex(metric=metric).fit(unit).search(queries, 10)
    np.testing.assert_array_equal(found, unit.item_ids[rows])


def test_exact_search_in_chunks_is_the_same(points, queries, monkeypatch):
    whole, _ = ExactIndex().fit(points).search(queries, 10)
    monkeypatch.setattr("recsys_lib.indexes.exact.DISTANCES_AT_ONCE", 7 * len(points))
    np.testing.assert_array_equal(ExactIndex().fit(points).search(queries, 10)[0], whole)


def test_orders_of_both_metrics_agree_on_unit_vectors_only(points, queries):
    unit = points.normalized()
    euclidean, _ = ExactIndex(metric="euclidean").fit(unit).search(queries, 10)
    cosine, _ = ExactIndex(metric="cosine").fit(unit).search(queries, 10)
    np.testing.assert_array_equal(euclidean, cosine)
    raw, _ = ExactIndex(metric="euclidean").fit(points).search(queries, 10)
    assert (raw != cosine).mean() > 0.5


@make_any
def test_a_batch_is_its_queries_one_by_one(make, points, queries, monkeypatch):
    index = make().fit(points)
    whole = index.search(queries, 7)
    for q in range(0, 50, 9):
        assert_same(index.search(queries[q : q + 1], 7), [part[q : q + 1] for part in whole])
    monkeypatch.setattr("recsys_lib.indexes.lsh.NUMBERS_AT_ONCE", 100)
    assert_same(make().fit(points).search(queries, 7), whole)


@make_exhaustive
def test_more_asked_for_than_there_is(make, queries):
    index = make().fit(EmbeddingTable([4, 9], np.ones((2, 16))))
    item_ids, distances = index.search(queries[:1], 5)
    assert item_ids[0].tolist() == [4, 9, -1, -1, -1]
    assert np.isfinite(distances[0, :2]).all()
    assert np.isinf(distances[0, 2:]).all()


@make_any
def test_an_empty_index_finds_nothing_and_can_be_filled(make, points, queries):
    index = make().fit(EmbeddingTable([], np.zeros((0, 16))))
    item_ids, distances = index.search(queries, 3)
    assert (item_ids == -1).all()
    assert np.isinf(distances).all()
    assert len(index) == 0
    assert_same(index.add(points).search(queries, 5), make().fit(points).search(queries, 5))


@make_any
def test_no_query_is_no_answer(make, points):
    item_ids, distances = make().fit(points).search(np.zeros((0, 16)), 3)
    assert item_ids.shape == distances.shape == (0, 3)


@make_any
def test_added_one_by_one_or_at_once_is_the_same(make, points, queries, monkeypatch):
    monkeypatch.setattr("recsys_lib.indexes.lsh.MIN_RECENT", 20)  # sorted anew many times
    grown = make().fit(part(points, slice(0, 1_900)))
    for row in range(1_900, 2_000):
        grown.add(part(points, [row]))
    assert_same(grown.search(queries, 5), make().fit(points).search(queries, 5))


@make_any
def test_a_removed_item_is_not_found_and_all_others_are(make, points, queries):
    index = make().fit(points)
    before, _ = index.search(queries, 5)
    gone = np.unique(before[before >= 0])[::7]
    index.remove(gone)
    kept = ~np.isin(points.item_ids, gone)
    assert len(index) == kept.sum()
    assert_same(index.search(queries, 5), make().fit(part(points, kept)).search(queries, 5))


@make_any
def test_a_removed_item_can_come_back_elsewhere(make, points, queries):
    index = make().fit(points).remove([points.item_ids[0]])
    index.add(EmbeddingTable([points.item_ids[0]], queries[:1]))
    item_ids, distances = index.search(queries[:1], 1)
    assert item_ids.tolist() == [[points.item_ids[0]]]
    assert distances[0, 0] == pytest.approx(0, abs=1e-3)


@make_any
def test_what_is_left_after_many_removals_is_found(make, points, queries):
    index = make().fit(points).remove(points.item_ids[:1_500])
    rest = part(points, slice(1_500, None))
    assert_same(index.search(queries, 5), make().fit(rest).search(queries, 5))
    assert len(index.item_ids_) == 500  # rows left behind are given back
    index.remove(rest.item_ids)
    assert (index.search(queries, 5)[0] == -1).all()


@make_any
@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=40))
def test_any_course_of_additions_and_removals(make, points, queries, course):
    index, held = make().fit(part(points, slice(0, 0))), set()
    for adds, row in course:
        if adds and row not in held:
            index.add(part(points, [row]))
            held.add(row)
        elif not adds and row in held:
            index.remove([points.item_ids[row]])
            held.discard(row)
    left = part(points, sorted(held))
    assert len(index) == len(left)
    assert_same(index.search(queries, 40), make().fit(left).search(queries, 40))


@make_any
def test_save_and_load(make, points, queries, tmp_path):
    index = make().fit(part(points, slice(0, 1_500))).add(part(points, slice(1_500, None)))
    index.remove(points.item_ids[::4])
    index.save(tmp_path / "index")
    loaded = type(index).load(tmp_path / "index")
    for name in index.SETTINGS:
        assert getattr(loaded, name) == getattr(index, name)
    assert_same(loaded.search(queries, 5), index.search(queries, 5))
    loaded.add(EmbeddingTable([2], queries[:1]))
    assert loaded.search(queries[:1], 1)[0].tolist() == [[2]]
    assert {path.suffix for path in (tmp_path / "index").rglob("*.*")} == {".json", ".npy"}


@make_any
def test_a_failing_save_leaves_the_old_index(make, points, queries, tmp_path, monkeypatch):
    index = make().fit(points)
    index.save(tmp_path / "index")
    other = make().fit(part(points, slice(0, 10)))
    monkeypatch.setattr(EmbeddingTable, "save", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        other.save(tmp_path / "index")
    assert_same(type(index).load(tmp_path / "index").search(queries, 5), index.search(queries, 5))
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def broken_json(folder):
    (folder / "index.json").write_text("{")


def another_kind(folder):
    (folder / "index.json").write_text('{"kind": "Other"}')


def unknown_setting(folder):
    told = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(told | {"tabels": 3}))


def cut_vectors(folder):
    path = folder / "items" / "vectors.npy"
    path.write_bytes(path.read_bytes()[:-7])


def pickled_vectors(folder):
    np.save(folder / "items" / "vectors.npy", np.array([{}], dtype=object), allow_pickle=True)


def no_items(folder):
    (folder / "items" / "item_ids.npy").unlink()


@make_any
@pytest.mark.parametrize(
    "harm",
    [broken_json, another_kind, unknown_setting, cut_vectors, pickled_vectors, no_items],
    ids=lambda harm: harm.__name__,
)
def test_a_damaged_folder_is_said_to_be_one(make, harm, points, tmp_path):
    index = make().fit(points)
    index.save(tmp_path / "index")
    harm(tmp_path / "index")
    with pytest.raises(DataError, match=f"No {type(index).__name__} can be read from"):
        type(index).load(tmp_path / "index")


def test_hash_functions_of_another_size_are_refused(points, tmp_path):
    CosineLSH().fit(points).save(tmp_path / "index")
    np.save(tmp_path / "index" / "directions_.npy", np.zeros((3, 4)))
    with pytest.raises(DataError, match=r"directions_ has shape \(3, 4\)"):
        CosineLSH.load(tmp_path / "index")


def test_an_absent_folder_is_said_to_be_absent(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        EuclideanLSH.load(tmp_path / "index")


@make_any
def test_wrong_queries_are_refused(make, points):
    index = make().fit(points)
    for shape in ((16,), (1, 15), (1, 1, 16)):
        with pytest.raises(RecsysError, match=r"queries must have shape \(m, 16\)"):
            index.search(np.zeros(shape), 3)
    for k in (0, -1, 2.5):
        with pytest.raises(RecsysError, match="k must be an integer of at least 1"):
            index.search(np.zeros((1, 16)), k)
    for wrong in (np.nan, np.inf, 1e200):
        broken = np.zeros((3, 16))
        broken[1, 4] = wrong
        with pytest.raises(RecsysError, match="Query 1 holds NaN or infinity"):
            index.search(broken, 3)


@make_any
def test_wrong_items_are_refused_and_change_nothing(make, points, queries):
    index = make().fit(points)
    before = index.search(queries, 5)
    with pytest.raises(DataError, match="Item 4 is in the index already"):
        index.add(EmbeddingTable([2, 4], np.ones((2, 16))))
    with pytest.raises(DataError, match="vectors of length 16, those to add have length 3"):
        index.add(EmbeddingTable([2], np.ones((1, 3))))
    with pytest.raises(DataError, match="1 items are not in the index, 2 first"):
        index.remove([1, 2])
    assert_same(index.search(queries, 5), before)


@make_any
def test_before_fit_there_is_a_word_for_it(make, points):
    for use in (lambda i: i.search(points.vectors, 1), lambda i: i.add(points), len):
        with pytest.raises(RecsysError, match=r"call fit\(\) first"):
            use(make())


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (ExactIndex(metric="manhattan"), "metric must be"),
        (EuclideanLSH(n_tables=0), "n_tables must be an integer of at least 1, not 0"),
        (CosineLSH(n_hashes=1.5), "n_hashes must be an integer of at least 1, not 1.5"),
        (CosineLSH(n_hashes=63), "n_hashes must be at most 62"),
        (CosineLSH(n_probes=-1), "n_probes must be an integer of at least 0"),
        (EuclideanLSH(width=0.0), "width must be positive and finite, not 0.0"),
        (EuclideanLSH(width=np.nan), "width must be positive"),
    ],
)
def test_a_wrong_setting_is_named(index, message, points):
    with pytest.raises(RecsysError, match=message):
        index.fit(points)


@pytest.mark.parametrize("make", [lambda: ExactIndex(metric="cosine"), EXHAUSTIVE["LSH, cosine"]])
def test_the_zero_vector_lies_at_distance_one_of_everything(make, points, queries):
    index = make().fit(EmbeddingTable([1, 2], np.array([np.zeros(16), queries[0]])))
    assert index.search(queries[:1], 2)[0].tolist() == [[2, 1]]
    np.testing.assert_allclose(index.search(queries[:1], 2)[1], [[0, 1]], atol=1e-6)
    np.testing.assert_allclose(index.search(np.zeros((1, 16)), 2)[1], [[1, 1]])
