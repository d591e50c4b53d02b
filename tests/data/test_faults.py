"""Whatever goes wrong, the error is clear and the data that was there is untouched."""

import hashlib
import os
import signal
import subprocess
import sys
import zipfile

import pandas as pd
import pytest
from tiny_sources import write_csv, write_recbole, write_tab, zipped

from recsys_lib import files
from recsys_lib.data import Request, archives, catalog, ensure, fetch, get, load, store
from recsys_lib.data.catalog import Digest
from recsys_lib.errors import DataError, MachineError


@pytest.fixture
def good(tmp_path):
    """A data set already in place; calling the fixture's value tells whether it still is."""
    before = get(Request("tiny", source=write_csv(tmp_path / "good")))
    content = {file.name: file.read_bytes() for file in before.path.iterdir()}

    def untouched() -> bool:
        now = {file.name: file.read_bytes() for file in load("tiny").path.iterdir()}
        beside = [path.name for path in before.path.parent.iterdir()]
        return now == content and sorted(beside) == [".tiny.lock", "tiny"]

    return untouched


def with_lines(folder, *extra: str):
    with open(folder / "ratings.csv", "a", encoding="utf-8") as out:
        out.writelines(line + "\n" for line in extra)
    return folder


def test_bad_rows_are_set_aside_with_reason_file_and_line(tmp_path):
    folder = with_lines(
        write_csv(tmp_path / "tiny"),
        "1,10,5,2000",  # line 6, the same as line 2
        "x,10,5,2001",
        "1,10,5.5,2002",
        "1,10,4.3,2003",  # MovieLens has half stars only
        "1,10,5,-1",
        "1,10,5,99999999999",
        "1,99,5,2004",  # no such film
        "1,10,5",
        "",
        "3,10,2.5,2005",
        "1,10,nan,2006",
    )
    dataset = get(Request("tiny", source=folder))
    rejects = pd.read_parquet(dataset.path / "rejects.parquet").sort_values("line")
    assert rejects[["line", "reason"]].to_numpy().tolist() == [
        [6, "duplicate"],
        [7, "no id"],
        [8, "rating out of range"],
        [9, "rating out of range"],
        [10, "timestamp before 1970"],
        [11, "timestamp in the future"],
        [12, "orphan item"],
        [13, "3 fields instead of 4"],
        [16, "no number"],
    ]
    assert set(rejects["file"]) == {"ratings.csv"}
    what = rejects[["column", "value"]].to_numpy().tolist()
    assert what[1:3] == [["userId", "x"], ["rating", "5.5"]]
    assert what[6:8] == [["movieId", "99"], [None, "1,10,5"]]
    assert dataset.description["rejects"] == dict(rejects["reason"].value_counts())
    assert dataset.description["source"]["rows_read"] == 14  # an empty line is no row
    assert len(dataset.interactions) == 5


def test_orphan_users_and_bad_metadata(tmp_path):
    folder = write_tab(tmp_path / "tiny")
    with open(folder / "u.user", "a") as out:
        out.write("2|1|M|other|1\nzwei|1|M|other|1\n3|4\n")
    with open(folder / "u.data", "a") as out:
        out.write("9\t10\t5\t2000\n")
    rejects = pd.read_parquet(get(Request("tiny", source=folder)).path / "rejects.parquet")
    found = sorted(rejects[["file", "line", "reason"]].itertuples(index=False, name=None))
    assert found == [
        ("u.data", 5, "orphan user"),
        ("u.user", 3, "duplicate"),
        ("u.user", 4, "no id"),
        ("u.user", 5, "2 fields instead of 5"),
    ]


@pytest.mark.parametrize("turn", [1, -1])
def test_of_a_repeated_row_the_highest_rating_is_kept(turn, tmp_path):
    folder = write_csv(tmp_path / "tiny")
    lines = ["1,10,2,2000", "1,10,5,2000", "1,10,3,2000"][::turn]
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *lines]))
    assert get(Request("tiny", source=folder)).interactions["rating"].tolist() == [5.0]


def test_strict_stops_and_changes_nothing(tmp_path, good):
    folder = with_lines(write_csv(tmp_path / "bad"), "x,10,5,2000")
    with pytest.raises(DataError, match=r"1 no id.*ratings\.csv, line 6: userId 'x'"):
        get(Request("tiny", source=folder, strict=True))
    assert good()


@pytest.mark.parametrize("text", ["", "userId,movieId,rating,timestamp\n", "\x00\x01\x02"])
def test_files_without_a_valid_row(text, tmp_path, good):
    folder = write_csv(tmp_path / "bad")
    (folder / "ratings.csv").write_text(text)
    with pytest.raises(DataError):
        get(Request("tiny", source=folder))
    assert good()


def test_milliseconds_are_understood_and_said(tmp_path):
    folder = write_csv(tmp_path / "bad")
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,10,5,1700000000000\n")
    said = []
    rows = get(Request("tiny", source=folder), say=said.append).interactions
    assert rows["timestamp"].tolist() == [1_700_000_000]
    assert "timestamp: numbers are read as milliseconds since 1970." in said


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated_archive(share, tmp_path, good):
    archive = zipped(write_csv(tmp_path / "x"), tmp_path / "x.zip")
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * share)])
    with pytest.raises(DataError, match="damaged or was cut short"):
        get(Request("tiny", source=archive))
    assert good()


def test_flipped_bytes_in_an_archive(tmp_path, good):
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        out.writestr("ratings.csv", "userId,movieId,rating,timestamp\n1,10,5,2000\n")
    archive.write_bytes(archive.read_bytes().replace(b"1,10,5,2000", b"1,10,4,2000"))
    with pytest.raises(DataError, match="damaged"):
        get(Request("tiny", source=archive))
    assert good()


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt", "..\\evil"])
def test_paths_that_climb_out(name, tmp_path, good):
    archive = zipped(write_csv(tmp_path / "x"), tmp_path / "x.zip")
    with zipfile.ZipFile(archive, "a") as out:
        out.writestr(name, "evil")
    with pytest.raises(DataError, match="leaves the folder"):
        get(Request("tiny", source=archive))
    assert good()
    assert not list(tmp_path.rglob("evil*"))


def test_symbolic_links_and_bombs(tmp_path, good, monkeypatch):
    link = zipfile.ZipInfo("ratings.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as out:
        out.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="symbolic link"):
        get(Request("tiny", source=tmp_path / "link.zip"))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("ratings.csv", b"0" * (20 << 20))
    with pytest.raises(DataError, match="no data set"):
        get(Request("tiny", source=tmp_path / "bomb.zip"))
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 100)
    with pytest.raises(DataError, match="more than"):
        get(Request("tiny", source=zipped(write_csv(tmp_path / "x"), tmp_path / "x.zip")))
    assert good()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 65])
def test_names_that_are_no_names(name, tmp_path):
    with pytest.raises(DataError, match="no name"):
        get(Request(name, source=write_csv(tmp_path / "x")))


def published(path) -> Digest:
    return Digest("md5", hashlib.md5(path.read_bytes()).hexdigest())


def test_download_from_a_mirror(tmp_path, server, monkeypatch):
    folder, url = server
    archive = zipped(write_csv(tmp_path / "ml-1m"), folder / "ml-1m.zip")
    known = catalog.KnownDataset("ml-1m", 4, published(archive), "terms", catalog.WHOLE_STARS)
    monkeypatch.setitem(catalog.KNOWN, "ml-1m", known)
    seen = []
    dataset = get(Request("ml-1m", mirror=url), lambda done, total: seen.append((done, total)))
    size = archive.stat().st_size
    assert seen[-1] == (size, size)
    assert dataset.description["source"]["url"] == f"{url}/ml-1m.zip"
    assert dataset.description["source"]["sha256"] == files.sha256_of(archive)
    assert get(Request("ml-1m", mirror=f"{url}/ml-1m.zip")).fingerprint == dataset.fingerprint


def test_download_with_the_wrong_hash_keeps_the_old_data(tmp_path, server, monkeypatch):
    folder, url = server
    archive = zipped(write_csv(tmp_path / "ml-1m"), folder / "ml-1m.zip")
    old = get(Request("ml-1m", source=archive)).fingerprint
    assert load("ml-1m").description["source"]["as_published"] is False
    with pytest.raises(DataError, match="is not the published file"):
        get(Request("ml-1m", mirror=url))
    assert load("ml-1m").fingerprint == old


def test_download_that_breaks_off_stalls_or_is_absent(tmp_path, server, monkeypatch):
    folder, url = server
    target = tmp_path / "got" / "x.zip"
    digest = Digest("md5", "0" * 32)
    (folder / "cut-x.zip").write_bytes(os.urandom(300_000))
    with pytest.raises(DataError, match="broke off"):
        fetch.download(f"{url}/cut-x.zip", target, digest)
    with pytest.raises(DataError, match="404"):
        fetch.download(f"{url}/absent.zip", target, digest)
    with pytest.raises(DataError, match="could not be fetched"):
        fetch.download("http://127.0.0.1:9/x.zip", target, digest)
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.3)
    with pytest.raises(DataError, match="timed out"):
        fetch.download(f"{url}/stall-x.zip", target, digest)
    assert list(target.parent.iterdir()) == []


def test_killed_writer_leaves_the_old_data_and_the_next_one_tidies(tmp_path, good, data_dir):
    script = (
        "import time\nfrom recsys_lib.data import store\n"
        "with store.writing('tiny'):\n    print('writing', flush=True)\n    time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "writing\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert len(load("tiny").interactions) == 4
    assert not good()  # the killed writer's folder lies beside it
    assert ensure("tiny").name == "tiny"
    assert good()


def test_killed_between_the_two_moves_the_old_data_returns(good, data_dir):
    holder = data_dir / ".tiny.abcd1234"
    holder.mkdir()
    os.replace(data_dir / "tiny", holder / "old")
    assert ensure("tiny").name == "tiny"
    assert good()


def test_killed_download_leaves_the_old_data(tmp_path, server, good, data_dir):
    folder, url = server
    (folder / "stall-x.zip").write_bytes(b"")
    script = (
        "from recsys_lib.data import Request, get\n"
        f"get(Request('ml-1m', mirror='{url}/stall-x.zip'), lambda *_: print('some', flush=True))"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "some\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert store.present() == ["tiny"]
    assert len(load("tiny").interactions) == 4


def test_python_without_pip_and_index_without_wheel(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", _python_without_pip(tmp_path))
    with pytest.raises(MachineError, match="ensurepip"):
        fetch.download_wheel(catalog.KNOWN["ml-100k"].wheel, tmp_path)


def _python_without_pip(tmp_path) -> str:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    return str(tmp_path / "v" / "bin" / "python")


def test_wheel_from_a_folder_index_with_the_wrong_hash(tmp_path, monkeypatch):
    index = tmp_path / "index"
    index.mkdir()
    with zipfile.ZipFile(index / "recbole-1.2.1-py3-none-any.whl", "w") as out:
        out.writestr("recbole-1.2.1.dist-info/METADATA", "Name: recbole\nVersion: 1.2.1\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    with pytest.raises(DataError, match="could not fetch"):
        get(Request("ml-100k"))
    assert store.present() == []


def test_damage_on_disk_is_found(tmp_path):
    from recsys_lib.data.integrity import problems

    dataset = get(Request("tiny", source=write_recbole(tmp_path / "x")))
    assert problems(dataset) == []
    interactions = dataset.interactions
    interactions.iloc[::-1].to_parquet(dataset.path / "interactions.parquet", index=False)
    assert any("canonical columns" in sentence for sentence in problems(dataset))
    import pyarrow as pa
    import pyarrow.parquet as pq

    from recsys_lib import schema

    turned = pa.Table.from_pandas(
        interactions.iloc[::-1], schema.INTERACTIONS, preserve_index=False
    )
    pq.write_table(turned.slice(1), dataset.path / "interactions.parquet")
    found = " ".join(problems(dataset))
    assert "not in order" in found
    assert "3 interactions lie there" in found
    assert "fingerprint differs" in found
    (dataset.path / "interactions.parquet").write_bytes(b"PAR1")
    assert any("cannot be read" in sentence for sentence in problems(dataset))


def test_missing_data_set_says_what_to_do():
    with pytest.raises(DataError, match="recsys data get ml-100k"):
        load("ml-100k")
    with pytest.raises(DataError, match=r"Did you mean 'ml-100k'\?"):
        get(Request("ml100k"))
