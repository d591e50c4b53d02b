"""What the columns of a person's own table are."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from recsys_lib import files
from recsys_lib.errors import DataError, nearest
from recsys_lib.features.registry import LABEL
from recsys_lib.schema import ITEM, TIMESTAMP, USER

PART = "part"  # train, validation or test
# Columns with a meaning of their own -> the name that the library knows them by.
ROLES = {"label": LABEL, "user": USER, "item": ITEM, "timestamp": TIMESTAMP, "part": PART}
LISTS = ("categories", "numbers", "log_numbers", "bags", "history")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The columns of a table of samples, under the names that the table itself uses.

    The same schema describes a DataFrame in Python and, as JSON, a file on the command line::

        {"label": "clicked", "user": "uid", "item": "sku", "timestamp": "at",
         "categories": ["shop", "device"], "numbers": ["price"], "log_numbers": ["price"],
         "bags": ["tags"], "history": ["recent_skus"]}

    Attributes
    ----------
    label : str
        Column with 1 for a like (a click, a purchase) and 0 for none.
    user, item : str, optional
        Columns with the ids, text or whole numbers. They are categories of the model, too.
    timestamp, part : str, optional
        Columns by which ``recsys train`` splits a file: the time of each sample in seconds, or
        the words train, validation and test.
    categories : sequence of str
        Columns with text or whole numbers; each value is a category of its own.
    numbers : sequence of str
        Columns with quantities.
    log_numbers : sequence of str
        Those of the numbers whose logarithm is taken (see
        :class:`recsys_lib.ranking.RankingConfig`).
    bags : sequence of str
        Columns with lists of categories.
    history : sequence of str
        Columns with the items that the user liked before: several columns with one item each, or
        a column of lists. The latest item comes first in both forms.

    Raises
    ------
    DataError
        A value is no column name, the label is an input too, or two columns would bear one name.
    """

    label: str
    user: str | None = None
    item: str | None = None
    timestamp: str | None = None
    part: str | None = None
    categories: Sequence[str] = ()
    numbers: Sequence[str] = ()
    log_numbers: Sequence[str] = ()
    bags: Sequence[str] = ()
    history: Sequence[str] = ()

    def __post_init__(self):
        for role in ROLES:
            value = getattr(self, role)
            if not isinstance(value, str) and (value is not None or role == "label"):
                raise DataError(f"{role} must be a column, not {value!r}.")
        for name in LISTS:
            columns = getattr(self, name)
            listed = isinstance(columns, list | tuple)
            if not listed or not all(isinstance(column, str) for column in columns):
                raise DataError(f"{name} must be a list of columns, not {columns!r}.")
            object.__setattr__(self, name, tuple(columns))
        if len(self._roles) < len(self.renamed):
            raise DataError(f"Two of {', '.join(ROLES)} name one column: {self.renamed}.")
        for column in {column for name in LISTS for column in getattr(self, name)}:
            if column == self.label:
                raise DataError(f"The label {column!r} cannot be an input of the model, too.")
            if column in self.renamed and column not in self._roles:
                raise DataError(
                    f"The library uses the name {column!r} for {self.renamed[column]!r}, so a "
                    f"further column cannot bear it: rename {column!r}."
                )

    @property
    def renamed(self) -> dict[str, str]:
        """The table's name of each column that has a role, by the library's name."""
        theirs = {ours: getattr(self, role) for role, ours in ROLES.items()}
        return {ours: name for ours, name in theirs.items() if name is not None}

    @property
    def _roles(self) -> dict[str, str]:
        """The library's name of each column that has a role, by the table's name."""
        return {theirs: ours for ours, theirs in self.renamed.items()}

    @property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """What a model reads, under the library's names, by the fields of ``RankingConfig``."""
        named = {
            name: tuple(self._roles.get(column, column) for column in getattr(self, name))
            for name in LISTS
        }
        ids = [ours for ours in (ITEM, USER) if ours in self.renamed]
        return named | {"categories": tuple(dict.fromkeys((*ids, *named["categories"])))}

    def select(self, table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
        """Return some columns of a table under the library's names.

        Parameters
        ----------
        table : DataFrame
            With the columns of this schema.
        columns : sequence of str
            The library's names.

        Raises
        ------
        DataError
            The table lacks one of them.
        """
        columns = list(dict.fromkeys(columns))  # a column may be two kinds of input
        theirs = [self.renamed.get(column, column) for column in columns]
        for name in theirs:
            if name not in table.columns:
                raise DataError(
                    f"The samples have no column {name!r}.{nearest(name, map(str, table.columns))}"
                )
        return table[theirs].set_axis(columns, axis=1)


def read_schema(path: Path) -> Schema:
    """Read a schema from a JSON file that has the fields of :class:`Schema`.

    Raises
    ------
    DataError
        The file cannot be read, has an unknown key, or describes no schema.
    """
    try:
        stored = files.read_json(path)
    except (OSError, ValueError) as error:
        raise DataError(f"The schema {path} cannot be read: {error}") from None
    if not isinstance(stored, dict):
        raise DataError(f"The schema {path} must be an object of JSON: keys and columns.")
    known = [field.name for field in fields(Schema)]
    for key in stored:
        if key not in known:
            raise DataError(f"{path}: there is no key {key!r}.{nearest(key, known)}")
    if "label" not in stored:
        raise DataError(f"{path} names no column as the label (1 for a like, 0 for none).")
    try:
        return Schema(**stored)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
