"""What the registry says of one feature, and the pieces of SQL that its formulas are made of.

The SQL is the part of the language that Spark and polars read alike: arithmetic, ``case``,
``coalesce``, ``nullif``, ``greatest``, ``cast``, ``left``. One notation is ours: ``genres[1]`` is
the first element of a list, null where the list is shorter. Each engine writes it in its own way.
"""

import re
from dataclasses import dataclass

EVENT, BEFORE, STATIC = "of the event itself", "events strictly before", "known at any time"

ELEMENT = re.compile(r"\b([a-z]\w*)\[(\d+)\]")  # of a list in a formula: name and place, from 1
SQL_TYPES = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float32": "float",
    "string": "string",
    "strings": "array<string>",
}

_NAME = re.compile(r"[a-z]\w*")


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column of a training sample.

    Attributes
    ----------
    name : str
        Column name.
    subject : str
        Whom it describes, and so where serving finds it: ``user`` and ``item`` have a table each,
        ``event`` is computed at the request.
    family : str
        The notes' feature family (S2): explicit or implicit behaviour (显性、隐性行为), relation
        (关系), attribute (属性), content (内容) or context (场景); ``key`` and ``target`` are no
        features.
    kind : str
        How a model takes it: ``number``, ``category``, ``list`` (of categories), or ``none`` (not
        an input).
    dtype : str
        ``int8``, ``int16``, ``int32``, ``int64``, ``float32``, ``string`` or ``strings``.
    rule : str
        Which events may enter the value: :data:`EVENT`, :data:`BEFORE` or :data:`STATIC`.
    source : str
        Tables and columns it is made from.
    meaning : str
        One line for people.
    formula : str
        SQL over the columns of the event, the item, the user and the state. Features that are
        computed at the request keep to what :meth:`pandas.DataFrame.eval` reads alike.
    unit : str
        Of a number; empty for a number without one and for all else.
    vocabulary : str or None
        Categories that share one vocabulary (and one embedding table) name the same one.
    nullable : bool
        Whether a value may be missing; a count without an event is 0, not missing.
    in_reference : bool
        Whether the reference system's samples have it; those are the default columns.
    """

    name: str
    subject: str
    family: str
    kind: str
    dtype: str
    rule: str
    source: str
    meaning: str
    formula: str
    unit: str = ""
    vocabulary: str | None = None
    nullable: bool = True
    in_reference: bool = False


@dataclass(frozen=True)
class Aggregate:
    """One number that is kept of a user or an item, and that each of their events moves on.

    Attributes
    ----------
    function : str
        ``count`` (of what is not null), ``sum``, ``min`` or ``max``. Without a value the count
        is 0 and the others are null.
    value : str
        SQL over the columns of an event and of its item.
    """

    function: str
    value: str

    @property
    def sql(self) -> str:
        """The aggregate as SQL text."""
        return f"{self.function}({self.value})"


def names_in(sql: str) -> set[str]:
    """Return the names that a formula reads, and those of SQL's own words among them."""
    return set(_NAME.findall(sql))


def mean(values: str, origin: int = 0) -> str:
    """Return SQL for the mean of what :func:`moments` counted; null without a value."""
    mean = f"{values}_sum / nullif({values}_count, 0)"
    return f"{origin} + {mean}" if origin else mean


def stddev(values: str) -> str:
    """Return SQL for the sample standard deviation (n - 1 below); null below two values."""
    n, total, squares = f"{values}_count", f"{values}_sum", f"{values}_squares"
    spread = f"greatest({squares} - {total} * {total} / nullif({n}, 0), 0)"
    return f"case when {n} > 1 then sqrt({spread} / nullif({n} - 1, 0)) end"


def moments(values: str, column: str) -> dict[str, Aggregate]:
    """Return aggregates that give mean and deviation.

    Sums of whole and half stars, and of years, are exact in double precision. So the result
    does not depend on the order in which an engine adds, and is the same in each of them.
    """
    value = f"cast({column} as double)"
    return {
        f"{values}_count": Aggregate("count", column),
        f"{values}_sum": Aggregate("sum", value),
        f"{values}_squares": Aggregate("sum", f"{value} * {value}"),
    }
