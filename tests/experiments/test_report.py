"""The report of a run, made from files laid out by hand."""

import base64
import re

import pytest

from recsys_lib import files
from recsys_lib.experiments.report import duration, readable, rows, write_report

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize(
    ("value", "unit", "number", "shown_unit"),
    [
        (0.123456, "fraction", "0.123", ""),
        (0.0, "fraction", "0", ""),
        (-0.5, "nats", "-0.500", "nats"),
        (0.00001234, "fraction", "1.23e-05", ""),
        (98114, "count", "98,114", ""),
        (12.345, "ms", "12.3", "ms"),
        (0.0123, "s", "12.3", "ms"),
        (0.000213, "s", "213", "µs"),
        (235912.4, "per_s", "235,912", "per s"),
        (1_500_000, "bytes", "1.50", "MB"),
        (12, "bytes", "12", "B"),
    ],
)
def test_numbers_are_shown_as_people_read_them(value, unit, number, shown_unit):
    assert readable(value, unit) == (number, shown_unit)


def test_an_interval_stands_beside_its_metric():
    values = {"x": 0.5, "x_low": 0.4, "x_high": 0.61, "y_low": 0.1}
    metrics = {name: {"value": value, "unit": "fraction"} for name, value in values.items()}
    assert rows(metrics) == [("x", "0.500 (0.400 to 0.610)", ""), ("y_low", "0.100", "")]


def test_times_are_shown_as_people_say_them():
    assert [duration(each) for each in (3.21, 48.2, 245)] == ["3.2 s", "48 s", "4 min 5 s"]


@pytest.fixture
def a_run(tmp_path):
    notebook = {
        "title": "03 Item2vec",
        "status": "ok",
        "seconds": 12.3,
        "error": {},
        "source": None,
        "fingerprint": "f",
        "parameters": {"window": 5},
    }
    error = {"cell": 7, "error": "ValueError: <b>bad</b>", "line": "line 2: f(x)", "trace": "t.txt"}
    failed = notebook | {"title": "04 Graph", "status": "failed", "error": error}
    told = {
        "status": "failed",
        "command": "recsys run",
        "began": "2026-11-24T10:11:12+00:00",
        "seconds": 75.0,
        "dataset": "ml-100k",
        "data_fingerprint": "d1",
        "profile": "default",
        "notebooks": {"03_item2vec": notebook, "04_graph": failed},
        "python": "3.12.1",
        "platform": "Linux",
        "machine": "x86_64",
        "java": None,
        "packages": {"numpy": "2.4.0"},
        "revision": None,
    }
    files.write_json(tmp_path / "run.json", told)
    metrics = {"03_item2vec.recall_at_10": {"value": 0.1234, "unit": "fraction"}}
    files.write_json(tmp_path / "metrics.json", metrics)
    figures = tmp_path / "03_item2vec" / "figures"
    files.write_json(figures / "figures.json", [{"file": "a.png", "caption": "Vectors < walks"}])
    (figures / "a.png").write_bytes(PIXEL)
    files.write_text(tmp_path / "03_item2vec" / "notebook.html", "<html></html>")
    return tmp_path


def test_the_report_holds_everything_itself_and_escapes_what_it_shows(a_run):
    page = write_report(a_run).read_text()
    assert base64.b64encode(PIXEL).decode() in page
    assert "Vectors &lt; walks" in page
    assert "ValueError: &lt;b&gt;bad&lt;/b&gt;" in page
    assert re.search(r"recall_at_10</td><td class=\"number\">0\.123<", page)
    links = set(re.findall(r'(?:href|src)="([^"#]+)"', page))
    assert {each for each in links if not each.startswith("data:")} == {
        "03_item2vec/notebook.html",
        "metrics.json",
        "t.txt",
    }
    assert "http:" not in page
    assert "https:" not in page
