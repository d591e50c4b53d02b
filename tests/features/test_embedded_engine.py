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


def without_java(code: str, *arguments, folder) -> None:
    """Run Python code where there is no Java, and where Spark is not imported."""
    check = "\nimport sys\nassert 'pyspark' not in sys.modules"
    environment = os.environ | {"JAVA_HOME": str(folder), "PATH": str(folder)}
    command = [sys.executable, "-c", code + check, *map(str, arguments)]
    subprocess.run(command, check=True, env=environment)


def test_the_commands_need_no_java(ml_100k, tmp_path):
    code = (
        "import sys\n"
        "from recsys_lib.cli import app\n"
        "app(['samples', *sys.argv[1:]], standalone_mode=False)\n"
    )
    made, file, read = (tmp_path / name for name in ("made", "made.csv", "read"))
    # It need not wait for pandas either.
    light = code + "assert 'pandas' not in sys.modules"
    without_java(light, "build", ml_100k.path, "--out", made, "--all-families", folder=tmp_path)
    without_java(code, "export", made, "--out", file, folder=tmp_path)
    without_java(code, "import", file, "--out", read, folder=tmp_path)
    assert sorted(path.name for path in made.iterdir()) == [
        ".recsys.json",
        "report.json",
        "samples",
    ]
    ours, theirs = (pd.read_parquet(folder / "samples") for folder in (made, read))
    keys = ["timestamp", "user_id", "item_id", "user_liked_item_1", "user_genre_1"]
    pd.testing.assert_frame_equal(ours[keys], theirs[keys], check_dtype=False)


def test_what_notebooks_and_models_take_needs_no_java(ml_100k, tmp_path):
    code = (
        "from recsys_lib.data import ensure\n"
        "from recsys_lib.data.splits import both\n"
        "from recsys_lib.features import build_monitoring, build_serving_features\n"
        "from recsys_lib.features import build_training_samples\n"
        "data = ensure('ml-100k')\n"
        "splits = both(data.interactions)\n"
        "samples = build_training_samples(data, splits)\n"
        "assert {name: len(rows) for name, rows in samples.items()} == "
        "{'by_time': 100_000, 'last_likes': 90_356}\n"
        "assert set(samples['by_time'].part) == {'train', 'validation', 'test'}\n"
        "serving = build_serving_features(data, splits)['by_time']\n"
        "assert len(serving['items']) == len(data.items)\n"
        "assert serving['users'].user_id.is_unique\n"
        "watched = build_monitoring(samples)['by_month']\n"
        "assert watched.period.nunique() == 8\n"
    )
    without_java(code, folder=tmp_path)
