"""What a notebook shows to a reader of the run: a few metrics, figures, and tables.

All of them are in the notebook's folder of the run, where the report and ``recsys metrics`` look.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys_lib import files
from recsys_lib.errors import RecsysError
from recsys_lib.experiments.metrics import as_records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

METRICS = "metrics.json"
FIGURES = "figures/figures.json"
TABLES = "tables/tables.json"
NO_NAME = ""  # of the column that an index without a name becomes


class Results:
    """Writes the results of one notebook.

    Parameters
    ----------
    folder : Path
        The notebook's folder in the run.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._figures: dict[str, str] = {}
        self._tables: dict[str, dict[str, Any]] = {}

    def record(self, metrics: Mapping[str, tuple], undefined: str | None = None) -> None:
        """Write the metrics, see :func:`recsys_lib.experiments.metrics.as_records`."""
        files.write_json(self.folder / METRICS, as_records(metrics, undefined))

    def figure(self, name: str, figure: "Figure", caption: str) -> None:
        """Show a figure in the notebook, and keep the same picture as PNG, with its caption."""
        _check_name("figure", name)
        picture = io.BytesIO()
        figure.savefig(picture, format="png", bbox_inches="tight")
        with files.atomic_path(self.folder / "figures" / f"{name}.png") as temporary:
            temporary.write_bytes(picture.getvalue())
        self._figures[name] = caption
        listed = [{"file": f"{name}.png", "caption": text} for name, text in self._figures.items()]
        files.write_json(self.folder / FIGURES, listed)
        _show(figure, picture.getvalue())

    def table(self, name: str, frame: "pd.DataFrame | pd.Series", caption: str) -> None:
        """Keep a table as Parquet, with its caption.

        An index that says something becomes columns; a plain count of the rows is left out. A
        column of intervals ``(value, low, high)`` becomes three: ``x``, ``x low``, ``x high``.
        """
        _check_name("table", name)
        with files.atomic_path(self.folder / "tables" / f"{name}.parquet") as temporary:
            try:
                flat = _flat(frame)
                flat.to_parquet(temporary, index=False)
            except (ValueError, TypeError) as error:
                raise RecsysError(f"Table {name!r} does not fit into Parquet: {error}") from None
        self._tables[name] = {
            "file": f"{name}.parquet",
            "caption": caption,
            "rows": len(flat),
            "columns": len(flat.columns),
        }
        files.write_json(self.folder / TABLES, list(self._tables.values()))


def _show(figure: "Figure", picture: bytes) -> None:
    """Show a picture of a figure where notebooks show pictures, so that it is drawn only once."""
    import matplotlib

    if "inline" in matplotlib.get_backend():
        import matplotlib.pyplot as plt
        from IPython.display import display

        display({"image/png": picture, "text/plain": repr(figure)}, raw=True)
        plt.close(figure)  # or the notebook would draw and show it once more


def _check_name(kind: str, name: str) -> None:
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise RecsysError(f"A {kind}'s name is made of a-z, 0-9 and _, not {name!r}.")


def _flat(frame: "pd.DataFrame | pd.Series") -> "pd.DataFrame":
    """Return a frame of plain columns: names are text, intervals are spread out, no index."""
    import pandas as pd

    flat = frame.to_frame() if isinstance(frame, pd.Series) else frame.copy()
    flat.columns = [
        " ".join(map(str, name)).strip() if isinstance(name, tuple) else str(name)
        for name in flat.columns
    ]
    if isinstance(flat.index, pd.RangeIndex) and flat.index.name is None:
        flat = flat.reset_index(drop=True)
    else:
        names = [
            (f"level {level}" if flat.index.nlevels > 1 else NO_NAME) if name is None else str(name)
            for level, name in enumerate(flat.index.names, start=1)
        ]
        flat = flat.reset_index(names=names)
    for name in [name for name in flat if _is_interval(flat[name])]:
        ends = pd.DataFrame(flat[name].tolist(), columns=[name, *interval_columns(name)])
        place = flat.columns.get_loc(name)
        flat = pd.concat([flat.iloc[:, :place], ends, flat.iloc[:, place + 1 :]], axis=1)
    return flat


def interval_columns(name: str) -> tuple[str, str]:
    """Return the names of the columns with the ends of the intervals of a column."""
    return f"{name} low", f"{name} high"


def _is_interval(column: "pd.Series") -> bool:
    return len(column) > 0 and all(isinstance(cell, tuple) and len(cell) == 3 for cell in column)
