"""An executed notebook as one HTML page that needs no network."""

import functools
import html
import re
from pathlib import Path

from recsys_lib import files

# nbconvert's page asks content-delivery networks for RequireJS, MathJax and Mermaid.
_TEMPLATE = """
{%- extends "lab/index.html.j2" -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "TeX Gyre DejaVu Math",
  "DejaVu Math TeX Gyre", math; font-size: 1.1em; }
</style>
{%- endblock -%}
"""


def write_html(notebook: Path) -> Path:
    """Write ``notebook`` (.ipynb) as .html into the same folder and return its path."""
    text, _ = _exporter().from_filename(str(notebook))
    target = notebook.with_suffix(".html")
    files.write_text(target, text)
    return target


@functools.cache  # its templates are compiled once
def _exporter():
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter, TemplateExporter
    from nbconvert.filters import Highlight2HTML

    class Exporter(HTMLExporter):
        def from_notebook_node(self, nb, resources=None, **kw):
            # HTMLExporter parses the page that it has written, to change attributes of a few tags,
            # which takes longer than all the rest.
            resources = self._init_resources(resources)
            page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
            return _accessible(page), resources

    exporter = Exporter(
        template_name="lab",
        template_file="offline.html.j2",
        extra_loaders=[DictLoader({"offline.html.j2": _TEMPLATE})],
    )
    exporter.register_filter("highlight_code", Highlight2HTML(pygments_lexer="ipython3"))
    exporter.register_filter("markdown2html", markdown_to_html)
    # Highlighted code has no tags but those of the highlighting; washing them takes as long as
    # half of all else.
    exporter.register_filter("clean_html", lambda code: code)
    return exporter


def _accessible(page: str) -> str:
    """Let the tabulator key reach cells and outputs, which may scroll, and name the figures."""
    reached = r'<div (class="(?:[^"]* )?jp-(?:Cell-inputWrapper|OutputArea-output)[ "])'
    page = re.sub(reached, r'<div tabindex="0" \1', page)
    return page.replace('<img src="data:', '<img alt="Figure" src="data:')


def markdown_to_html(source: str) -> str:
    """Return the HTML of a Markdown cell, its formulas as MathML, which browsers draw themselves.

    MathJax, which nbconvert leaves the formulas to, would have to be fetched.
    """
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def block_math(self, body: str) -> str:
            return formula(body, "block")

        def inline_math(self, body: str) -> str:
            return formula(body, "inline")

    renderer = Renderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)


def formula(tex: str, display: str) -> str:
    """Return a TeX formula as MathML; one that can't be read stays as it is written.

    Parameters
    ----------
    tex : str
    display : {"block", "inline"}
        Whether it stands by itself or in a line of text.
    """
    from latex2mathml.converter import convert

    one_line = " ".join(tex.split())
    try:
        return convert(one_line, display=display)
    except Exception:  # the library has a dozen errors without a common base
        return f"<code>{html.escape(one_line)}</code>"
