"""What the registry says of one feature, and the pieces of SQL its formulas are made of."""

from dataclasses import dataclass

EVENT, BEFORE, STATIC = "of the event itself", "events strictly before", "known at any time"


@dataclass(frozen=True)
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
    unit : str
        Of a number; empty for a number without one and for all else.
    meaning : str
        One line for people.
    formula : str
        Spark SQL over the columns of the event, the item, the user and the state. Features that
        are computed at the request keep to what :meth:`pandas.DataFrame.eval` reads alike.
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
    unit: str
    meaning: str
    formula: str
    vocabulary: str | None = None
    nullable: bool = True
    in_reference: bool = True


def mean(values: str, origin: int = 0) -> str:
    """Return SQL for the mean of what :func:`moments` counted; null without a value."""
    mean = f"{values}_sum / nullif({values}_count, 0)"
    return f"{origin} + {mean}" if origin else mean


def stddev(values: str) -> str:
    """Return SQL for the sample standard deviation (n - 1 below); null below two values."""
    n, total, squares = f"{values}_count", f"{values}_sum", f"{values}_squares"
    spread = f"greatest({squares} - {total} * {total} / nullif({n}, 0), 0)"
    return f"case when {n} > 1 then sqrt({spread} / nullif({n} - 1, 0)) end"


def moments(values: str, column: str) -> dict[str, str]:
    """Return aggregates that give mean and deviation.

    Sums of whole and half stars, and of years, are exact in double precision. So the result
    does not depend on the order in which Spark adds, and equals the one a group gives.
    """
    value = f"cast({column} as double)"
    return {
        f"{values}_count": f"count({column})",
        f"{values}_sum": f"sum({value})",
        f"{values}_squares": f"sum({value} * {value})",
    }
