"""What a notebook reads and leaves behind, the same in JupyterLab, under papermill and in tests."""

import gc
import logging
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys_lib import paths
from recsys_lib.data import Dataset, ensure
from recsys_lib.data.feedback import are_likes
from recsys_lib.data.splits import MIN_TRAIN, N_TEST, N_VALIDATION, Split, both
from recsys_lib.errors import NothingToJudge
from recsys_lib.experiments.artifact_store import ArtifactStore
from recsys_lib.experiments.results import Results
from recsys_lib.seeding import DEFAULT_SEED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


FEWEST_USERS = 5  # with hidden likes, for a mean over users to say anything
COURSE_DATASET = "ml-100k"  # that the text of the notebooks is about


def start(notebook: str, dataset: str = COURSE_DATASET, seed: int = DEFAULT_SEED) -> "Workspace":
    """Open the place where a notebook reads and writes.

    Under the runner that is the folder of the run (``$RECSYS_RUN_DIR``); otherwise
    ``outputs/interactive/<dataset>/``. The data set is fetched at first use.
    """
    # What the notebook has imported stays to the end; a collector of garbage that walks through it,
    # at the end too, takes a third of a second.
    gc.freeze()
    given = os.environ.get("RECSYS_RUN_DIR")
    folder = Path(given) if given else paths.outputs_dir() / "interactive" / dataset
    return Workspace(notebook, dataset, seed, folder)


class Workspace:
    """A notebook's view of its run: data, splits, artefacts, and the results it shows.

    Parameters
    ----------
    notebook : str
        Name of the notebook without its ending; its metrics and tables are addressed by it.
    dataset : str
        Name of a data set under ``data/``.
    seed : int
        Seed of the artefacts that the library has to build.
    folder : Path
        The folder of the run.
    """

    def __init__(self, notebook: str, dataset: str, seed: int, folder: Path):
        self.notebook, self.dataset, self.seed = notebook, dataset, seed
        self.folder = Path(folder)
        self._artifacts = ArtifactStore(self.folder, notebook, self)
        self._results = Results(self.folder / notebook)
        _log_to(self.folder / "library.log")

    @cached_property
    def data(self) -> Dataset:
        """The data set, fetched if it is not there yet."""
        return ensure(self.dataset)

    @cached_property
    def splits(self) -> dict[str, Split]:
        """The splits ``last_likes`` and ``by_time`` of the data set, with their default sizes.

        Raises
        ------
        NothingToJudge
            Fewer than :data:`FEWEST_USERS` users have enough likes to hide the last of them.
        """
        splits = both(self.data.interactions)
        judged = splits["last_likes"].test["user_id"].nunique()
        if judged < FEWEST_USERS:
            raise NothingToJudge(
                f"Nothing can be judged on {self.dataset}: the course hides each user's last "
                f"{N_TEST + N_VALIDATION} likes and looks whether they are found, and only "
                f"{judged} of its {self.data.interactions['user_id'].nunique():,} users have "
                f"{N_TEST + N_VALIDATION + MIN_TRAIN} likes or more. With fewer than "
                f"{FEWEST_USERS} such users no figure would mean anything. The models can be used "
                "all the same: recsys recommend, recsys train."
            )
        return splits

    def check_users(self) -> None:
        """Check that there are enough users to judge anything by: see :attr:`splits`."""
        _ = self.splits

    def check_labels(self) -> None:
        """Check that there are likes and other ratings for a ranking model to tell apart.

        Raises
        ------
        NothingToJudge
            A part of the split by time has but one of them, as where every row is a click.
        """
        for name, part in vars(self.splits["by_time"]).items():
            if name != "name" and len(np.unique(are_likes(part))) < 2:
                raise NothingToJudge(
                    f"Nothing can be ranked on {self.dataset}: in the {name} part of the split by "
                    "time there are not both likes and ratings that are none, which is what a "
                    "ranking model learns to tell apart. Recall needs no dislikes: notebooks 03 to "
                    "06, recsys recommend."
                )

    def has(self, what: str) -> bool:
        """Tell whether the data set has ``genres``, ``years`` or ``people``.

        Where it has none, a line says that what follows in the cell is left out.
        """
        there = self.data.has(what)
        if not there:
            print(f"Left out: {self.dataset} says nothing of its items' {what}.")
        return there

    def finding(self, text: str) -> str:
        """Return the title of a figure that says what was found on the data set of the course.

        On other data, which may show something else, the title says what is drawn, and whose
        finding it is.
        """
        if self.dataset == COURSE_DATASET:
            return text
        return f"Drawn here: {self.dataset}. Found on {COURSE_DATASET}:\n{text}"

    def load(self, name: str) -> Any:
        """Return an artefact: what a notebook of this run wrote, else what the library builds.

        What was made from other data or by other code is built again, and so is what the library
        built with another seed or from an artefact that has changed since. Building happens under
        a lock, so that two open notebooks don't do it twice. Only ``library.log`` speaks of it:
        what a cell shows does not depend on it.

        The runner finds the names in the code, so give each as a literal: ``run.load("item2vec")``.
        """
        return self._artifacts.load(name)

    def save(self, name: str, value: Any, config: dict | None = None) -> None:
        """Write an artefact for later notebooks, with the settings that made it.

        The name is a literal, as for :meth:`load`.
        """
        self._artifacts.save(name, value, config)

    def figure(self, name: str, figure: "Figure", caption: str) -> None:
        """Show a matplotlib figure, and keep its picture and its caption for the report."""
        self._results.figure(name, figure, caption)

    def table(self, name: str, frame: "pd.DataFrame | pd.Series", caption: str) -> None:
        """Keep a table for the report and as Parquet, with its caption.

        An index that says something becomes columns; cells may be intervals ``(value, low, high)``.
        """
        self._results.table(name, frame, caption)

    def record(self, metrics: Mapping[str, tuple]) -> None:
        """Write the three to eight figures that the notebook is about; once, at its end.

        Parameters
        ----------
        metrics : mapping
            ``{name: (value, unit, meaning)}``. The value is a number, an interval
            ``(value, low, high)``, or ``Missing(reason)``; the meaning is one line for a reader
            who does not have the notebook open. Everything else is a :meth:`table`. On a data set
            other than the course's own, a value that is no finite number is recorded as missing:
            nobody was there to measure it on.

        Raises
        ------
        RecsysError
            There are too many, or one is not of this form.
        """
        undefined = f"not defined on {self.dataset}: too little there to measure it on"
        self._results.record(metrics, None if self.dataset == COURSE_DATASET else undefined)


def _log_to(path: Path) -> None:
    """Send the library's log to one file, in place of wherever it went before."""
    logger = logging.getLogger("recsys_lib")
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
