"""Seeding, paths, Java and errors."""

import os
import subprocess
import sys

import numpy as np
import pytest

from recsys_lib import native_log, paths, seeding
from recsys_lib.errors import MachineError, nearest
from recsys_lib.spark import java


def test_streams_of_different_names_differ_and_repeat():
    one = seeding.generator(1, "walks").random(5)
    assert (one == seeding.generator(1, "walks").random(5)).all()
    assert (one != seeding.generator(1, "splits").random(5)).all()
    assert (one != seeding.generator(2, "walks").random(5)).all()


def test_key_hash_depends_on_the_row_alone_and_is_uniform():
    users, items = np.arange(20_000), np.arange(20_000)[::-1]
    hashed = seeding.key_hash(users, items)
    assert (hashed[::-1] == seeding.key_hash(users[::-1], items[::-1])).all()
    assert (hashed != seeding.key_hash(items, users)).sum() >= 19_999
    assert len(np.unique(hashed)) == 20_000
    # Each of the 64 bits is a fair coin: 5 standard deviations of 20,000 throws.
    bits = (hashed[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(20_000)


def test_folders_are_found_from_anywhere(tmp_path, monkeypatch):
    root = paths.project_root()
    assert (root / "pyproject.toml").exists()
    monkeypatch.chdir(root / "tests")
    assert paths.project_root() == root
    monkeypatch.chdir(tmp_path)
    assert paths.project_root() == root
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path))
    assert paths.data_dir() == tmp_path


def _fake_java(folder, text):
    folder.joinpath("bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho '{text}' >&2\n")
    program.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("version", ["17.0.15", "21"])
def test_java_versions_spark_can_start(tmp_path, monkeypatch, version):
    monkeypatch.setenv("JAVA_HOME", _fake_java(tmp_path / "j", f'openjdk version "{version}" x'))
    assert java.find_java()[1] == int(version.split(".")[0])


@pytest.mark.parametrize("text", ['java version "1.8.0_292"', 'openjdk version "25"', "nonsense"])
def test_wrong_java_is_refused_with_what_to_do(tmp_path, monkeypatch, text):
    monkeypatch.setenv("JAVA_HOME", _fake_java(tmp_path / "j", text))
    with pytest.raises(MachineError, match="Java 17 or 21"):
        java.find_java()


def test_no_java_ends_the_bare_check_in_one_line(tmp_path):
    environment = {"PATH": str(tmp_path), "PYTHONPATH": str(paths.project_root())}
    told = subprocess.run(
        [sys.executable, "-S", "-m", "recsys_lib.spark"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 1
    assert told.stderr.startswith("No Java found.")
    assert told.stderr.count("\n") == 1


def test_nearest_name():
    assert nearest("windw", ["window", "epochs"]) == " Did you mean 'window'?"
    assert nearest("zzz", ["window"]) == ""


def test_native_noise_goes_to_the_log(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("RECSYS_RUN_DIR", str(tmp_path))
    with native_log.native_stderr_to_log():
        os.write(2, b"noise of a native library\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
    assert (tmp_path / "native.log").read_text() == "noise of a native library\n"
