"""``recsys recommend``: lists of items for every user of a table of your own."""

from pathlib import Path
from typing import Annotated

import typer

from recsys_lib.cli import table_options as options


def recommend(
    recaller: Annotated[
        str,
        typer.Option(
            help="What recommends: `best`, `best_single`, or the name of a channel; `--list` shows "
            "them all."
        ),
    ] = "best",
    train: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The table to learn from: text (also compressed), Parquet, Feather or JSON lines, "
            "with users, items and, where you have them, ratings and times.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File to write, .csv, .tsv or .parquet; an earlier one is replaced.",
            show_default=False,
        ),
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Items for each user.")] = 10,
    columns: options.Columns = None,
    items: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A table of your items, with their years, genres or people (joined by |).",
            show_default=False,
        ),
    ] = None,
    item_columns: options.ItemColumns = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="Which fifth of the table is held out to choose the settings: a `random` fifth of "
            "each user's rows, the `last` fifth of each user's rows, or the last fifth in `time`."
        ),
    ] = "random",
    relevant: Annotated[
        str,
        typer.Option(
            help="Which held-out rows count as found: `all`, or only `likes` (3.5 and more)."
        ),
    ] = "all",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "-p",
            metavar="NAME=VALUE",
            help="A setting of the channel, such as n_neighbours=100. May be repeated. With one, "
            "no setting is chosen on held-out rows.",
            show_default=False,
        ),
    ] = None,
    separator: options.Separator = None,
    encoding: options.Encoding = None,
    no_header: options.NoHeader = False,
    decimal: options.Decimal = None,
    time_unit: options.TimeUnit = None,
    time_zone: options.TimeZone = "UTC",
    scale: options.Scale = None,
    like: options.Like = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File to write the rows to that were left out: .csv, .tsv or .parquet.",
            show_default=False,
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--list", help="List what can recommend, and recommend nothing.")
    ] = False,
) -> None:
    """Learn from a table of your own, and write the best new items for each of its users.

    The output has the columns user, item, score and rank (from 1), with the ids of your table, so
    that any evaluator can read it. Settings are chosen on a part held out of the table, never on
    anything else; `best` also merges the channels that help each other. No user is recommended an
    item that the table already has for that user.

    Examples:

    `recsys recommend --train train.csv --out top10.csv`

    `recsys recommend --recaller ease --protocol last --train train.parquet --out top10.parquet`

    `recsys recommend --recaller item_knn --set n_neighbours=100 --train train.csv --out top10.csv`

    `recsys recommend --list`
    """
    from dataclasses import replace

    from rich.console import Console

    from recsys_lib import paths
    from recsys_lib.cli.settings import setting
    from recsys_lib.data.interactions import Interactions
    from recsys_lib.data.item_table import items_for, read_items
    from recsys_lib.data.reading import interaction_columns, preview
    from recsys_lib.data.rejects import Rejects, in_words
    from recsys_lib.data.splits import PROTOCOLS
    from recsys_lib.data.tables import open_table
    from recsys_lib.data.writing import check_output, write_table
    from recsys_lib.errors import RecsysError, nearest
    from recsys_lib.recall.tuning import (
        RELEVANT,
        check_name,
        check_settings,
        describe,
        make_recaller,
    )

    if show:
        for name, description in describe().items():
            typer.echo(f"{name:<17} {description}")
        return
    check_name(recaller)
    given = dict(setting(each, "--set") for each in settings or [])
    check_settings(recaller, given)
    for option, value, known in (
        ("--protocol", protocol, PROTOCOLS),
        ("--relevant", relevant, RELEVANT),
    ):
        if value not in known:
            raise RecsysError(
                f"{option} must be one of {', '.join(known)}, not {value!r}.{nearest(value, known)}"
            )
    if train is None or out is None:
        raise RecsysError("Give --train FILE and --out FILE; see `recsys recommend --help`.")
    for file in (out, *([rejects] if rejects else [])):
        check_output(file, inputs=(train, items))
    opened = open_table(train, options.text_form(separator, encoding, no_header))
    found = interaction_columns(opened, options.interaction_columns(columns))
    meaning = options.meaning(time_unit, time_zone, decimal, scale, like)
    for line in preview(opened, found):
        typer.echo(line)
    table = Interactions.from_table(opened, found, meaning, typer.echo)
    check_output(out, ids=(table.user_ids, table.item_ids))
    aside = Rejects()
    aside.add(table.rejects)
    about = None
    if items is not None:
        read, broken, notes = read_items(items, options.item_columns(item_columns))
        about = items_for(table, read, aside)
        for frame in broken:
            aside.add(frame)
        for note in notes:
            typer.echo(note)
    for line in in_words(aside.frame(), opened.place):
        typer.echo(f"left out: {line}")
    for reason, n in aside.counts.items():
        typer.echo(f"left out: {n:,} {'row' if n == 1 else 'rows'}: {reason}")
    if rejects is not None:
        write_table(aside.frame(), rejects)
    # Who has had an item twice is still to be recommended others: of a pair the latest row counts.
    rows = table.frame.drop_duplicates(["user_id", "item_id"], keep="last", ignore_index=True)
    table = replace(table, frame=rows)
    users = table.users(rows["user_id"].unique())
    n_users, n_items = len(users), rows["item_id"].nunique()
    typer.echo(f"{len(rows):,} interactions of {n_users:,} users with {n_items:,} items")
    k = min(k, n_items)
    chosen_by = {"protocol": protocol, "relevant": relevant, "k": k}
    model = make_recaller(recaller, about, **chosen_by, **given)
    with Console(stderr=True).status(f"fitting {recaller}, choosing its settings where it can"):
        model.fit(table)
    for line in _choices(model):
        typer.echo(line)
    names = {"user_id": "user", "item_id": "item"}
    lists = model.recommend(users, k).rename(columns=names)
    lists = lists[["user", "item", "score", "rank"]]
    without = n_users - lists["user"].nunique()
    if without:
        typer.echo(f"nothing to recommend to {without:,} of the users")
    write_table(lists, out, {"user": table.user_ids, "item": table.item_ids})
    typer.echo(f"{len(lists):,} rows for {n_users - without:,} users in {paths.shown(out)}")


def _choices(model):
    """Yield, line by line, what a recaller that tunes itself has chosen."""
    from recsys_lib.recall import TunedMerge

    if not isinstance(model, TunedMerge):
        return
    if not model.validation_:
        yield "no user has both a past and something held out: there is nothing to choose by"
    for name, value in model.validation_.items():
        yield f"  validation nDCG@{model.k} {value:.4f}  {name}"
    for name, weight in model.plan_["channels"].items():
        settings = ", ".join(f"{s}={v}" for s, v in model.plan_["settings"][name].items())
        yield f"chosen: {name} x {weight:g} ({settings})"
