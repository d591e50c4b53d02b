"""A run as one page: key figures, plots, tables and failures; it needs no network."""

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys_lib import files
from recsys_lib.experiments.readable import NOTHING, digits, duration, shown_metric
from recsys_lib.experiments.results import FIGURES, METRICS, TABLES, interval_columns

if TYPE_CHECKING:
    import pandas as pd

# Longer tables are cut in the page; their file holds all rows.
MAX_ROWS = 100


def write_report(run: Path) -> Path:
    """Write ``report.html`` into a run's folder from what lies there, and return its path."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    environment.filters["minus"] = lambda text: re.sub(r"-(?=\d)", "\N{MINUS SIGN}", text)
    description = files.read_json(run / "run.json")
    page = environment.get_template("report.html.jinja").render(
        run=description | {"name": run.name},
        notebooks=[
            _section(run, name, about) for name, about in sorted(description["notebooks"].items())
        ],
    )
    files.write_text(run / "report.html", page)
    return run / "report.html"


def _section(run: Path, name: str, about: dict[str, Any]) -> dict[str, Any]:
    folder = run / name
    finished = about["status"] in ("ok", "reused")
    return about | {
        "name": name,
        "metrics": _metrics(folder) if finished else [],
        "figures": [
            {
                "data": base64.b64encode((folder / "figures" / each["file"]).read_bytes()).decode(),
                "caption": each["caption"],
            }
            for each in _listed(folder / FIGURES)
        ],
        "tables": [_table(folder / "tables", each) for each in _listed(folder / TABLES)],
        "page": f"{name}/notebook.html" if (folder / "notebook.html").is_file() else None,
    }


def _listed(path: Path) -> list[dict[str, Any]]:
    return files.read_json(path) if path.is_file() else []


def _metrics(folder: Path) -> list[dict[str, Any]]:
    if not (folder / METRICS).is_file():
        return []
    shown = []
    for name, metric in files.read_json(folder / METRICS).items():
        number, interval, unit = shown_metric(metric)
        shown.append(
            {
                "name": name,
                "meaning": metric["meaning"],
                "number": number,
                "interval": interval,
                "unit": unit,
            }
        )
    return shown


def _table(folder: Path, listed: dict[str, Any]) -> dict[str, Any]:
    import pandas as pd

    frame = pd.read_parquet(folder / listed["file"]).head(MAX_ROWS)
    ends = {end for name in frame for end in interval_columns(name)} & set(frame)
    columns = {name: _cells(frame, name) for name in frame if name not in ends}
    return listed | {
        "header": {
            name: any(cell["number"] is not None for cell in cells)
            for name, cells in columns.items()
        },
        "rows_shown": [list(row) for row in zip(*columns.values(), strict=True)],
        "path": f"{folder.parent.name}/tables/{listed['file']}",
    }


def _cells(frame: "pd.DataFrame", name: str) -> list[dict[str, Any]]:
    """Return the cells of a column, each with its text and the number that it is sorted by.

    The ends of an interval are shown with its value, not in columns of their own.
    """
    import pandas as pd

    kind = frame[name].dtype
    if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        return [{"text": _text(value), "number": None} for value in frame[name]]
    texts = frame[name].map(_number)
    if set(interval_columns(name)) <= set(frame):
        low, high = (frame[end].map(_number) for end in interval_columns(name))
        texts = texts.where(frame[name].isna(), texts + " (" + low + " to " + high + ")")
    return [
        {"text": text, "number": value}
        for text, value in zip(texts, frame[name].astype(float), strict=True)
    ]


def _number(value: Any) -> str:
    import numpy as np
    import pandas as pd

    if pd.isna(value):
        return NOTHING
    return digits(value.item() if isinstance(value, np.generic) else value)


def _text(value: Any) -> str:
    import numpy as np

    if isinstance(value, np.ndarray | np.generic):  # as which Parquet gives a column of lists back
        value = value.tolist()
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return NOTHING if value is None or value != value else str(value)
