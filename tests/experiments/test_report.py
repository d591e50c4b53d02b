"""The report of a run, made from files laid out by hand."""

import base64
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from recsys_lib import files
from recsys_lib.experiments import Missing
from recsys_lib.experiments.report import MAX_ROWS, write_report
from recsys_lib.experiments.results import Results


@pytest.fixture
def a_run(tmp_path):
    notebook = {
        "title": "03 Item2vec",
        "status": "ok",
        "seconds": 12.3,
        "error": {},
        "source": None,
        "fingerprint": "f",
        "parameters": {"window": 5, "epochs": 3},
        "changed": ["window"],
    }
    error = {"cell": 7, "error": "ValueError: <b>bad</b>", "line": "line 2: f(x)", "trace": "t.txt"}
    failed = notebook | {"title": "04 Graph", "status": "failed", "error": error}
    description = {
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
    files.write_json(tmp_path / "run.json", description)
    files.write_json(tmp_path / "metrics.json", {})
    results = Results(tmp_path / "03_item2vec")
    results.record(
        {
            "recall_at_10": ((0.1234, 0.1, 0.15), "fraction", "Share of likes < 1 found."),
            "people": (Missing("no knowledge graph"), "fraction", "Films with a director."),
        }
    )
    results.figure("a", Figure(), "Vectors < walks")
    table = pd.DataFrame(
        {
            "model": ["<mlp>", None],
            "auc": [0.71234, np.nan],
            "tags": [["x"], []],
            "gain": [(0.5, 0.25, 0.75), (np.nan, np.nan, np.nan)],
        }
    )
    results.table("board", table, "Models on one board")
    results.table("long", pd.DataFrame({"x": range(MAX_ROWS + 5)}), "A long table")
    files.write_text(tmp_path / "03_item2vec" / "notebook.html", "<html></html>")
    return tmp_path


def test_the_report_holds_everything_itself_and_escapes_what_it_shows(a_run):
    page = write_report(a_run).read_text()
    picture = (a_run / "03_item2vec" / "figures" / "a.png").read_bytes()
    assert base64.b64encode(picture).decode() in page
    assert "Vectors &lt; walks" in page
    assert "ValueError: &lt;b&gt;bad&lt;/b&gt;" in page
    links = set(re.findall(r'(?:href|src)="([^"#]+)"', page))
    assert {each for each in links if not each.startswith("data:")} == {
        "03_item2vec/notebook.html",
        "03_item2vec/tables/board.parquet",
        "03_item2vec/tables/long.parquet",
        "metrics.json",
        "t.txt",
    }
    assert "http:" not in page
    assert "https:" not in page


def cells_of(row: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", row)]


def test_key_figures_are_shown_with_meaning_interval_and_reason(a_run):
    page = write_report(a_run).read_text()
    key = page[page.index("<h2>Key figures") : page.index("<section")]
    shown = [cells_of(row) for row in re.findall(r"<tr>.*?</tr>", key, flags=re.DOTALL)]
    assert shown == [
        ["Share of likes &lt; 1 found.03_item2vec.recall_at_10", "0.123", "0.100 to 0.150"],
        ["Films with a director.03_item2vec.people", "–", "no knowledge graph"],
    ]


def test_tables_are_shown_and_long_ones_cut(a_run):
    page = write_report(a_run).read_text()
    board, long = re.findall(r'<table class="data">\n<thead>.*?</table>', page, flags=re.DOTALL)[:2]
    assert [cells_of(row) for row in re.findall(r"<tr>.*?</tr>", board)] == [
        ["model", "auc", "tags", "gain"],
        ["&lt;mlp&gt;", "0.712", "x", "0.500 (0.250 to 0.750)"],
        ["–", "–", "", "–"],
    ]
    assert 'data-number="0.71234"' in board
    assert long.count("<tr>") == MAX_ROWS + 1
    assert f"The first {MAX_ROWS} of {MAX_ROWS + 5} rows." in page


def test_what_failed_shows_no_figures_and_what_was_set_is_marked(a_run):
    Results(a_run / "04_graph").record({"x": (1, "count", "Of a run before it failed.")})
    page = write_report(a_run).read_text()
    assert "Of a run before it failed." not in page
    parameters = page[page.index("<summary>Parameters") :]
    rows = [cells_of(row) for row in re.findall(r"<tr>.*?</tr>", parameters)][:2]
    assert rows == [["window", "5", "set for this run"], ["epochs", "3", ""]]
