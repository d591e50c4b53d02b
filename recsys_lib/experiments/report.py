"""A run as one page: metrics, plots, failures, links; it opens from disk, without a network."""

import base64
import math
from pathlib import Path
from typing import Any

from recsys_lib import files

# A notebook records what it is about first; so many of its metrics stand in the table on top.
N_KEY_METRICS = 4


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
    told = files.read_json(run / "run.json")
    metrics = files.read_json(run / "metrics.json")
    page = environment.get_template("report.html.jinja").render(
        run=told | {"name": run.name},
        notebooks=[
            _section(run, name, told["notebooks"][name], metrics)
            for name in sorted(told["notebooks"])
        ],
        n_key=N_KEY_METRICS,
    )
    files.write_text(run / "report.html", page)
    return run / "report.html"


def _section(run: Path, name: str, told: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    own = {
        key.partition(".")[2]: metric
        for key, metric in metrics.items()
        if key.partition(".")[0] == name
    }
    page = run / name / "notebook.html"
    return told | {
        "name": name,
        "metrics": rows(own),
        "figures": _figures(run / name / "figures"),
        "page": f"{name}/notebook.html" if page.is_file() else None,
    }


def rows(metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (name, number, unit) of metrics; ``x_low`` and ``x_high`` stand beside ``x``."""
    shown = {name: readable(**metric) for name, metric in metrics.items()}
    found = dict(shown)
    for name, (number, unit) in shown.items():
        low, high = shown.get(f"{name}_low"), shown.get(f"{name}_high")
        if low and high and low[1] == high[1] == unit:
            found[name] = (f"{number} ({low[0]} to {high[0]})", unit)
            del found[f"{name}_low"], found[f"{name}_high"]
    return [(name, number, unit) for name, (number, unit) in found.items()]


def _figures(folder: Path) -> list[dict[str, str]]:
    if not (folder / "figures.json").is_file():
        return []
    return [
        {
            "data": base64.b64encode((folder / each["file"]).read_bytes()).decode(),
            "caption": each["caption"],
        }
        for each in files.read_json(folder / "figures.json")
    ]


def readable(value: float, unit: str) -> tuple[str, str]:
    """Return a metric's number and unit as a person reads them.

    Counts are whole, all else has three significant digits; small times are given in ms or us,
    large sizes in kB to GB; units that add nothing to the number are left out.
    """
    if unit == "s" and 0 < value < 1:
        return readable(value * 1e3, "ms")
    if unit == "ms" and 0 < value < 1:
        return readable(value * 1e3, "us")
    if unit == "bytes":
        return _bytes(value)
    return _digits(value), _UNITS.get(unit, unit)


_UNITS = {
    "fraction": "",
    "count": "",
    "ratio": "",
    "time ratio": "×",
    "per_s": "per s",
    "us": "µs",
}


def _digits(value: float) -> str:
    if isinstance(value, int) or value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.2e}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _bytes(value: float) -> tuple[str, str]:
    for size, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= size:
            return _digits(value / size), name
    return f"{value:.0f}", "B"


def duration(seconds: float) -> str:
    """Return a time as ``3.2 s``, ``48 s`` or ``4 min 5 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
