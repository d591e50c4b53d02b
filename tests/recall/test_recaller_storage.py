"""Recallers on disk: whole or refused with the reason, fast to load, free of code."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from recsys_lib import files
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.rankers import RecallOrder
from recsys_lib.recall import (
    Calibration,
    Ease,
    ImplicitALS,
    ItemKNN,
    Merged,
    Popular,
    TwoTower,
    VectorRecaller,
    load_recaller,
)
from recsys_lib.serving import Cascade


@pytest.fixture(scope="module")
def four(interactions, table) -> Merged:
    """A merge of four channels, two of which need heavy packages to be trained."""
    channels = {
        "ease": Ease(regularization=5, half_life_likes=4),
        "als": ImplicitALS(embedding_dim=4, sweeps=2),
        "two_tower": TwoTower(embedding_dim=4, epochs=1),
        "item2vec": VectorRecaller("item2vec", n_recent=5),
    }
    return Merged(channels, {"ease": 1, "als": 2, "two_tower": 2, "item2vec": 1}).fit(interactions)


@pytest.fixture
def saved(four, tmp_path):
    four.save(tmp_path / "four")
    return tmp_path / "four"


def test_a_merge_loads_and_answers_without_heavy_packages(four, saved, interactions):
    user = int(interactions["user_id"].iloc[0])
    code = f"""
import sys
from recsys_lib.recall import load_recaller
merge = load_recaller({str(saved)!r})
table = merge.recommend([{user}, -1], 10, histories={{-1: [5, 12, 19]}})
print(table.to_json())
heavy = "tensorflow keras gensim pyspark sklearn scipy.stats numba networkx matplotlib redis"
print(*(set(heavy.split()) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    answer, heavy = done.stdout.split("\n")[:2]
    assert heavy == ""
    expected = four.recommend([user, -1], 10, histories={-1: [5, 12, 19]})
    assert json.loads(answer) == json.loads(expected.to_json())


def test_what_channels_share_is_written_once(four, saved, interactions):
    """The ratings are stored once, whatever the number of channels."""
    ratings = [p for p in saved.rglob("data.npy") if p.parent.name == "ratings"]
    assert len(ratings) == 1
    assert len(np.load(ratings[0])) == len(interactions)
    loaded = load_recaller(saved)
    matrices = {id(channel.matrix_) for channel in loaded.channels.values()}
    assert matrices == {id(loaded.matrix_)}


def test_only_plain_formats_are_on_disk(saved):
    endings = {path.suffix for path in saved.rglob("*") if path.is_file()}
    assert endings <= {".json", ".npy", ".parquet"}
    for path in saved.rglob("*.npy"):
        np.load(path, allow_pickle=False)


def test_channels_may_have_any_name(interactions, tmp_path):
    names = ["../up", "a/b", "é", "CON", ""]
    merged = Merged({name: Popular() for name in names}).fit(interactions)
    merged.save(tmp_path / "merge")
    assert list(load_recaller(tmp_path / "merge").channels) == names
    assert sorted(p.name for p in tmp_path.iterdir()) == ["merge"]


def test_saving_again_replaces_and_a_failure_leaves_the_old(interactions, tmp_path):
    folder = tmp_path / "recaller"
    Popular().fit(interactions).save(folder)
    Ease(regularization=5).fit(interactions).save(folder)
    assert isinstance(load_recaller(folder), Ease)
    settings = {"fusion": "calibrated", "calibrations": {"popular": lambda scores: scores}}
    merged = Merged({"popular": Popular()}, **settings).fit(interactions)
    with pytest.raises(RecsysError, match="'calibrations' of Merged cannot be saved"):
        merged.save(folder)
    assert isinstance(load_recaller(folder), Ease)


def test_a_folder_of_something_else_is_not_replaced(interactions, tmp_path):
    recaller = Popular().fit(interactions)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    for name, message in (
        ("thesis", "chapter.txt, which this program did not write"),
        ("file", "is a file, not a folder"),
    ):
        with pytest.raises(RecsysError, match=message):
            recaller.save(tmp_path / name)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    recaller.save(tmp_path / "empty")
    assert load_recaller(tmp_path / "empty")


def test_a_class_loads_its_own_only(interactions, tmp_path):
    Popular().fit(interactions).save(tmp_path / "popular")
    assert isinstance(Popular.load(tmp_path / "popular"), Popular)
    with pytest.raises(RecsysError, match="of the class Popular, not Ease"):
        Ease.load(tmp_path / "popular")


def test_a_cascade_is_loaded_by_a_process_that_has_imported_recall_alone(interactions, tmp_path):
    cascade = Cascade(Popular(), RecallOrder(), candidates=20).fit(interactions)
    cascade.save(tmp_path / "cascade")
    code = f"""
from recsys_lib.recall import load_recaller
print(load_recaller({str(tmp_path / "cascade")!r}).recommend([67], 5).to_json())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(cascade.recommend([67], 5).to_json())


@pytest.mark.slow
def test_every_recaller_of_the_library_is_found_by_its_name():
    """Whatever package of the library defines it: no caller has to import that one first."""
    code = """
import importlib, pkgutil, recsys_lib
from recsys_lib.recall import Recaller
from recsys_lib.recall.storage import ABOVE
from recsys_lib.rankers import Ranker
at_once = {*Recaller.classes, *ABOVE, *Ranker.classes}
for module in pkgutil.walk_packages(recsys_lib.__path__, "recsys_lib."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(*({*Recaller.classes, *Ranker.classes} - at_once))
assert all(Recaller.classes[name].__module__ == module for name, module in ABOVE.items())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_recaller_another_format_or_class_are_refused(interactions, tmp_path):
    with pytest.raises(DataError, match=r"There is no recaller in .*missing"):
        load_recaller(tmp_path / "nowhere")
    folder = tmp_path / "recaller"
    Popular().fit(interactions).save(folder)
    described = files.read_json(folder / "recaller.json")
    for change, message in (
        ({"format": 2}, "has the format 2; this version of the library reads format 1"),
        ({"class": "Populer"}, "'Populer'.* Did you mean 'Popular'"),
        ({"class": "Nothing Like It"}, "is not known here. Import the module"),
    ):
        files.write_json(folder / "recaller.json", described | change)
        with pytest.raises(DataError, match=message):
            load_recaller(folder)


def test_damage_is_reported_whatever_it_hits(interactions, tmp_path):
    """Each file in turn is emptied, cut in half, taken away, or exchanged for another one."""
    folder = tmp_path / "recaller"
    recaller = ItemKNN(n_neighbours=9).fit(interactions)
    recaller.save(folder)
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != files.MARKER)
    other = folder / "matrix_" / "user_ids.npy"
    for path in paths:
        content = path.read_bytes()
        cases = [b"", content[: len(content) // 2], None]  # emptied, cut, gone
        if path.suffix == ".npy" and path != other:
            cases.append(other.read_bytes())
        for damaged in cases:
            if damaged is None:
                path.unlink()
            else:
                path.write_bytes(damaged)
            with pytest.raises(DataError, match=r"is damaged|There is no recaller"):
                load_recaller(folder)
            path.write_bytes(content)
    pd.testing.assert_frame_equal(load_recaller(folder).recommend(67, 5), recaller.recommend(67, 5))


@pytest.mark.parametrize("tree", ["[]", "7", '{"format": 1}', '{"format": 1, "class": "Popular"}'])
def test_json_that_describes_no_recaller_is_damage(tree, tmp_path):
    (tmp_path / "recaller.json").write_text(tree)
    with pytest.raises(DataError, match="damaged"):
        load_recaller(tmp_path)


def test_calibrations_come_back(interactions, tmp_path):
    worth = Calibration(np.array([0.0, 20.0]), np.array([0.05, 0.3]))
    merged = Merged({"popular": Popular()}, fusion="calibrated", calibrations={"popular": worth})
    merged.fit(interactions).save(tmp_path / "merge")
    loaded = load_recaller(tmp_path / "merge").calibrations["popular"]
    np.testing.assert_array_equal(loaded.rates, worth.rates)


def test_loading_is_mapping_not_reading(tmp_path):
    """40 MB of weights come in a moment; what is asked of them is then read."""
    rng = np.random.default_rng(0)
    n_users, n_items = 50, 3_200
    frame = pd.DataFrame({"user_id": np.repeat(np.arange(n_users), 100)})
    frame["item_id"] = np.concatenate([rng.permutation(n_items)[:100] for _ in range(n_users)])
    frame = pd.concat([frame, pd.DataFrame({"user_id": 0, "item_id": np.arange(n_items)})])
    recaller = Ease().fit(frame.assign(rating=np.float32(5), timestamp=0))
    recaller.save(tmp_path / "ease")
    loaded = load_recaller(tmp_path / "ease")
    assert recaller.weights_.nbytes > 40e6
    assert not loaded.weights_.flags.owndata
    assert not loaded.weights_.flags.writeable
    pd.testing.assert_frame_equal(loaded.recommend(7, 9), recaller.recommend(7, 9))
