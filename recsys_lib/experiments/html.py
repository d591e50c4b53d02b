"""An executed notebook as one HTML page that needs no network."""

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
    """Write ``notebook`` (.ipynb) as .html beside it and return its path."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="lab",
        template_file="offline.html.j2",
        extra_loaders=[DictLoader({"offline.html.j2": _TEMPLATE})],
        exclude_anchor_links=True,
    )
    text, _ = exporter.from_filename(str(notebook))
    target = notebook.with_suffix(".html")
    files.write_text(target, text)
    return target
