"""The embedded engine alone: random histories against plain pandas, and work done in pieces."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import samples_plain
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_lib.features import build_samples, training_samples, user_ties
from recsys_lib.features.embedded import likes, samples, ties
from recsys_lib.features.registry import FEATURES, names
from recsys_lib.features.tie_break import tie_break

ALL = names(all_families=True)
GENRES = ["Comedy", "Crime", "Drama", "War"]

EVENTS = st.lists(
    st.tuples(
        st.integers(-2, 3),  # user
        st.integers(0, 6),  # item; the last two are not in the catalogue
        st.integers(1, 10).map(lambda halves: halves / 2),
        st.integers(0, 5).map(lambda day: day * 86_400),
    ),
    unique_by=lambda event: (event[0], event[1], event[3]),
    max_size=60,
)
ITEMS = st.lists(
    st.tuples(st.none() | st.integers(1920, 2020), st.lists(st.sampled_from(GENRES), unique=True)),
    min_size=5,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(EVENTS, ITEMS)
def test_random_histories_equal_plain_pandas(events, items):
    events = pd.DataFrame(events, columns=["user_id", "item_id", "rating", "timestamp"])
    events = events.astype({"rating": "float32"} | dict.fromkeys(["user_id", "item_id"], "int64"))
    years, genres = zip(*items, strict=True)
    catalogue = pd.DataFrame(
        {"item_id": range(5), "release_year": pd.array(years, "Int16"), "genres": genres}
    )
    found = training_samples(events, catalogue)
    assert len(found) == len(events)
    if events.empty:
        return
    expected = samples_plain.samples(events, catalogue)
    for name in names():
        if FEATURES[name].dtype == "string":
            assert found[name].tolist() == expected[name].tolist()
        else:
            values = found[name].to_numpy("float64", na_value=np.nan), expected[name]
            np.testing.assert_allclose(*values, rtol=2e-7, atol=2e-6, err_msg=name)


@pytest.fixture(scope="module")
def history():
    random = np.random.default_rng(8)
    n = 4_000
    events = pd.DataFrame(
        {
            "user_id": random.integers(0, 60, n),
            "item_id": random.integers(0, 80, n),
            "rating": random.integers(1, 11, n).astype("float32") / 2,
            "timestamp": random.integers(0, 300, n) * 5_000,
        }
    )
    items = pd.DataFrame({"item_id": range(75), "release_year": [1990] * 75})
    items["genres"] = [list(random.permutation(GENRES)[: random.integers(0, 5)]) for _ in range(75)]
    return events, items


def test_pieces_do_not_show(history, monkeypatch):
    """Rows, likes and pairs are worked on in blocks; where those end makes no difference."""
    whole, pairs = training_samples(*history, columns=ALL), user_ties(history[0])
    monkeypatch.setattr(samples, "ROWS_AT_ONCE", 333)
    monkeypatch.setattr(likes, "_LIKES_AT_ONCE", 7)
    monkeypatch.setattr(ties, "_PAIRS_AT_ONCE", 5_000)
    pd.testing.assert_frame_equal(training_samples(*history, columns=ALL), whole, check_exact=True)
    pd.testing.assert_frame_equal(user_ties(history[0]), pairs)
    assert len(pairs) > 1_000
    assert whole.user_strong_ties.max() > 5


def test_the_order_within_a_second_is_that_of_spark():
    """Two values that Spark 4.3 gave for xxhash64(42, user, item), and an independent function."""
    ids = np.array([[196, 242], [-5, 2**50], [0, 0], [2**40, -1]])
    found = tie_break(ids[:, 0].copy(), ids[:, 1].copy())
    rows = pd.DataFrame(ids, columns=["user_id", "item_id"])
    assert found.tolist() == samples_plain.tie(rows).tolist()
    assert found[:2].tolist() == [1366128719233444184, -6739344219489068]


def test_a_folder_may_have_any_name(ml_100k, tmp_path):
    source = tmp_path / "ratings [1998] *"
    source.symlink_to(ml_100k.path)
    report = build_samples(source, tmp_path / "out")
    assert report["rows"]["written"] == 100_000


def test_the_command_needs_neither_java_nor_pandas(ml_100k, tmp_path):
    code = (
        "import sys\n"
        "from recsys_lib.cli import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        "assert not {'pandas', 'pyspark'} & set(sys.modules), set(sys.modules)\n"
    )
    arguments = ["samples", "build", ml_100k.path, "--out", tmp_path / "out", "--all-families"]
    subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        env=os.environ | {"JAVA_HOME": str(tmp_path), "PATH": str(tmp_path)},
    )
    assert (tmp_path / "out" / "report.json").is_file()
