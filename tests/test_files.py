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
    assert os.listdir(target) == ["one"]
    with files.atomic_folder(target) as fresh:
        (fresh / "three").write_text("3")
    assert os.listdir(target) == ["three"]
    assert os.listdir(tmp_path) == ["data"]


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
