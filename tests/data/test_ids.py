"""Ids come back as they went in, and their codes do not depend on the order of rows."""

import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_lib.data.ids import Ids, codes_of, raw_of
from recsys_lib.errors import DataError

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
COLUMNS = st.one_of(
    st.lists(st.integers(-(2**70), 2**70), min_size=1),
    st.lists(st.integers(0, 2**64 - 1), min_size=1),
    st.lists(st.one_of(TEXT, st.from_regex(r"0*[0-9]{1,3}", fullmatch=True)), min_size=1),
    st.lists(st.binary(max_size=20), min_size=1),
    st.lists(st.uuids(), min_size=1),
)


@settings(deadline=None)
@given(COLUMNS, st.randoms())
def test_ids_come_back_and_codes_follow_their_order(tmp_path_factory, raw, random):
    ids = Ids.of(raw)
    codes = ids.codes_of(raw)
    assert list(ids.raw_of(codes)) == raw
    assert [type(each) for each in ids.raw_of(codes).tolist()] == [type(each) for each in raw]
    assert list(codes) == [sorted(set(raw)).index(each) for each in raw]
    shuffled = random.sample(raw, len(raw))
    assert Ids.of(shuffled) == ids
    path = tmp_path_factory.mktemp("ids") / "ids.parquet"
    ids.save(path)
    assert Ids.load(path) == ids
    assert list(Ids.load(path).codes_of(shuffled)) == list(ids.codes_of(shuffled))


@pytest.mark.parametrize(
    ("raw", "kind", "values"),
    [
        (pd.Series([2**62 + 1, None], dtype="Int64"), "number", [2**62 + 1]),
        (pd.Series([1.0, 2.0, None]), "number", [1, 2]),
        (pa.array([2**62 + 1, None]), "number", [2**62 + 1]),
        (pa.array([2**64 - 1, None], pa.uint64()), "number", [2**64 - 1]),
        (pa.array([Decimal(10**30)], pa.decimal128(38, 0)), "number", [10**30]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), "text", ["a", "b"]),
        (pd.Categorical([7, 3]), "number", [3, 7]),
        (pd.Series(["x", None, ""], dtype="string"), "text", ["x"]),
        (pa.array([uuid.UUID(int=7).bytes], pa.uuid()), "uuid", [uuid.UUID(int=7)]),
        (np.array([b"a\x01"]), "bytes", [b"a\x01"]),
        (["a\x00", "a", "a\x00\x00"], "text", ["a", "a\x00", "a\x00\x00"]),
        (pd.Categorical([7, None, 3]), "number", [3, 7]),
    ],
)
def test_columns_of_every_make(raw, kind, values):
    ids = Ids.of(raw)
    assert (ids.kind, ids.values.tolist()) == (kind, values)


def test_a_number_and_its_plain_text_are_one_id():
    assert list(Ids.of(["1", "07", "x"]).codes_of([1, 7])) == [1, -1]
    assert list(Ids.of([7, 1]).codes_of(["1", "7", "07", "1.0", "x", None])) == [
        0,
        1,
        -1,
        -1,
        -1,
        -1,
    ]
    known = uuid.UUID(int=5)
    assert list(Ids.of([known]).codes_of([str(known), "x"])) == [0, -1]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([1, "a"], "int and str"),
        ([True, False], "bool"),
        ([1.5, 2.0], "1.5"),
        ([float(2**60)], "2\\*\\*53"),
        ([float("inf")], "inf"),
        (["a", b"a"], "bytes and str"),
        ([pd.Timestamp("2020-01-01")], "Timestamp"),
        (["\ud800"], "Unicode"),
        ([("a", 1)], "tuple"),
    ],
)
def test_what_is_no_id_is_refused(raw, said):
    with pytest.raises(DataError, match=said):
        Ids.of(raw)


def test_kinds_without_a_counterpart_are_refused():
    with pytest.raises(DataError, match="bytes"):
        Ids.of([1, 2]).codes_of([b"1"])
    with pytest.raises(DataError, match="no id with the code 2"):
        Ids.of([1, 2]).raw_of([0, 2])


def test_without_a_vocabulary_whole_numbers_stand_for_themselves():
    assert list(codes_of(None, [5, 2**63 - 1])) == [5, 2**63 - 1]
    assert list(codes_of(None, ["5", "05", "x", str(2**63), "-1"])) == [5, -1, -1, -1, -1]
    assert list(codes_of(None, [2**64, 3, -4])) == [-1, 3, -1]
    assert list(raw_of(None, [5])) == [5]
