"""Executed notebooks as pages."""

import base64
import re
from xml.etree import ElementTree

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from recsys_lib.experiments.html import formula_picture, write_html


def test_formulas_are_drawn_and_keep_their_source_as_text():
    picture = formula_picture(r"\frac{1}{n} \sum_i x_i < 1")
    assert r'alt="\frac{1}{n} \sum_i x_i &lt; 1"' in picture
    drawn = base64.b64decode(re.search(r"base64,([^\"]+)", picture).group(1))
    assert ElementTree.fromstring(drawn).tag.endswith("svg")


def test_a_formula_that_cannot_be_drawn_stays_as_written():
    assert formula_picture(r"\begin{aligned}a\end{aligned} < 1") == (
        r"<code>\begin{aligned}a\end{aligned} &lt; 1</code>"
    )


def test_a_page_loads_nothing_from_elsewhere(tmp_path):
    text = "# Title\n\nBoth $x_i$ and\n\n$$\n\\sigma(x)\n$$\n\n| a |\n|---|\n| 1 |"
    notebook = new_notebook(cells=[new_markdown_cell(text), new_code_cell("1 + 1")])
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
    page = write_html(tmp_path / "notebook.ipynb").read_text()
    loaded = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"([^\"]+)", page)
    assert len(loaded) == 2
    assert all(each.startswith("data:image/svg+xml") for each in loaded)
    assert "import(" not in page
    assert "@import" not in page
    assert "<table" in page
