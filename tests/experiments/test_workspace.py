"""What a notebook finds: its data, and artefacts that fit what it asks for."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys_lib import files, paths
from recsys_lib.data import Request, get
from recsys_lib.embeddings import EmbeddingTable, build_item2vec
from recsys_lib.errors import NothingToJudge, RecsysError
from recsys_lib.experiments import start
from recsys_lib.experiments.artifacts import ARTIFACTS, Artifact
from recsys_lib.experiments.notebooks import discover
from recsys_lib.experiments.plan import make_plan
from recsys_lib.experiments.runner import run as carry_out_run
from recsys_lib.recall import Popular, default_plan
from recsys_lib.stores import EmbeddingHistory


@pytest.fixture(scope="module", autouse=True)
def _tiny_data(tmp_path_factory):
    """Twenty users of two tastes, as a person's own CSV."""
    folder = tmp_path_factory.mktemp("tiny")
    rows = [
        (user, item, 5, 1_000 + 60 * step)
        for user in range(1, 21)
        for step, item in enumerate(np.random.default_rng(user).permutation(30) + 100 * (user % 2))
    ]
    pd.DataFrame(rows, columns=["user", "item", "rating", "timestamp"]).to_csv(
        folder / "mine.csv", index=False
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_DATA_DIR", str(folder / "data"))
        columns = {role: role for role in ("user", "item", "rating", "timestamp")}
        get(Request("tiny", source=folder / "mine.csv", columns=columns))
        yield


# An artefact that is quick to build: what is tested here does not depend on what is kept.
PLAIN = Artifact(
    "plain",
    lambda sources: {"made by": "library"},
    lambda value, folder: files.write_json(folder / "value.json", value),
    lambda folder: files.read_json(folder / "value.json"),
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setitem(ARTIFACTS, "plain", PLAIN)
    monkeypatch.setenv("RECSYS_RUN_DIR", str(tmp_path / "run"))
    return start("03_item2vec", dataset="tiny")


def made(run, name):
    return json.loads((run.folder / "artifacts" / name / "artifact.json").read_text())


def library_log(run):
    return (run.folder / "library.log").read_text()


def test_a_missing_artefact_is_built_as_the_library_would(run, capfd):
    loaded = run.load("item2vec")
    built = build_item2vec(run.splits, seed=run.seed)
    assert set(loaded) == {"last_likes", "by_time"}
    assert (loaded["by_time"].vectors == built["by_time"].vectors).all()
    assert made(run, "item2vec")["notebook"] == "library"
    assert "building item2vec, because there is none yet" in library_log(run)
    assert capfd.readouterr() == ("", "")


def test_what_a_notebook_wrote_is_read_as_it_is(run):
    table = EmbeddingTable([1, 2], np.eye(2))
    run.save("item2vec", {"last_likes": table, "by_time": table}, config={"window": 3})
    assert run.load("item2vec")["last_likes"].vectors.tolist() == [[1, 0], [0, 1]]
    assert made(run, "item2vec")["notebook"] == "03_item2vec"
    assert made(run, "item2vec")["config"] == {"window": 3}
    assert "building" not in library_log(run)


def test_every_trained_embedding_stays_in_the_history(run, tmp_path, monkeypatch):
    monkeypatch.setenv("RECSYS_OUTPUTS_DIR", str(tmp_path / "outputs"))
    tables = [EmbeddingTable([1, 2], np.eye(2) * scale) for scale in (1, 2)]
    for table in tables:
        run.save("item2vec", {"last_likes": table}, config={"window": 3})
    history = EmbeddingHistory(paths.embedding_history_dir() / "tiny")
    assert history.names() == ["item2vec.last_likes"]
    versions = history.versions("item2vec.last_likes")
    kept = [history.load("item2vec.last_likes", each).vectors for each in versions["version"]]
    assert sorted(array.sum() for array in kept) == [2, 4]
    assert versions["made"].iloc[0]["config"] == {"window": 3}
    run.save("plain", {"made by": "notebook"})  # no embedding
    assert history.names() == ["item2vec.last_likes"]


@pytest.mark.parametrize("what", ["data", "library"])
def test_what_other_data_or_code_made_is_built_anew(run, what):
    run.save("plain", {"made by": "notebook"})
    path = run.folder / "artifacts" / "plain" / "artifact.json"
    path.write_text(json.dumps(made(run, "plain") | {what: "another"}))
    assert run.load("plain") == {"made by": "library"}
    assert "changed" in library_log(run)


def test_an_unknown_artefact_is_refused(run):
    with pytest.raises(RecsysError, match="Did you mean 'item2vec'"):
        run.load("item2vce")
    with pytest.raises(RecsysError, match="Did you mean 'item2vec'"):
        run.save("item2vce", {})


def test_two_open_notebooks_build_an_artefact_once(run):
    code = (
        "from recsys_lib.experiments import start\n"
        "print(len(start('05_recall', dataset='tiny').load('item2vec')['last_likes']))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert len({process.communicate(timeout=120)[0] for process in both}) == 1
    assert library_log(run).count("building item2vec") == 1
    assert library_log(run).count("reading item2vec") == 1


def test_interactive_work_lies_apart_by_data_set(monkeypatch, tmp_path):
    monkeypatch.delenv("RECSYS_RUN_DIR", raising=False)
    monkeypatch.setenv("RECSYS_OUTPUTS_DIR", str(tmp_path))
    assert start("00_overview", dataset="tiny").folder == tmp_path / "interactive" / "tiny"


def test_another_seed_gets_an_artefact_of_its_own(run):
    first = run.load("item2vec")["by_time"].vectors
    other = start("05_recall", dataset="tiny", seed=7)
    built = build_item2vec(other.splits, seed=7)["by_time"].vectors
    assert (other.load("item2vec")["by_time"].vectors == built).all()
    assert (first != built).any()
    assert "built with seed 42, not 7" in library_log(run)


def test_a_seed_that_decides_nothing_builds_nothing_again(run):
    run.load("plain")
    start("11_serving", dataset="tiny", seed=7).load("plain")
    assert library_log(run).count("building plain") == 1


def test_what_was_built_from_an_artefact_follows_it(run, monkeypatch):
    """A chain of three: a notebook writes the first again, the library builds the others again."""
    for name, build in {
        "ground": lambda sources: {"size": 1},
        "middle": lambda sources: {"size": 10 * sources.load("ground")["size"]},
        "top": lambda sources: {"size": 10 * sources.load("middle")["size"]},
    }.items():
        monkeypatch.setitem(ARTIFACTS, name, replace(PLAIN, name=name, build=build))
    assert run.load("top") == {"size": 100}
    run.save("ground", {"size": 1})  # the same again
    assert run.load("top") == {"size": 100}
    assert library_log(run).count("building top") == 1
    run.save("ground", {"size": 2})
    assert run.load("top") == {"size": 200}
    assert "building top, because middle changed, which it was built from" in library_log(run)


def test_what_a_notebook_wrote_with_another_seed_stays(run):
    start("05_recall", dataset="tiny", seed=7).save("plain", {"made by": "notebook"})
    assert run.load("plain") == {"made by": "notebook"}


@pytest.mark.slow
def test_fitted_recallers_come_back_as_they_were_built(run):
    """What notebook 05 hands on, built by the library where no notebook has written it."""
    built = run.load("recallers")
    assert set(built) == {"last_likes", "by_time", "last_likes_train"}
    for name in ("last_likes", "by_time"):
        assert set(built[name]) == {"merged", "vectors", "popular", "random"}
        history = run.splits[name].history("test")
        popular = Popular().fit(history).recommend(history["user_id"].unique(), 5)
        loaded = built[name]["popular"].recommend(history["user_id"].unique(), 5)
        pd.testing.assert_frame_equal(loaded, popular)
        assert set(built[name]["merged"].channels) == set(default_plan()["channels"])
    early = built["last_likes_train"]["merged"]
    assert early.matrix_.ratings.nnz == len(run.splits["last_likes"].train)
    user = int(run.splits["last_likes"].train["user_id"].iloc[0])
    again = run.load("recallers")["last_likes_train"]["merged"].recommend(user)
    assert len(again) == 10
    pd.testing.assert_frame_equal(again, early.recommend(user))
    assert library_log(run).count("building recallers") == 1


@pytest.mark.notebook
def test_in_one_run_every_notebook_gets_its_own_seed(notebooks, monkeypatch):
    """The real runner: one notebook asks for another seed than the other; nobody writes vectors."""
    code = """
from recsys_lib.experiments import start
run = start(NAME, dataset="tiny", seed=seed)
vectors = run.load("item2vec")["by_time"].vectors
run.record({"first": (vectors[0, 0], "ratio", "First number of the first vector.")})
"""
    for name in ("05_one", "06_two"):
        notebooks.write(name, code, parameters="seed: int = 42", profiles="{}")
    result = carry_out_run(make_plan(discover(notebooks.folder), assignments=["05.seed=7"]), 1)
    assert result.failed == []
    recorded = files.read_json(result.folder / "metrics.json")
    splits = start("07_three", dataset="tiny").splits
    for name, seed in (("05_one", 7), ("06_two", 42)):
        built = build_item2vec(splits, seed=seed)["by_time"].vectors
        assert recorded[f"{name}.first"]["value"] == pytest.approx(built[0, 0])


def test_what_a_data_set_lacks_is_said_in_one_line(run, capsys):
    assert not any(run.has(what) for what in ("genres", "years", "people"))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Left out: tiny says nothing of its items' genres."
    assert len(said) == 3
    with pytest.raises(RecsysError, match="not 'colours'"):
        run.has("colours")
    assert run.data.titles[107] == "item 107"


def test_too_few_users_and_no_dislikes_leave_nothing_to_judge(run, tmp_path, monkeypatch):
    with pytest.raises(NothingToJudge, match="Nothing can be ranked on tiny: in the train part"):
        run.check_labels()  # all have five stars
    rows = [(user, item, 1 + item % 5, 60 * item) for user in (1, 2, 3) for item in range(60)]
    names = ["user", "item", "rating", "timestamp"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "few.csv", index=False)
    get(Request("few", source=tmp_path / "few.csv"))
    few = start("03_item2vec", dataset="few")
    with pytest.raises(NothingToJudge, match="only 3 of its 3 users have 15 likes or more"):
        few.check_users()


def test_a_finding_of_the_course_is_not_said_of_other_data(run):
    assert run.finding("Walks win") == "Drawn here: tiny. Found on ml-100k:\nWalks win"
    assert start("03_item2vec").finding("Walks win") == "Walks win"


def test_an_error_of_the_data_shows_no_trace_in_a_notebook():
    assert NothingToJudge("Too few.")._render_traceback_() == ["Too few."]
