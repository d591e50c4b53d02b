"""Settings that a person gives by name: of which type they are, and what they may be.

A setting of one name means one thing in the whole library, so its limits are stated once, here.
"""

import math
import numbers
import types
from typing import Any, Union, get_args, get_origin

from recsys_lib.errors import RecsysError

LARGEST_SEED = 2**32 - 1  # what numpy and Keras take
POSITIVE_WHOLE = "a whole number from 1 on"
POSITIVE, NOT_NEGATIVE, SHARE = "a number above 0", "a number from 0 on", "a number in [0, 1)"
SEED = f"a whole number from 0 to {LARGEST_SEED}"
LIMITS = {
    POSITIVE_WHOLE: lambda value: value >= 1,
    POSITIVE: lambda value: value > 0,
    NOT_NEGATIVE: lambda value: value >= 0,
    SHARE: lambda value: 0 <= value < 1,
    SEED: lambda value: 0 <= value <= LARGEST_SEED,
}
LIMIT_OF = {
    setting: limit
    for limit, settings in (
        (
            POSITIVE_WHOLE,
            "batch_size budget candidates depth embedding_dim epochs hidden k longest_history "
            "sweeps walk_length walks_per_node window",
        ),
        (
            POSITIVE,
            "p q half_life_days half_life_likes learning_rate machine_learning_rate regularization "
            "self_weight temperature",
        ),
        (
            NOT_NEGATIVE,
            "agreement_weight alpha beta distance_power embedding_l2 near_weight patience "
            "popularity_weight rating_weight shrinkage user_damping",
        ),
        (SHARE, "dropout id_dropout input_dropout"),
        (SEED, "seed"),
    )
    for setting in settings.split()
}
COUNT = "n_"  # begins the name of a number of things, of which there must be one


def limit_of(name: str) -> str | None:
    """Return in words what the setting of a name may be, a key of :data:`LIMITS`."""
    return LIMIT_OF.get(name) or (POSITIVE_WHOLE if name.startswith(COUNT) else None)


def check_limit(name: str, value: Any) -> None:
    """Raise :class:`RecsysError` where a number, or one of a list, is not what it may be."""
    limit = limit_of(name)
    values = value if isinstance(value, list | tuple) else [value]
    if limit and not all(each is None or _fits(each, float, limit) for each in values):
        raise RecsysError(f"The setting {name} must be {limit}, not {value!r}.")


IN_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def checked_setting(name: str, value: Any, kind: Any) -> Any:
    """Return the value of a setting in its type.

    Parameters
    ----------
    name : str
        As the constructor that takes it calls it.
    value : object
        As JSON gives it: a list stands for a tuple, a whole number for a float.
    kind : type annotation
        ``int``, ``float``, ``bool``, ``str``, a tuple of one of them, or such a type or None.
        Anything else is not checked.

    Raises
    ------
    RecsysError
        The value is of another type, not finite, or outside what the setting may be.
    """
    kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    if value is None and types.NoneType in kinds:
        return None
    plain = next((each for each in kinds if each is not types.NoneType), None)
    member = get_args(plain)[0] if get_origin(plain) is tuple else None
    limit = limit_of(name)
    words = limit or IN_WORDS.get(member or plain)
    if words is None:
        return value
    if member is not None:
        words = f"a list, of which each is {words}"
    if types.NoneType in kinds:
        words += ", or null"
    wrong = RecsysError(f"The setting {name} must be {words}, not {value!r}.")
    if member is not None:
        values = list(value) if isinstance(value, list | tuple) else [value]
        if not all(_fits(each, member, limit) for each in values):
            raise wrong
        return tuple(values)
    if not _fits(value, plain, limit):
        raise wrong
    return float(value) if plain is float else value


def _fits(value: Any, kind: type, limit: str | None) -> bool:
    if kind in (int, float):  # numpy's numbers count, a truth value does not
        of_kind = numbers.Integral if kind is int else numbers.Real
        right = isinstance(value, of_kind) and type(value) is not bool and math.isfinite(value)
    else:
        right = isinstance(value, kind)
    return right and (limit is None or LIMITS[limit](value))
