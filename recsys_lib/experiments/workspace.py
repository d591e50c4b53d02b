"""What a notebook reads and leaves behind, the same in JupyterLab, under papermill and in tests."""

import io
import json
import logging
import math
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from recsys_lib import files, paths
from recsys_lib.data import Dataset, ensure
from recsys_lib.data.splits import Split, both
from recsys_lib.errors import RecsysError
from recsys_lib.experiments.artifacts import artifact
from recsys_lib.experiments.fingerprint import library_fingerprint
from recsys_lib.seeding import DEFAULT_SEED

logger = logging.getLogger("recsys_lib")


def start(notebook: str, dataset: str = "ml-100k", seed: int = DEFAULT_SEED) -> "Workspace":
    """Open the place where a notebook reads and writes.

    Under the runner that is the run's folder (``$RECSYS_RUN_DIR``); otherwise
    ``outputs/interactive/<dataset>/``. The data set is fetched at first use.
    """
    given = os.environ.get("RECSYS_RUN_DIR")
    folder = Path(given) if given else paths.outputs_dir() / "interactive" / dataset
    return Workspace(notebook, dataset, seed, folder)


class Workspace:
    """A notebook's view of its run: data, splits, artefacts, figures, metrics.

    Parameters
    ----------
    notebook : str
        Name of the notebook without its ending; metrics are addressed by it.
    dataset : str
        Name of a data set under ``data/``.
    seed : int
        Seed for artefacts that the library has to build.
    folder : Path
        The run's folder.
    """

    def __init__(self, notebook: str, dataset: str, seed: int, folder: Path):
        self.notebook, self.dataset, self.seed = notebook, dataset, seed
        self.folder = Path(folder)
        self._figures: list[dict] = []
        _log_to(self.folder / "library.log")

    @cached_property
    def data(self) -> Dataset:
        """The data set, fetched if it is not there yet."""
        return ensure(self.dataset)

    @cached_property
    def splits(self) -> dict[str, Split]:
        """The splits ``last_likes`` and ``by_time`` of the data set, with their default sizes."""
        return both(self.data.interactions)

    def load(self, name: str) -> Any:
        """Return an artefact: what a notebook of this run wrote, else what the library builds.

        An artefact of another data set or of other library code is built again. Building happens
        under a lock, so that two open notebooks don't do it twice, and is told in
        ``library.log`` only: compared output does not depend on it.
        """
        kind = artifact(name)
        folder = self._artifact_folder(name)
        with files.locked(folder):
            stale = self._why_stale(folder)
            if stale:
                logger.info("%s: building %s, because %s", self.notebook, name, stale)
                self._store(kind, folder, kind.build(self), {"seed": self.seed}, "library")
            else:
                logger.info("%s: reading %s", self.notebook, name)
            return kind.load(folder)

    def save(self, name: str, value: Any, config: dict | None = None) -> None:
        """Write an artefact for later notebooks, with the settings that made it."""
        folder = self._artifact_folder(name)
        with files.locked(folder):
            self._store(artifact(name), folder, value, config or {}, self.notebook)
        logger.info("%s: wrote %s", self.notebook, name)

    def figure(self, name: str, figure, caption: str) -> None:
        """Keep a matplotlib figure as PNG for the report, with the sentence printed under it."""
        if not re.fullmatch(r"[a-z0-9_]+", name):
            raise RecsysError(f"A figure's name is made of a-z, 0-9 and _, not {name!r}.")
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=120, bbox_inches="tight")
        folder = self._notebook_folder() / "figures"
        with files.atomic_path(folder / f"{name}.png") as temporary:
            temporary.write_bytes(picture.getvalue())
        self._figures.append({"file": f"{name}.png", "caption": caption})
        files.write_json(folder / "figures.json", self._figures)

    def record(self, metrics: dict[str, tuple[float, str]]) -> None:
        """Write the notebook's metrics: ``{name: (value, unit)}``; once, at its end.

        Raises
        ------
        RecsysError
            A name is not ``[A-Za-z0-9_]``, or a value is not a finite number.
        """
        recorded = {}
        for name, (value, unit) in metrics.items():
            if not re.fullmatch(r"[A-Za-z0-9_]+", name):
                raise RecsysError(f"A metric's name is letters, digits and _, not {name!r}.")
            number = float(value)
            if not math.isfinite(number):
                raise RecsysError(f"Metric {name!r} is {number}: record finite numbers only.")
            exact = int(number) if unit == "count" and number.is_integer() else number
            recorded[name] = {"value": exact, "unit": unit}
        files.write_json(self._notebook_folder() / "metrics.json", recorded)

    def _notebook_folder(self) -> Path:
        return self.folder / self.notebook

    def _artifact_folder(self, name: str) -> Path:
        return self.folder / "artifacts" / artifact(name).name

    def _why_stale(self, folder: Path) -> str:
        """Return why the artefact in ``folder`` can't be used; an empty string when it can."""
        try:
            made = files.read_json(folder / "artifact.json")
        except (OSError, json.JSONDecodeError):
            return "there is none yet"
        if made["data"] != self.data.fingerprint:
            return "the data set changed"
        if made["library"] != library_fingerprint():
            return "the library changed"
        return ""

    def _store(self, kind, folder: Path, value: Any, config: dict, writer: str) -> None:
        made = {
            "notebook": writer,
            "config": config,
            "data": self.data.fingerprint,
            "library": library_fingerprint(),
        }
        with files.atomic_folder(folder) as fresh:
            kind.save(value, fresh)
            files.write_json(fresh / "artifact.json", made)


def _log_to(path: Path) -> None:
    """Send the library's log to one file, in place of wherever it went before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
