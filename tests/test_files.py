"""Writing is all or nothing."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from recsys_lib import files
from recsys_lib.errors import RecsysError


def test_atomic_path_replaces_only_on_success(tmp_path):
    target = tmp_path / "a.txt"
    files.write_text(target, "old")
    with pytest.raises(ZeroDivisionError), files.atomic_path(target) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert target.read_text() == "old"
    files.write_text(target, "new")
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_written_files_follow_the_umask(tmp_path):
    files.write_text(tmp_path / "shared.txt", "x")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "shared.txt").stat().st_mode & 0o777 == 0o666 & ~umask


def test_atomic_folder_keeps_the_old_folder_on_failure(tmp_path):
    target = tmp_path / "data"
    with files.atomic_folder(target) as fresh:
        (fresh / "one").write_text("1")
    with pytest.raises(ZeroDivisionError), files.atomic_folder(target) as fresh:
        (fresh / "two").write_text(f"half {1 / 0}")
    assert sorted(os.listdir(target)) == [files.MARKER, "one"]
    with files.atomic_folder(target) as fresh:
        (fresh / "three").write_text("3")
    assert sorted(os.listdir(target)) == [files.MARKER, "three"]
    assert os.listdir(tmp_path) == ["data"]


def written(folder):
    with files.atomic_folder(folder) as fresh:
        (fresh / "inner").mkdir()
        (fresh / "inner" / "one").write_text("1")


def thesis_in_an_old_result(folder):
    written(folder)
    (folder / "inner" / "thesis.txt").write_text("years of work")


def thesis(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")


def somebody_elses_marker(folder):
    thesis(folder)
    files.write_json(folder / files.MARKER, {"made_by": "another", "files": ["thesis.txt"]})


def link(folder):
    written(folder)
    (folder / "data").symlink_to(folder.parent)


@pytest.mark.parametrize("made", [thesis_in_an_old_result, thesis, somebody_elses_marker, link])
def test_a_folder_with_anything_of_somebody_elses_stays(made, tmp_path):
    made(tmp_path / "out")
    before = {p: p.is_file() and p.read_bytes() for p in tmp_path.rglob("*")}
    for act in (
        lambda: written(tmp_path / "out"),
        lambda: files.remove_folder(tmp_path / "out"),
        lambda: files.claim_folder(tmp_path / "out", ["state"]),
    ):
        with pytest.raises(RecsysError, match="which this program did not write"):
            act()
    assert {p: p.is_file() and p.read_bytes() for p in tmp_path.rglob("*")} == before


def test_what_came_while_the_block_ran_stays(tmp_path):
    written(tmp_path / "out")
    replacing = files.atomic_folder(tmp_path / "out")
    (replacing.__enter__() / "two").write_text("2")
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(RecsysError, match=r"thesis\.txt"):
        replacing.__exit__(None, None, None)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"
    assert os.listdir(tmp_path) == ["out"]


def test_what_is_replaced_without_loss(tmp_path):
    (tmp_path / "empty").mkdir()
    written(tmp_path / "empty")
    (tmp_path / "empty" / ".DS_Store").write_text("")
    written(tmp_path / "empty")
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    written(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert sorted(os.listdir(tmp_path / "empty")) == [files.MARKER, "inner"]
    files.remove_folder(tmp_path / "empty")
    files.remove_folder(tmp_path / "empty")
    assert os.listdir(tmp_path) == ["link"]


def test_a_result_from_before_there_were_markers_is_known(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    files.write_json(old / "dataset.json", {"fingerprint": "1"})
    (old / "items.parquet").write_text("")
    (old / "thesis.txt").write_text("years of work")
    with pytest.raises(RecsysError, match=r"thesis\.txt, which"):
        written(old)
    (old / "thesis.txt").unlink()
    written(old)
    assert sorted(os.listdir(old)) == [files.MARKER, "inner"]


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RecsysError, match="is a file"):
            written(path)


def test_a_claimed_folder_is_known_again(tmp_path):
    files.claim_folder(tmp_path / "state", ["a.npz"])
    (tmp_path / "state" / "a.npz").write_text("a")
    files.claim_folder(tmp_path / "state", ["b.npz"])
    (tmp_path / "state" / "b.npz").write_text("b")
    files.remove_folder(tmp_path / "state")
    assert os.listdir(tmp_path) == []


def test_json_round_trip_keeps_chinese_readable(tmp_path):
    files.write_json(tmp_path / "a.json", {"term": "分桶"})
    assert "分桶" in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert files.read_json(tmp_path / "a.json") == {"term": "分桶"}
    assert json.loads((tmp_path / "a.json").read_bytes()) == {"term": "分桶"}


def test_sha256_of_a_known_text(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert files.sha256_of(tmp_path / "abc") == known


def test_a_lock_keeps_others_out_and_dies_with_its_holder(tmp_path):
    code = (
        "import sys, time; from recsys_lib import files\n"
        "with files.locked(sys.argv[1]): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "x")], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline().strip() == "held"
    waited = subprocess.Popen(
        [sys.executable, "-c", code.replace("time.sleep(60)", "pass"), str(tmp_path / "x")],
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(1)
    assert waited.poll() is None
    holder.send_signal(signal.SIGKILL)
    assert waited.communicate(timeout=20)[0].strip() == "held"
    holder.wait()
    holder.stdout.close()


def test_arrays_come_back_and_anything_else_is_refused(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, numbers=np.arange(3), words=np.array(["a", "b"]))
    stored = files.read_npz(path)
    assert stored["numbers"].tolist() == [0, 1, 2]
    assert stored["words"].tolist() == ["a", "b"]
    whole = path.read_bytes()
    np.save(tmp_path / "one.npy", np.arange(3))
    lone = (tmp_path / "one.npy").read_bytes()
    for content in (
        whole[:-30],
        whole[:60],
        whole.replace(b"\x02\0\0", b"\x03\0\0"),
        lone,
        b"",
        b"x",
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"npz|pickled"):
            files.read_npz(path)
    np.savez(path, objects=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        files.read_npz(path)
    with pytest.raises(FileNotFoundError):
        files.read_npz(tmp_path / "missing.npz")
