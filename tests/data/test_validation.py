"""No row is lost: whatever a file holds, kept plus set aside is what was read."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_lib.data import Request, get
from recsys_lib.data.sorted_runs import SortedRuns
from recsys_lib.data.validation import numbers, timestamps, whole_numbers

field = st.one_of(
    st.integers(-3, 40).map(str),
    st.sampled_from(["", "x", "4.5", "1e400", "nan", " 7", "9" * 30, "é", "0.5", "-0"]),
)
row = st.one_of(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 5), st.integers(1, 9)).map(
        lambda values: ",".join(map(str, values))
    ),
    st.lists(field, max_size=6).map(",".join),
)


@given(st.lists(row, max_size=30))
@settings(max_examples=60, deadline=None)
def test_kept_plus_set_aside_is_what_was_read(rows):
    with tempfile.TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_DATA_DIR", temporary)
        folder = Path(temporary) / "source"
        folder.mkdir()
        head = "userId,movieId,rating,timestamp\n"
        (folder / "ratings.csv").write_text(
            head + "1,1,3,5\n" + "".join(row + "\n" for row in rows), encoding="utf-8"
        )
        dataset = get(Request("tiny", source=folder))
        rejects = dataset.path / "rejects.parquet"
        aside = pd.read_parquet(rejects)["line"].tolist() if rejects.exists() else []
        assert len(dataset.interactions) + len(aside) == len(rows) + 1
        assert len(set(aside)) == len(aside)
        assert all(2 <= line <= len(rows) + 2 for line in aside)
        keys = dataset.interactions[["timestamp", "user_id", "item_id"]]
        assert not keys.duplicated().any()
        assert keys.equals(keys.sort_values(list(keys), ignore_index=True))


def test_text_to_numbers():
    values, fine = whole_numbers(pa.array(["3", "-4", "5.0", "5.5", "", "x", "9" * 30]))
    assert fine.tolist() == [True, True, True, False, False, False, False]
    assert values[:3].tolist() == [3, -4, 5]
    values, fine = numbers(pa.array(["3.5", "inf", "nan", "1e3"]))
    assert fine.tolist() == [True, False, False, True]
    assert values[[0, 3]].tolist() == [3.5, 1000.0]


def test_text_to_unix_seconds():
    text = [
        "86400",
        "86400.9",
        "1970-01-02",
        "1970-01-02T01:00:00+01:00",
        "1970-01-02 00:00:01",
        "?",
    ]
    seconds, fine = timestamps(pa.array(text))
    assert fine.tolist() == [True] * 5 + [False]
    assert seconds[:5].tolist() == [86400, 86400, 86400, 86400, 86401]


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=60), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_sorted_runs_agree_with_pandas(rows, run_rows):
    frame = pd.DataFrame(rows, columns=["timestamp", "user_id", "item_id"])
    frame = frame.assign(rating=1.0, line=np.arange(len(frame)))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("recsys_lib.data.sorted_runs.SLICE_ROWS", 4)
        patch.setattr("recsys_lib.data.sorted_runs.SAMPLE_EVERY", 2)
        runs = SortedRuns(Path(folder))
        for start in range(0, len(frame), run_rows):
            part = frame.iloc[start : start + run_rows]
            runs.add({name: part[name].to_numpy() for name in frame})
        got = pd.concat(
            [pd.DataFrame(rows).assign(again=again) for rows, again in runs.merged()],
            ignore_index=True,
        )
    keys = ["timestamp", "user_id", "item_id"]
    expected = frame.sort_values([*keys, "line"], ignore_index=True)
    assert got[[*keys, "line"]].equals(expected[[*keys, "line"]])
    assert got["again"].tolist() == expected.duplicated(keys).tolist()
