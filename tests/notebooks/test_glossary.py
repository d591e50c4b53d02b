"""The glossary: in order, one sentence a term, and no term of the rewritten chapters is missing."""

import re

import nbformat
import pytest

from recsys_lib import paths

CHINESE = r"[\u4e00-\u9fff]+"
REWRITTEN = (
    "00_overview",
    "01_feature_engineering",
    "02_training_samples",
    "03_item2vec",
    "04_graph_embedding",
    "05_recall",
    "06_lsh",
    "07_embedding_mlp",
    "12_online_serving",
)  # chapters in the form that teaches


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    text = (paths.notebooks_dir() / "glossary.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_terms_are_in_alphabetical_order_and_once(rows):
    terms = [row[0].casefold() for row in rows]
    assert terms == sorted(set(terms))


def test_each_term_has_one_sentence_and_its_notebook(rows):
    for term, _, meaning, where in rows:
        assert re.fullmatch(r"[^ ].*[^.]\.", meaning), term
        assert re.fullmatch(r"\d\d(, \d\d)*", where), term


@pytest.mark.parametrize("name", REWRITTEN)
def test_every_chinese_term_of_a_chapter_is_there(rows, name):
    known = " ".join(row[1] for row in rows)
    notebook = nbformat.read(paths.notebooks_dir() / f"{name}.ipynb", as_version=4)
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    used = re.findall(r"[(（]([^()（）]*)[)）]", prose)
    terms = {term for each in used for term in re.findall(CHINESE, each)}
    assert terms, "a chapter gives the notes' terms"
    assert sorted(term for term in terms if term not in known) == []
