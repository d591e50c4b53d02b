"""Executed notebooks as pages."""

import html
import re
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from recsys_lib import paths
from recsys_lib.experiments.html import formula, markdown_to_html, write_html

MATHML = "{http://www.w3.org/1998/Math/MathML}"
NOTEBOOKS = sorted(paths.notebooks_dir().glob("[0-9]*.ipynb"))


def test_a_formula_becomes_mathml():
    read = ElementTree.fromstring(formula(r"\frac{1}{n} \sum_i x_i < 1", "block"))
    assert read.tag == f"{MATHML}math"
    assert read.get("display") == "block"
    assert [each.text for each in read.find(f".//{MATHML}mfrac").iter() if each.text] == ["1", "n"]


def test_a_formula_that_cannot_be_read_stays_as_written():
    assert formula(r"x < \frac", "inline") == r"<code>x &lt; \frac</code>"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_formula_of_the_course_is_shown_raw(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown" and "$" in cell.source:
            page = markdown_to_html(cell.source)
            read = [ElementTree.fromstring(each) for each in re.findall("<math.*?</math>", page)]
            texts = [element.text or "" for each in read for element in each.iter()]
            assert [text for text in texts if "\\" in text] == []
            written = re.findall("<code>([^<]*)</code>", page)
            assert [each for each in written if f"`{html.unescape(each)}`" not in cell.source] == []


def test_a_page_loads_nothing_from_elsewhere(tmp_path):
    text = "# Title\n\nBoth $x_i$ and\n\n$$\n\\sigma(x)\n$$\n\n| a |\n|---|\n| 1 |"
    notebook = new_notebook(cells=[new_markdown_cell(text), new_code_cell("1 + 1")])
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
    page = write_html(tmp_path / "notebook.ipynb").read_text()
    loaded = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"([^\"]+)", page)
    assert loaded == []
    assert page.count("</math>") == 2
    assert "import(" not in page
    assert "@import" not in page
    assert "<table" in page


def test_the_keyboard_reaches_cells_and_outputs_and_a_figure_has_a_name(tmp_path):
    shown = ({"text/plain": "1"}, {"text/html": "<p>1</p>"}, {"image/png": "iVBORw0KGgo="})
    outputs = [new_output("display_data", data=each) for each in shown]
    outputs += [new_output("stream", text="1"), new_output("execute_result", data=shown[0])]
    cells = [new_markdown_cell("# Title"), new_code_cell("1 + 1", outputs=outputs)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "notebook.ipynb")
    page = BeautifulSoup(write_html(tmp_path / "notebook.ipynb").read_text(), "html.parser")
    parts = page.select("div.jp-Cell-inputWrapper, div.jp-OutputArea-output")
    assert len(parts) == len(cells) + len(outputs)
    assert page.select("[tabindex='0']") == parts
    assert [image["alt"] for image in page.select("img")] == ["Figure"]
