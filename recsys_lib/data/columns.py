"""Which column of a person's table plays which role."""

import re
from collections.abc import Mapping, Sequence

from recsys_lib.errors import DataError, nearest

# Role -> names that are taken for it where nothing is said, in lower case without punctuation.
INTERACTION_ROLES = {
    "user": ("user", "userid", "uid"),
    "item": ("item", "itemid", "movieid", "sku"),
    "rating": ("rating", "ratings", "stars"),
    "timestamp": ("timestamp", "time", "date", "datetime", "when"),
}
ITEM_ROLES = {
    "item": INTERACTION_ROLES["item"],
    "title": ("title", "name", "movietitle"),
    "year": ("releaseyear", "year"),
    "genres": ("genres", "genre", "class", "categories"),
    "people": ("people",),
}


def parse_columns(text: str, roles: Mapping[str, Sequence[str]], option: str) -> dict[str, str]:
    """Read ``user=uid,item=sku,rating=stars,timestamp=when``.

    Returns
    -------
    dict of str to str
        The name of a column, or its number from 1, by role.

    Raises
    ------
    DataError
        A part is not understood, or a role is named twice; names the ``option`` it was given to.
    """
    named: dict[str, str] = {}
    for part in text.split(","):
        role, separator, name = (piece.strip() for piece in part.partition("="))
        role = "year" if role == "release_year" else role
        if role not in roles or not separator or not name or role in named:
            again = "" if role in roles else nearest(role, roles)
            again = f" {role} is named twice." if role in named else again
            raise DataError(
                f"{option} does not understand {part!r}.{again} Write "
                f"{','.join(f'{each}=NAME' for each in roles)}, those that there are."
            )
        named[role] = name
    return named


def resolve_columns(
    names: Sequence[str],
    named: Mapping[str, str | None] | None,
    roles: Mapping[str, Sequence[str]],
    required: Sequence[str],
    table: str,
    how: str = "--columns",
) -> dict[str, str]:
    """Find the columns of a table that play the roles.

    A column is found by its exact name, else by its name in upper or lower case, else by its number
    from 1, or, where the name is None, by one of the usual names of its role.

    Parameters
    ----------
    names : sequence of str
        The columns of the table.
    named : dict of str to str or None, optional
        What a person says, by role. A role that is absent, or has an empty name, is played by no
        column, except that a required one is looked for. None looks for all.
    roles : dict of str to sequence of str
        The roles, and the names that are taken for them.
    required : sequence of str
        The roles that a table must have.
    table : str
        What to call the table in an error.
    how : str
        How a person says which column is meant.

    Returns
    -------
    dict of str to str
        The table's name of a column, by role, in the order of ``roles``.

    Raises
    ------
    DataError
        A named or required column is not there, two columns answer to one name, or one column is
        to play two roles.
    """
    named = dict.fromkeys(roles) if named is None else named
    found: dict[str, str] = {}
    for role, usual in roles.items():
        name = named.get(role, "")
        if name == "" and role not in required:
            continue
        place = _named(names, name, table) if name else _usual(names, role, usual, table, how)
        if place is None:
            if role in required:
                raise DataError(
                    f"{table} has no column that is called like the {role}: say which one it is "
                    f"({how} {role}=NAME). {columns_in_words(names)}"
                )
            continue
        if names.count(names[place]) > 1:
            places = [str(p) for p, each in enumerate(names, 1) if each == names[place]]
            raise DataError(
                f"{table} has {len(places)} columns called {names[place]!r} (columns "
                f"{' and '.join(places)}): rename one, so that it is clear which is the {role}."
            )
        found[role] = names[place]
    for role, name in found.items():
        others = [each for each in found if found[each] == name and each != role]
        if others:
            raise DataError(f"{table}: the column {name!r} cannot be both {others[0]} and {role}.")
    return found


def names_interactions(names: Sequence[str]) -> bool:
    """Tell whether users and items are among these names, as they are usually called."""
    plain = {_plain(name) for name in names}
    return all(plain.intersection(INTERACTION_ROLES[role]) for role in ("user", "item"))


def columns_in_words(names: Sequence[str]) -> str:
    """Return a sentence that lists the columns of a table, as far as they can be read."""
    shown = [repr(name if len(name) <= 40 else name[:37] + "...") for name in names[:20]]
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"Its columns: {', '.join(shown) or 'none'}{more}."


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _named(names: Sequence[str], name: str, table: str) -> int:
    if name in names:
        return names.index(name)
    alike = [p for p, each in enumerate(names) if each.strip().casefold() == name.casefold()]
    if len({names[place] for place in alike}) > 1:
        pair = " and ".join(repr(names[place]) for place in alike[:2])
        raise DataError(f"{table} has the columns {pair}: write {name!r} exactly as one of them.")
    if alike:
        return alike[0]
    if name.isdecimal() and 1 <= int(name) <= len(names):
        return int(name) - 1
    raise DataError(
        f"{table} has no column {name!r}.{nearest(name, names)} {columns_in_words(names)}"
    )


def _usual(names: Sequence[str], role: str, usual: Sequence[str], table: str, how: str):
    for plain in usual:
        places = [place for place, each in enumerate(names) if _plain(each) == plain]
        if len({names[place] for place in places}) > 1:
            pair = " and ".join(repr(names[place]) for place in places[:2])
            raise DataError(f"{table} has the columns {pair}: say which is the {role} ({how}).")
        if places:
            return places[0]
    return None
