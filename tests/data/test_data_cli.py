"""``recsys data`` as a person types it."""

import subprocess
import sys

import pytest
from tiny_sources import write_csv
from typer.testing import CliRunner

from recsys_lib.cli.data import app

recsys = CliRunner()


def test_get_list_check(tmp_path, data_dir):
    source = write_csv(tmp_path / "tiny")
    got = recsys.invoke(app, ["get", "tiny", "--from", str(source)])
    assert got.exit_code == 0
    assert "4 interactions of 2 users with 3 items" in got.output
    listed = recsys.invoke(app, ["list"])
    assert "tiny" in listed.output
    assert "ml-32m" in listed.output
    assert recsys.invoke(app, ["check", "tiny"]).exit_code == 0
    (data_dir / "tiny" / "items.parquet").unlink()
    checked = recsys.invoke(app, ["check", "tiny"])
    assert checked.exit_code == 1
    assert "items.parquet is missing" in checked.output


def test_get_shows_what_was_set_aside(tmp_path):
    source = write_csv(tmp_path / "tiny")
    with open(source / "ratings.csv", "a") as out:
        out.write("x,10,5,2000\n")
    got = recsys.invoke(app, ["get", "tiny", "--from", str(source)])
    assert "set aside: 1 row: no id" in got.output
    assert "ratings.csv, line 6: userId 'x': no id" in got.output
    assert "rejects.parquet" in got.output


def test_get_own_csv_and_synth(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("uid,sku,when\nann,A,1000\nbob,B,2000\n")
    columns = "user=uid,item=sku,timestamp=when"
    got = recsys.invoke(app, ["get", "shop", "--from", str(path), "--columns", columns])
    assert "2 interactions of 2 users with 2 items" in got.output
    sizes = ["--users", "50", "--items", "100", "--interactions", "1500"]
    made = recsys.invoke(app, ["synth", "small", *sizes])
    assert "1,500 interactions of 50 users with 100 items" in made.output


def test_what_is_here_is_not_fetched_again(tmp_path):
    recsys.invoke(app, ["get", "tiny", "--from", str(write_csv(tmp_path / "tiny"))])
    assert "here already" in recsys.invoke(app, ["get", "tiny"]).output


def test_an_error_is_one_message_without_a_traceback():
    command = [sys.executable, "-m", "recsys_lib", "data", "check", "nope"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "recsys data get nope" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["list", "get", "check", "synth"])
def test_help_shows_an_example(command):
    shown = recsys.invoke(app, [command, "--help"]).output
    assert f"recsys data {command}" in shown
