"""The life of versions, with a loader that does what the test says and a clock that stands."""

import threading

import pytest

from recsys_lib.errors import DataError
from recsys_lib.model_server import All, Latest, ModelConfig, Specific, StatusError
from recsys_lib.model_server.manager import ModelManager


class Loader:
    """Loads a folder whose file ``model`` says "good"; notes what happens."""

    def __init__(self):
        self.events = []

    def __call__(self, name, version, folder):
        text = (folder / "model").read_text() if (folder / "model").is_file() else "nothing"
        self.events.append(f"load {version}")
        if text != "good":
            raise DataError(f"it says {text}")
        return Loaded(version, self.events)


class Loaded:
    def __init__(self, version, events):
        self.version, self.events = version, events

    def close(self):
        self.events.append(f"close {self.version}")


@pytest.fixture
def loader():
    return Loader()


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def make(loader, clock):
    """Return a function that makes a manager."""
    return lambda **settings: ModelManager(loader, now=lambda: clock[0], **settings)


def put(base, version, text="good"):
    (base / str(version)).mkdir(exist_ok=True)
    (base / str(version) / "model").write_text(text)


def config(base, policy=None, **labels):
    return [ModelConfig("m", base, policy or Latest(), labels)]


def test_the_latest_version_is_served_and_a_newer_one_takes_its_place(make, loader, tmp_path):
    put(tmp_path, 1)
    put(tmp_path, 9)
    put(tmp_path, 10)
    (tmp_path / "tmp-11").mkdir()  # a copy under another name is no version
    manager = make()
    manager.configure(config(tmp_path))
    assert manager.available("m") == [10]
    put(tmp_path, 11)
    manager.poll()
    assert manager.available("m") == [11]
    assert loader.events == ["load 10", "load 11", "close 10"]  # never without a version
    assert manager.states("m")[10].state == "END"


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        (Latest(2), [2, 3]),
        (Specific((1, 3, 9)), [1, 3]),
        (All(), [1, 2, 3]),
        (Latest(9), [1, 2, 3]),
    ],
)
def test_policies(make, tmp_path, policy, served):
    for version in (1, 2, 3):
        put(tmp_path, version)
    manager = make()
    manager.configure(config(tmp_path, policy))
    assert manager.available("m") == served


def test_a_policy_that_changes_takes_and_gives_versions(make, tmp_path):
    for version in (1, 2, 3):
        put(tmp_path, version)
    manager = make()
    manager.configure(config(tmp_path))
    manager.configure(config(tmp_path, Specific((1, 2))))
    assert manager.available("m") == [1, 2]
    manager.configure([])
    with pytest.raises(StatusError, match="Latest"):
        manager.borrowed("m").__enter__()


def test_a_removed_version_falls_back_to_the_one_before(make, tmp_path):
    put(tmp_path, 1)
    put(tmp_path, 2)
    manager = make()
    manager.configure(config(tmp_path))
    (tmp_path / "2" / "model").unlink()
    (tmp_path / "2").rmdir()
    manager.poll()
    assert manager.available("m") == [1]


@pytest.mark.parametrize("resource_preserving", [False, True])
def test_a_broken_version_never_replaces_a_good_one(make, tmp_path, resource_preserving):
    put(tmp_path, 1)
    manager = make(resource_preserving=resource_preserving)
    manager.configure(config(tmp_path))
    put(tmp_path, 2, "half of it")
    for _ in range(3):
        manager.poll()
        assert manager.available("m") == [1]
    failed = manager.states("m")[2]
    assert (failed.state, failed.error.code, failed.error.message) == (
        "END", "DATA_LOSS", "it says half of it"
    )  # fmt: skip
    put(tmp_path, 2)  # the copy is complete now
    manager.poll()
    assert manager.available("m") == [2]


def test_what_is_seen_to_be_broken_is_not_waited_for(make, loader, tmp_path):
    """With the resource-preserving policy the check comes before anything is unloaded."""

    def check(folder):
        if (folder / "part").exists():
            raise DataError("not whole")

    put(tmp_path, 1)
    manager = make(resource_preserving=True, check=check)
    manager.configure(config(tmp_path))
    put(tmp_path, 2)
    (tmp_path / "2" / "part").touch()
    manager.poll()
    assert loader.events == ["load 1"]
    (tmp_path / "2" / "part").unlink()
    manager.poll()
    assert loader.events == ["load 1", "close 1", "load 2"]  # never two at once


def test_loads_are_tried_again_at_intervals_and_then_given_up(make, loader, clock, tmp_path):
    put(tmp_path, 1, "bad")
    manager = make(load_retries=2, load_retry_interval_s=60)
    with pytest.raises(StatusError, match=r"did not become available: \{m\}"):
        manager.configure(config(tmp_path))
    times = []
    for second in range(0, 300, 10):
        clock[0] = float(second)
        before = len(loader.events)
        manager.poll()
        times += [second] * (len(loader.events) - before)
    assert times == [60, 120]
    put(tmp_path, 1, "bad in another way")  # the files have changed: it may work now
    manager.poll()
    assert len(loader.events) == 4


def test_a_label_moves_only_to_a_loaded_version(make, tmp_path):
    put(tmp_path, 1)
    put(tmp_path, 2, "bad")
    manager = make()
    manager.configure(config(tmp_path, All(), stable=1))
    with pytest.raises(StatusError, match="label to version 2 of model m, which is not") as caught:
        manager.configure(config(tmp_path, All(), stable=2))
    assert caught.value.code == "FAILED_PRECONDITION"
    assert manager.version_of_label("m", "stable") == 1
    put(tmp_path, 2)
    manager.poll()
    assert manager.version_of_label("m", "stable") == 2
    manager.configure(config(tmp_path, All()))
    with pytest.raises(StatusError, match="Unrecognized servable version label: stable"):
        manager.version_of_label("m", "stable")


def test_a_version_in_use_is_unloaded_when_its_last_request_is_done(make, loader, tmp_path):
    put(tmp_path, 1)
    manager = make()
    manager.configure(config(tmp_path))
    put(tmp_path, 2)
    with manager.borrowed("m") as used:
        polling = threading.Thread(target=manager.poll)
        polling.start()
        while manager.states("m")[1].state != "UNLOADING":
            pass
        with manager.borrowed("m") as newer:  # new requests go to the new version
            assert newer.version == 2
        with pytest.raises(StatusError, match="Specific"):
            manager.borrowed("m", 1).__enter__()
        assert used.version == 1
        assert "close 1" not in loader.events
    polling.join()
    assert "close 1" in loader.events


def test_an_empty_folder_serves_nothing_until_a_version_comes(make, tmp_path):
    manager = make()
    with pytest.raises(StatusError, match="did not become available"):
        manager.configure(config(tmp_path / "not there"))
    assert manager.states("m") == {}
    (tmp_path / "not there").mkdir()
    put(tmp_path / "not there", 1)
    manager.poll()
    assert manager.available("m") == [1]
