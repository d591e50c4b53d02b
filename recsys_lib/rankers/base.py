"""The one contract of what orders the candidates of a request."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np
import pandas as pd

from recsys_lib import files
from recsys_lib.errors import DataError, RecsysError, nearest
from recsys_lib.recall.histories import Histories

FORMAT = 1  # goes up whenever an older library could not read what is written
DESCRIPTION = "ranker.json"


class UnknownUser(RecsysError):
    """Nothing is known of a user, so there is nothing to recommend by.

    Parameters
    ----------
    what : str
        Such as "There are no features of"; the user follows.
    user : id
    """

    def __init__(self, what: str, user):
        super().__init__(f"{what} user {user}.")
        self.what = what


class UserFeatures(Protocol):
    """What the features of one user are read from: a feature store, or a table in memory."""

    def read(self, user_id: int) -> dict | None:
        """Return ``user_id`` and the features that are not missing, or None."""


@dataclass(frozen=True)
class Candidates:
    """What recall found for one request, in its order; ids are the whole numbers inside.

    Attributes
    ----------
    user_id : int
    item_ids : int64 array, shape (n,)
    scores : float32 array, shape (n,)
        Recall's scores, falling.
    channels : list of str, length n
        The recall channel that brought each item.
    history : Histories or DataFrame, optional
        The user's events, where the request brought them.
    """

    user_id: int
    item_ids: np.ndarray
    scores: np.ndarray
    channels: list[str]
    history: Histories | pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.item_ids)


class Ranker(ABC):
    """Scores the candidates of one request; a subclass implements :meth:`score`.

    A subclass that can be saved implements :meth:`_save` and :meth:`_load` as well.

    Attributes
    ----------
    gives_probabilities : bool
        Whether a score is the chance that the user likes the item, in [0, 1]. Otherwise it is any
        number, and higher is better.
    """

    gives_probabilities: bool = True
    classes: ClassVar[dict[str, type["Ranker"]]] = {}  # by name: what load_ranker can read

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        Ranker.classes[cls.__name__] = cls

    @abstractmethod
    def score(self, candidates: Candidates) -> np.ndarray:
        """Return a score for each candidate: float, (n,).

        Raises
        ------
        UnknownUser
            The ranker needs features of the user, and there are none.
        """

    def explain(self, candidates: Candidates) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the scores, and what they are the sum of; errors as for :meth:`score`.

        Returns
        -------
        scores : float array, shape (n,)
        terms : dict of str to float array, shape (n,)
            Empty where the ranker cannot say.
        """
        return self.score(candidates), {}

    def add_items(self, features: pd.DataFrame) -> None:  # noqa: B027 (few rankers keep features)
        """Take in the features of items that came later, where the ranker keeps such.

        Parameters
        ----------
        features : DataFrame
            ``item_id``, as a whole number inside, and item features; those that are missing count
            as unknown.
        """

    def save(self, folder: Path) -> None:
        """Write the ranker to a folder, atomically: JSON, arrays and tables, no code.

        Raises
        ------
        RecsysError
            The ranker, or the model in it, has no form on disk.
        """
        with files.atomic_folder(Path(folder)) as fresh:
            described = {"class": type(self).__name__, "format": FORMAT, **self._save(fresh)}
            files.write_json(fresh / DESCRIPTION, described)

    def _save(self, folder: Path) -> dict:
        """Write the parts to an empty folder and return what JSON should keep beside them."""
        raise RecsysError(f"A {type(self).__name__} cannot be saved.")

    @classmethod
    def _load(cls, folder: Path, described: dict, users: UserFeatures | None) -> Self:
        """Read what :meth:`_save` wrote."""
        raise RecsysError(f"A {cls.__name__} cannot be loaded.")


class RecallOrder(Ranker):
    """Keeps recall's order and scores: a cascade without a ranking stage."""

    gives_probabilities = False

    def score(self, candidates: Candidates) -> np.ndarray:
        return candidates.scores

    def _save(self, folder: Path) -> dict:
        return {}

    @classmethod
    def _load(cls, folder, described, users) -> Self:
        return cls()


def load_ranker(folder: Path, users: UserFeatures | None = None) -> Ranker:
    """Read a ranker of any class that was saved.

    Parameters
    ----------
    folder : Path
    users : UserFeatures, optional
        What reads the users' features, where they were not saved with the ranker.

    Raises
    ------
    DataError
        The folder holds no ranker, a damaged one, one of another format, or one that needs
        ``users``.
    """
    folder = Path(folder)
    try:
        described = files.read_json(folder / DESCRIPTION)
        if described["format"] != FORMAT:
            raise DataError(
                f"The ranker in {folder} has the format {described['format']}; this version of "
                f"the library reads format {FORMAT}."
            )
        name = described["class"]
        if name not in Ranker.classes:
            raise DataError(
                f"The ranker in {folder} is of the class {name!r}, which is not known here."
                f"{nearest(name, Ranker.classes)} Import the module that defines it first."
            )
        return Ranker.classes[name]._load(folder, described, users)
    except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise DataError(f"No ranker can be read from {folder} ({what}).") from error
