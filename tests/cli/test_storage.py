"""A full disk, folders that are only read, files where folders belong: a sentence for each."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROWS = "".join(f"{n % 900},{n % 877},{1 + n % 5},{10**9 + n}\n" for n in range(20_000))
WRITERS = {
    "data get": "data get mine --from ../in.csv",
    "samples build": "samples build kept --out s",
    "recommend": "recommend --recaller popular -p min_rating=3 --train ../in.csv --out lists.csv",
}
ON_TMPFS = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]


@pytest.fixture(scope="module")
def there(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("storage")
    (folder / "in.csv").write_text("user,item,rating,timestamp\n" + ROWS)
    (folder / "small").mkdir()
    mounted = [*ON_TMPFS, "mount", "-t", "tmpfs", "tmpfs", str(folder / "small")]
    if not shutil.which("unshare") or subprocess.run(mounted, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    recsys("data get kept --from in.csv", folder, folder / "data")
    return folder


def recsys(arguments: str, folder: Path, data: Path, first: str = "true") -> str:
    """Run the program in ``folder`` after a shell's line; return what it printed."""
    program = f"{shlex.quote(sys.executable)} -m recsys_lib {arguments}"
    script = f"{first} && cd {folder} && RECSYS_DATA_DIR={data} {program}"
    found = subprocess.run(
        [*ON_TMPFS, "sh", "-c", script], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in found.stderr
    return f"{found.stdout}{found.stderr}exit {found.returncode}"


def written_on(what: str, there: Path, option: str) -> str:
    """Write to a folder that is mounted with an option; return what the program said."""
    small = there / "small"
    data = small if what == "data get" else there / "data"
    return recsys(WRITERS[what], small, data, f"mount -t tmpfs -o {option} tmpfs {small}")


@pytest.mark.parametrize("what", WRITERS)
def test_a_full_disk(what, there):
    said = written_on(what, there, "size=16k")
    assert "There is no space left on the disk" in said
    assert said.endswith("exit 1")


@pytest.mark.parametrize("what", WRITERS)
def test_a_folder_that_is_only_read(what, there):
    said = written_on(what, there, "ro")
    assert "may not be read or written" in said
    assert str(there / "small") in said
    assert said.endswith("exit 1")


def test_a_data_set_in_a_folder_that_is_only_read_is_used(there):
    data = there / "data"
    mount = f"mount --bind {data} {data} && mount -o remount,bind,ro {data}"
    said = recsys("samples build kept --out built", there, data, mount)
    assert "20,000 samples in built" in said
    assert said.endswith("exit 0")


@pytest.mark.parametrize("command", ["data list", "data get mine --from in.csv", "samples build x"])
def test_a_file_where_the_data_belong(command, there):
    said = recsys(f"{command}{' --out s' if 'build' in command else ''}", there, there / "in.csv")
    assert f"A file stands where a folder is needed, or a folder where a file is ({there}" in said
    assert said.endswith("exit 1")
