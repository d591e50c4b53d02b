"""No row is lost on the way into order: kept plus set aside is what was read."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_lib.data import Request, get
from recsys_lib.data.sorted_rows import RowSorter, in_order

KEYS = ["timestamp", "user_id", "item_id"]
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
        n_blank = sum(row in ("", ",,,") for row in rows)
        assert len(dataset.interactions) + len(aside) == len(rows) + 1 - n_blank
        assert len(set(aside)) == len(aside)
        assert all(2 <= line <= len(rows) + 2 for line in aside)
        keys = dataset.interactions[KEYS]
        assert not keys.duplicated().any()
        assert keys.equals(keys.sort_values(KEYS, ignore_index=True))


ROWS = st.lists(st.tuples(*[st.integers(0, 4)] * 3, st.integers(1, 3)), min_size=1, max_size=60)


@given(ROWS, st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_rows_come_back_in_the_order_of_pandas(rows, block_rows):
    frame = pd.DataFrame(rows, columns=["timestamp", "user_id", "item_id", "rating"])
    frame = frame.astype({"rating": np.float32}).assign(line=np.arange(len(frame)))
    with tempfile.TemporaryDirectory() as folder, RowSorter(Path(folder)) as sorter:
        for start in range(0, len(frame), block_rows):
            part = frame.iloc[start : start + block_rows]
            sorter.add({name: part[name].to_numpy() for name in frame})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("recsys_lib.data.sorted_rows.BATCH_ROWS", 4)
            got = pd.concat([pd.DataFrame(r).assign(again=again) for r, again in sorter.merged()])
    rising = [True, True, True, False, True]
    expected = frame.sort_values([*KEYS, "rating", "line"], ascending=rising, ignore_index=True)
    assert got["line"].tolist() == expected["line"].tolist()
    assert got["again"].tolist() == expected.duplicated(KEYS).tolist()
    in_memory, again = in_order({name: frame[name].to_numpy() for name in frame})
    assert in_memory["line"].tolist() == expected["line"].tolist()
    assert again.tolist() == expected.duplicated(KEYS).tolist()
