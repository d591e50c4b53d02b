"""The few figures that a notebook is about: checked as it records them."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from recsys_lib.errors import RecsysError

MAX_METRICS = 8


@dataclass(frozen=True)
class Missing:
    """Stands in place of a value that this run does not have, with the reason."""

    reason: str


def as_records(
    metrics: Mapping[str, tuple], undefined: str | None = None
) -> dict[str, dict[str, Any]]:
    """Check metrics and return them as they are written to ``metrics.json``.

    Parameters
    ----------
    metrics : mapping
        ``{name: (value, unit, meaning)}``. The value is a finite number, an interval
        ``(value, low, high)``, or :class:`Missing`. The unit is one of
        :data:`recsys_lib.experiments.readable.UNITS` or a word of your own; the meaning is one
        line that a reader understands without the notebook.
    undefined : str, optional
        Why a value, or the end of an interval, may be no finite number: the metric is then recorded
        as missing for this reason. Without a reason such a value is an error.

    Returns
    -------
    dict
        ``{name: {"value", "unit", "meaning"}}``, with ``low`` and ``high`` where there is an
        interval, and with ``missing``, the reason, where ``value`` is None.

    Raises
    ------
    RecsysError
        There are more than :data:`MAX_METRICS`, or a name, value, unit or meaning is not of this
        form.
    """
    if len(metrics) > MAX_METRICS:
        raise RecsysError(
            f"{len(metrics)} metrics are too many: a reader takes in {MAX_METRICS} of a notebook. "
            "Record those that it is about, and put the others into run.table(name, frame, "
            "caption)."
        )
    return {name: _record(name, entry, undefined) for name, entry in metrics.items()}


def _record(name: str, entry: tuple, undefined: str | None) -> dict[str, Any]:
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise RecsysError(f"A metric's name is letters, digits and _, not {name!r}.")
    try:
        value, unit, meaning = entry
    except (TypeError, ValueError):
        raise RecsysError(f"Metric {name!r} is {entry!r}; write (value, unit, meaning).") from None
    for what, text in (("unit", unit), ("meaning", meaning)):
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            raise RecsysError(f"Metric {name!r} has the {what} {text!r}; write one line of text.")
    if undefined is not None and _is_undefined(value):
        value = Missing(undefined)
    return _value(name, value, unit) | {"unit": unit, "meaning": meaning}


def _is_undefined(value: Any) -> bool:
    numbers = value if isinstance(value, tuple) else (value,)
    return any(isinstance(each, Real) and not math.isfinite(each) for each in numbers)


def _value(name: str, value: Any, unit: str) -> dict[str, Any]:
    if isinstance(value, Missing):
        return {"value": None, "missing": value.reason}
    if not isinstance(value, tuple):
        return {"value": _number(name, value, unit)}
    if len(value) != 3:
        raise RecsysError(f"Metric {name!r} has the interval {value!r}; write (value, low, high).")
    middle, low, high = (_number(name, each, unit) for each in value)
    if low > high:
        raise RecsysError(f"Metric {name!r} has an interval from {low} to {high}.")
    return {"value": middle, "low": low, "high": high}


def _number(name: str, value: Any, unit: str) -> float | int:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise RecsysError(f"Metric {name!r} is {value!r}, which is no number.") from None
    if not math.isfinite(number):
        raise RecsysError(
            f"Metric {name!r} is {number}. Record a finite number, or Missing(reason) where this "
            "run has none."
        )
    return int(number) if unit == "count" and number.is_integer() else number
