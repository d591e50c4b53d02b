"""Whatever ids, times and encodings a file has, they come back unchanged at the other end."""

import csv
import io
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from recsys_lib.cli import app
from recsys_lib.data import Interactions, Request, get
from recsys_lib.data.tables import TextForm
from recsys_lib.data.writing import write_table

NOW = 1_700_000_000
ANY_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
WRITTEN_IDS = st.one_of(
    # A text of nothing but blanks is no id, see below.
    st.lists(ANY_TEXT.filter(str.strip), min_size=1, max_size=6, unique=True),
    st.lists(st.from_regex(r"[a-z]?0{0,2}[0-9]{1,3}", fullmatch=True), min_size=1, unique=True),
    st.lists(st.integers(-(2**70), 2**70).map(str), min_size=1, unique=True),
    st.lists(st.integers(2**53, 2**53 + 9).map(str), min_size=1, unique=True),
)
TYPED_IDS = st.one_of(
    WRITTEN_IDS,
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, unique=True),
    st.lists(st.integers(0, 2**64 - 1), min_size=1, unique=True),
    st.lists(st.binary(min_size=1, max_size=9), min_size=1, unique=True),
    st.lists(st.uuids(), min_size=1, unique=True),
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030")


def written(rows, separator: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([["user", "item", "rating"], *rows])
    return out.getvalue()


@given(WRITTEN_IDS, WRITTEN_IDS, st.sampled_from(ENCODINGS), st.sampled_from(",;\t|"), st.randoms())
@settings(max_examples=30, deadline=None)
def test_ids_of_a_text_file(users, items, encoding, separator, random):
    rows = [(user, item, 3) for user in users for item in items]
    random.shuffle(rows)
    with tempfile.TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_DATA_DIR", str(Path(temporary) / "data"))
        path = Path(temporary) / "table.csv"
        path.write_bytes(written(rows, separator).encode(encoding))
        form = TextForm(encoding=encoding if encoding == "gb18030" else None)
        table = Interactions.from_file(path, form=form)
        assert table.rejects.empty
        found = table.to_frame()[["user_id", "item_id"]].astype(str)
        expected = sorted((user, item) for user, item, _ in rows)
        assert sorted(found.itertuples(index=False, name=None)) == expected
        stored = get(Request("mine", source=path, form=form))
        for ids, column, raw in (
            (stored.user_ids, "user_id", users),
            (stored.item_ids, "item_id", items),
        ):
            codes = np.unique(stored.interactions[column])
            assert {str(each) for each in (codes if ids is None else ids.raw_of(codes))} == set(raw)
        # Digits later are the same ids, whatever the file as a whole was read as.
        one = table.user_codes([users[0]])
        assert table.users(one).astype(str).tolist() == [users[0]]


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r", "\n", "\u00a0"])
def test_a_blank_text_is_no_id_and_is_named(tmp_path, blank):
    path = tmp_path / "table.csv"
    path.write_bytes(written([("1", "a", 3), ("1", blank, 3)], ",").encode())
    table = Interactions.from_file(path)
    assert table.to_frame()["item_id"].tolist() == ["a"]
    assert table.rejects[["line", "column", "reason"]].values.tolist() == [[3, "item", "no id"]]


@given(TYPED_IDS, st.randoms())
@settings(max_examples=30, deadline=None)
def test_ids_of_a_typed_table(ids, random):
    frame = pd.DataFrame({"user": pd.Series(ids, dtype=object), "item": range(len(ids))})
    if all(isinstance(each, int) for each in ids):
        frame["user"] = np.array(ids, dtype=np.int64 if min(ids) < 0 else np.uint64)
    table = Interactions.from_frame(frame.sample(frac=1, random_state=random.randrange(99)))
    back = table.to_frame().sort_values("item_id")
    assert back["user_id"].tolist() == ids
    assert [type(each) for each in back["user_id"].tolist()] == [type(each) for each in ids]
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "table.parquet"
        write_table(table.to_frame(), path, {"user_id": table.user_ids})
        again = Interactions.from_file(path).to_frame().sort_values("item_id")
        assert again["user_id"].tolist() == ids


MOMENTS = st.lists(st.integers(400_000_000, NOW), min_size=1, max_size=8)
FORMS = {
    "s": str,
    "ms": lambda t: str(t * 1_000 + 999),
    "us": lambda t: str(t * 10**6),
    "ns": lambda t: str(t * 10**9),
    "Z": lambda t: datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "basic": lambda t: datetime.fromtimestamp(t, UTC).strftime("%Y%m%dT%H%M%S"),
    "digits": lambda t: datetime.fromtimestamp(t, UTC).strftime("%Y%m%d%H%M%S"),
}


@given(MOMENTS, st.sampled_from(list(FORMS)))
@settings(max_examples=30, deadline=None)
def test_times_in_one_form(moments, form):
    column = [FORMS[form](each) for each in moments]
    frame = pd.DataFrame({"user": range(len(moments)), "item": 1, "time": column})
    found = Interactions.from_frame(frame).frame.sort_values("user_id")["timestamp"]
    assert found.tolist() == moments


@given(
    st.lists(st.tuples(st.integers(400_000_000, NOW), st.integers(-12 * 60, 14 * 60)), min_size=1),
    st.lists(st.booleans(), min_size=1),
)
@settings(max_examples=30, deadline=None)
def test_times_with_offsets_and_without_beside_each_other(moments, bare):
    column, expected = [], []
    for place, (seconds, minutes) in enumerate(moments):
        zone = UTC if bare[place % len(bare)] else timezone(timedelta(minutes=minutes))
        text = datetime.fromtimestamp(seconds, UTC).astimezone(zone).isoformat(" ")
        column.append(text.removesuffix("+00:00") if bare[place % len(bare)] else text)
        expected.append(seconds)
    frame = pd.DataFrame({"user": range(len(moments)), "item": 1, "time": column})
    found = Interactions.from_frame(frame).frame.sort_values("user_id")["timestamp"]
    assert found.tolist() == expected


@given(st.lists(ANY_TEXT.filter(str.strip), min_size=3, max_size=5, unique=True))
@settings(max_examples=5, deadline=None)
def test_lists_bear_the_ids_that_came_in(ids):
    rows = [(user, item, 5) for u, user in enumerate(ids) for i, item in enumerate(ids) if u != i]
    with tempfile.TemporaryDirectory() as temporary:
        train, out = Path(temporary) / "train.csv", Path(temporary) / "out.csv"
        train.write_text(written(rows, ","), encoding="utf-8", newline="")
        asked = ["recommend", "--recaller", "popular", "--train", str(train), "--out", str(out)]
        assert CliRunner().invoke(app, asked, catch_exceptions=False).exit_code == 0
        with open(out, encoding="utf-8", newline="") as stream:
            lists = [row[:2] for row in csv.reader(stream)][1:]
        # Each user lacks one item alone: the one that bears the same name.
        assert sorted(lists) == sorted([each, each] for each in ids)
