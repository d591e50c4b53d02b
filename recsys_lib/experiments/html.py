"""An executed notebook as one HTML page that needs no network."""

import base64
import html
import io
import re
from pathlib import Path

from recsys_lib import files

# nbconvert's page asks content-delivery networks for RequireJS, MathJax and Mermaid.
_TEMPLATE = """
{%- extends "lab/index.html.j2" -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def write_html(notebook: Path) -> Path:
    """Write ``notebook`` (.ipynb) as .html into the same folder and return its path."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="lab",
        template_file="offline.html.j2",
        extra_loaders=[DictLoader({"offline.html.j2": _TEMPLATE})],
    )
    exporter.register_filter("markdown2html", markdown_to_html)
    text, _ = exporter.from_filename(str(notebook))
    target = notebook.with_suffix(".html")
    files.write_text(target, text)
    return target


def markdown_to_html(source: str) -> str:
    """Return the HTML of a Markdown cell, its formulas drawn as pictures.

    MathJax, which nbconvert leaves the formulas to, would have to be fetched.
    """
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def block_math(self, body: str) -> str:
            return f'<p style="text-align: center">{formula_picture(body)}</p>'

        def inline_math(self, body: str) -> str:
            return formula_picture(body)

    renderer = Renderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)


def formula_picture(tex: str) -> str:
    """Return an ``<img>`` of a TeX formula; what matplotlib can't draw stays as it is written."""
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import math_to_image

    one_line = " ".join(tex.split())
    drawn = io.StringIO()
    try:
        with matplotlib.rc_context({"mathtext.fontset": "cm", "svg.fonttype": "path"}):
            depth = math_to_image(f"${one_line}$", drawn, FontProperties(size=12), format="svg")
    except ValueError:
        return f"<code>{html.escape(one_line)}</code>"
    picture = re.sub(r"<metadata>.*?</metadata>", "", drawn.getvalue(), flags=re.DOTALL)
    data = base64.b64encode(picture.encode()).decode()
    return (
        f'<img alt="{html.escape(one_line)}" style="display: inline; vertical-align: -{depth}pt" '
        f'src="data:image/svg+xml;base64,{data}">'
    )
