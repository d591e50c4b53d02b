"""The options that describe a person's own table, the same for every command that reads one."""

from typing import Annotated

import typer

Columns = Annotated[
    str | None,
    typer.Option(
        help="The columns of your table, by name or by number from 1: `user=...,item=...` and, if "
        "there are such, `rating=...,timestamp=...`. Without ratings every row is a like. By "
        "default, columns with the usual names are taken, such as `user_id` or `movieId`.",
        show_default=False,
    ),
]
ItemColumns = Annotated[
    str | None,
    typer.Option(
        help="The columns of your items: `item=...` and, if there are such, "
        "`title=...,year=...,genres=...,people=...`.",
        show_default=False,
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        help="What separates the columns of a text file. Default: found out from its first lines.",
        show_default=False,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        help="How a text file is encoded, such as gbk or latin-1. Default: utf-8, or what the "
        "first bytes of the file say.",
        show_default=False,
    ),
]
NoHeader = Annotated[
    bool,
    typer.Option("--no-header", help="The first line is data: columns are named by number."),
]
Decimal = Annotated[
    str | None,
    typer.Option(
        help="The decimal mark of ratings, `.` or `,`. Default: found out from the ratings.",
        show_default=False,
    ),
]
TimeUnit = Annotated[
    str | None,
    typer.Option(
        help="What timestamps count since 1970: `s`, `ms`, `us`, `ns` or `D` (days); or `date` for "
        "20170714, or a format such as `'%d/%m/%Y %H:%M'`. Default: found out from the values.",
        show_default=False,
    ),
]
TimeZone = Annotated[
    str, typer.Option(help="Time zone of dates that name none, such as Europe/Berlin.")
]
Scale = Annotated[
    str | None,
    typer.Option(
        help="The scale of the ratings, such as `1:10`: they become 0.5 to 5 stars.",
        show_default=False,
    ),
]
Like = Annotated[
    float | None,
    typer.Option(
        help="The lowest rating that is a like, on your scale; it becomes 3.5 stars.",
        show_default=False,
    ),
]


def text_form(separator: str | None, encoding: str | None, no_header: bool):
    """Return what the options say of how a text file is written."""
    from recsys_lib.data.tables import TextForm

    tab = separator in ("\\t", "tab")
    return TextForm("\t" if tab else separator, encoding, not no_header)


def meaning(
    time_unit: str | None,
    time_zone: str,
    decimal: str | None,
    scale: str | None,
    like: float | None,
):
    """Return what the options say of the values."""
    from recsys_lib.data.reading import Meaning

    return Meaning(time_unit, time_zone, decimal, _ends(scale), like)


def interaction_columns(text: str | None) -> dict[str, str] | None:
    """Return the columns of interactions by role."""
    from recsys_lib.data.columns import INTERACTION_ROLES, parse_columns

    return None if text is None else parse_columns(text, INTERACTION_ROLES, "--columns")


def item_columns(text: str | None) -> dict[str, str] | None:
    """Return the columns of a table of items by role."""
    from recsys_lib.data.columns import ITEM_ROLES, parse_columns

    return None if text is None else parse_columns(text, ITEM_ROLES, "--item-columns")


def _ends(scale: str | None) -> tuple[float, float] | None:
    from recsys_lib.errors import DataError

    if scale is None:
        return None
    try:
        low, high = map(float, scale.split(":"))
    except ValueError:
        raise DataError(f"--scale is written LOW:HIGH, such as 1:10, not {scale!r}.") from None
    return low, high
