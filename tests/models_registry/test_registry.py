"""Versions on disk: nothing half, nothing worse, and always a way back."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from recsys_lib import files
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.models_registry import Lineage, ModelRegistry, NotPromoted, Parity

GOOD = Parity(1e-8, 1e-6, 100)


def lineage(auc=0.7, parity=GOOD, **changed) -> Lineage:
    return Lineage(
        "made", "0123", "abc", {"dim": 4}, {"validation_auc": auc}, parity=parity, **changed
    )


def writer(of=None, text="model"):
    def write(folder: Path) -> Lineage:
        (folder / "saved_model.pb").write_text(text)
        return of or lineage()

    return write


@pytest.fixture
def registry(tmp_path) -> ModelRegistry:
    return ModelRegistry(tmp_path / "models")


def add(registry, *aucs, name="ranker"):
    return [registry.add(name, writer(lineage(auc))) for auc in aucs]


def test_versions_count_up_and_say_where_they_come_from(registry):
    assert registry.names() == []
    assert add(registry, 0.7, 0.8) == [1, 2]
    assert registry.versions("ranker") == [1, 2]
    assert registry.current("ranker") is None
    assert registry.lineage("ranker", 2) == lineage(0.8)
    assert (registry.path("ranker", 1) / "saved_model.pb").read_text() == "model"


def test_a_writer_that_fails_leaves_no_version(registry):
    def write(folder):
        (folder / "saved_model.pb").write_text("half")
        raise ValueError("no space left")

    add(registry, 0.7)
    with pytest.raises(ValueError, match="no space"):
        registry.add("ranker", write)
    assert registry.versions("ranker") == [1]
    assert {p.name for p in (registry.folder / "ranker").iterdir()} == {"1", "promotions.json"}


def test_promotion_goes_up_and_back_step_by_step(registry):
    add(registry, 0.7, 0.8, 0.8)
    for version in (1, 2, 3):
        registry.promote("ranker", version)
    assert [registry.rollback("ranker") for _ in range(2)] == [2, 1]
    assert registry.current("ranker") == 1
    with pytest.raises(RecsysError, match="no earlier version"):
        registry.rollback("ranker")
    assert [(e["what"], e["version"]) for e in registry.log("ranker")] == [
        ("promoted", 1), ("promoted", 2), ("promoted", 3), ("rolled back", 2), ("rolled back", 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("worse", "message"),
    [
        (lineage(0.6), "validation_auc 0.6000 is worse than 0.7000 of version 1"),
        (lineage(float("nan")), "is worse than"),
        (lineage(0.9, Parity(1e-3, 1e-6, 9)), "differ from those of training by 0.001"),
        (lineage(0.9, Parity(float("nan"), 1e-6, 9)), "differ from those of training by nan"),
        (lineage(0.9, None), "was not checked"),
        (replace(lineage(), metrics={"ndcg": 0.9}, criterion="ndcg"), "no ndcg to compare with"),
    ],
)
def test_what_is_not_good_enough_is_promoted_only_by_force(registry, worse, message):
    add(registry, 0.7)
    registry.promote("ranker", 1)
    registry.add("ranker", writer(worse))
    with pytest.raises(NotPromoted, match=message):
        registry.promote("ranker", 2)
    assert registry.current("ranker") == 1
    registry.promote("ranker", 2, force=True)
    assert registry.current("ranker") == 2
    assert registry.log("ranker")[-1]["what"] == "promoted by force"


def test_a_loss_is_better_when_it_is_lower(registry):
    loss = {"criterion": "log_loss", "higher_is_better": False}
    for value in (0.6, 0.5, 0.7):
        registry.add("m", writer(replace(lineage(), metrics={"log_loss": value}, **loss)))
    registry.promote("m", 1)
    registry.promote("m", 2)
    with pytest.raises(NotPromoted, match="worse"):
        registry.promote("m", 3)


def test_changed_files_are_not_even_promoted_by_force(registry):
    add(registry, 0.7, 0.8)
    registry.promote("ranker", 1)
    (registry.path("ranker", 2) / "saved_model.pb").write_text("another")
    with pytest.raises(DataError, match=r"saved_model\.pb is missing or has changed"):
        registry.promote("ranker", 2, force=True)
    assert registry.current("ranker") == 1


def test_unknown_names_and_versions_are_told(registry):
    add(registry, 0.7)
    with pytest.raises(DataError, match=r"no model 'rankr'\. Did you mean 'ranker'"):
        registry.promote("rankr", 1)
    with pytest.raises(DataError, match="has no version 7; it has 1"):
        registry.promote("ranker", 7)
    with pytest.raises(RecsysError, match="name of a folder"):
        registry.add("../out", writer())
    with pytest.raises(RecsysError, match="none of the metrics"):
        Lineage("made", "0123")


def test_a_damaged_description_is_told(registry):
    add(registry, 0.7)
    (registry.path("ranker", 1) / "version.json").write_text("{")
    with pytest.raises(DataError, match="description"):
        registry.lineage("ranker", 1)


def test_the_server_configuration_follows(registry):
    from recsys_lib.model_server.config import Specific, read_config

    add(registry, 0.7, 0.8, name='odd "name"')
    registry.add("not served", writer())
    registry.promote('odd "name"', 2)
    (config,) = read_config(registry.folder / "models.config")
    assert (config.name, config.policy) == ('odd "name"', Specific((2,)))
    assert config.labels == {"stable": 2}
    assert config.folder(2) == registry.path('odd "name"', 2).resolve()


def test_what_somebody_else_put_there_stays(registry):
    home = registry.folder / "ranker" / "1"
    home.mkdir(parents=True)
    (home / "saved_model.pb").write_text("theirs")
    (registry.folder / "models.config").write_text("model_config_list {}")
    with pytest.raises(RecsysError, match=r"saved_model\.pb, which this program did not write"):
        add(registry, 0.7)
    add(registry, 0.7, name="other")
    with pytest.raises(RecsysError, match=r"models\.config was not written by this program"):
        registry.promote("other", 1)
    assert (home / "saved_model.pb").read_text() == "theirs"
    assert (registry.folder / "models.config").read_text() == "model_config_list {}"


def test_many_at_once_get_a_number_each(registry):
    threads = [threading.Thread(target=add, args=(registry, 0.5)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.versions("ranker") == list(range(1, 9))


def test_a_killed_writer_is_not_seen(registry):
    add(registry, 0.7)
    left_over = registry.folder / "ranker" / ".2.abc" / "new"
    left_over.mkdir(parents=True)
    files.write_json(left_over / "version.json", {})
    assert registry.versions("ranker") == [1]
    assert add(registry, 0.8) == [2]
