"""``recsys recommend`` from a table to a table, read by somebody else's evaluator."""

import numpy as np
import pandas as pd
import pytest
import pytrec_eval
from typer.testing import CliRunner

from recsys_lib.cli import app
from recsys_lib.errors import RecsysError


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two tastes; ids are text. Each user lacks a few of the items of the own taste."""
    rng = np.random.default_rng(6)
    user, item = (part.ravel() for part in np.mgrid[:30, :40])
    kept = rng.random(user.size) < np.where(user % 2 == item % 2, 0.7, 0.05)
    frame = pd.DataFrame({"user": user, "item": item, "timestamp": rng.permutation(user.size)})
    frame = frame.assign(rating=rng.integers(3, 6, user.size))[kept]
    return frame.assign(user="u" + frame["user"].astype(str), item="i" + frame["item"].astype(str))


@pytest.fixture
def run(tmp_path, table):
    """Return a function that runs the command on the table and reads what it wrote."""
    table.to_csv(tmp_path / "train.csv", index=False)

    def run(*options: str, out: str = "out.csv"):
        files = ["--train", str(tmp_path / "train.csv"), "--out", str(tmp_path / out)]
        asked = ["recommend", *files, *options]
        done = CliRunner().invoke(app, asked, catch_exceptions=False)
        read = pd.read_parquet if out.endswith("parquet") else pd.read_csv
        return done.output, read(tmp_path / out)

    return run


@pytest.mark.parametrize("name", ["popular", "ease", "item_knn", "user_knn", "random"])
def test_lists_have_the_form_that_was_promised(run, table, name):
    _, lists = run("--recaller", name, "-k", "4")
    assert lists.columns.tolist() == ["user", "item", "score", "rank"]
    assert set(lists["user"]) == set(table["user"])
    assert set(lists["item"]) <= set(table["item"])
    assert not pd.merge(lists, table, on=["user", "item"]).size
    by_user = lists.groupby("user")
    assert (by_user["rank"].apply(list).map(lambda r: r == list(range(1, len(r) + 1)))).all()
    assert by_user["score"].apply(lambda s: s.is_monotonic_decreasing).all()


def test_parquet_holds_the_same_as_csv(run):
    _, csv = run("--recaller", "item_knn", "-p", "n_neighbours=9")
    _, parquet = run("--recaller", "item_knn", "-p", "n_neighbours=9", out="out.parquet")
    pd.testing.assert_frame_equal(csv, parquet, check_dtype=False, rtol=1e-5)


def test_an_outside_evaluator_finds_the_planted_tastes(run, table):
    """The unseen items of a user's own taste are relevant; trec_eval says how many are found."""
    printed, lists = run("--recaller", "best", "-k", "5")
    assert "chosen:" in printed
    seen = set(zip(table["user"], table["item"], strict=True))
    users, items = table["user"].unique(), table["item"].unique()
    relevant = {
        u: {i: 1 for i in items if int(i[1:]) % 2 == int(u[1:]) % 2 and (u, i) not in seen}
        for u in users
    }
    ranked = {u: dict(zip(g["item"], g["score"], strict=True)) for u, g in lists.groupby("user")}
    found = pytrec_eval.RelevanceEvaluator(relevant, {"P_5"}).evaluate(ranked)
    assert np.mean([one["P_5"] for one in found.values()]) > 0.8


def test_metadata_come_from_an_item_table(run, tmp_path, table):
    items = pd.DataFrame({"item": table["item"].unique()})
    items["genres"] = items["item"].map(lambda i: "odd" if int(i[1:]) % 2 else "even")
    items.to_parquet(tmp_path / "items.parquet")
    _, lists = run("--recaller", "favourite_genre", "--items", str(tmp_path / "items.parquet"))
    first = lists[lists["rank"] == 1]
    own = first["item"].str[1:].astype(int) % 2 == first["user"].str[1:].astype(int) % 2
    assert own.mean() > 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--recaller", "eese"), r"no recaller 'eese'\. Did you mean 'ease'\?"),
        (("--recaller", "newest"), "needs items with a column 'release_year'"),
        (("--recaller", "ease", "--set", "lambda=3"), "'ease' does not take the setting 'lambda'"),
        (("--recaller", "ease", "--set", "lambda"), "write name=value"),
        (("--protocol", "tyme"), r"--protocol must be one of .*'tyme'\. Did you mean 'time'"),
        (("--relevant", "liks"), r"--relevant must be one of all, likes, not 'liks'"),
        (("--out", "out.xls"), "known are .csv"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_written(run, tmp_path, options, message):
    (tmp_path / "out.csv").write_text("what was here before")
    with pytest.raises(RecsysError, match=message):
        run(*options)
    assert (tmp_path / "out.csv").read_text() == "what was here before"


def test_a_file_in_place_of_a_folder_is_said_before_the_work(run, tmp_path):
    with pytest.raises(RecsysError, match=r"train\.csv is a file, so .* cannot be made"):
        run("--recaller", "popular", out="train.csv/out.csv")


def test_the_names_are_listed():
    done = CliRunner().invoke(app, ["recommend", "--list"])
    assert done.exit_code == 0
    assert {"best", "ease", "two_tower"} <= {line.split()[0] for line in done.output.splitlines()}
