"""Numbers and times as people read them, the same in the report and on the terminal."""

import math
from typing import Any

# Unit as it is recorded -> as it is shown; units that add nothing to the number are left out.
UNITS = {
    "fraction": "",
    "count": "",
    "ratio": "",
    "score": "",
    "times": "×",
    "nats": "nats",
    "items": "items",
    "s": "s",
    "ms": "ms",
    "us": "µs",
    "per_s": "per s",
    "bytes": "B",
}
NOTHING = "–"


def shown_metric(metric: dict[str, Any]) -> tuple[str, str, str]:
    """Return a recorded metric as number, interval (may be empty) and unit."""
    if metric["value"] is None:
        return NOTHING, metric["missing"], ""
    scale, unit = _scale(metric["value"], metric["unit"])
    number, *ends = (
        digits(metric[key] * scale) for key in ("value", "low", "high") if key in metric
    )
    return number, " to ".join(ends), unit


def _scale(value: float, unit: str) -> tuple[float, str]:
    """Return a factor and the unit that a value is shown in after it: small times, large sizes."""
    if unit == "s" and 0 < abs(value) < 1:
        return (1e3, "ms") if abs(value) >= 1e-3 else (1e6, "µs")
    if unit == "ms" and 0 < abs(value) < 1:
        return 1e3, "µs"
    if unit == "bytes":
        larger = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
        return next(((1 / size, name) for size, name in larger if value >= size), (1, "B"))
    return 1, UNITS.get(unit, unit)


def digits(value: float) -> str:
    """Return a number with three significant digits, at most four after the point.

    Whole numbers and thousands are given in full, with commas from 10,000 on.
    """
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else str(value)
    if isinstance(value, int) or value == 0 or abs(value) >= 1000:
        return f"{value:.0f}" if abs(value) < 10_000 else f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.2e}"
    return f"{value:.{min(4, max(0, 2 - math.floor(math.log10(abs(value)))))}f}"


def duration(seconds: float) -> str:
    """Return a time as ``3.2 s``, ``48 s`` or ``4 min 5 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
