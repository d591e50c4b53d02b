"""``recsys recommend``: lists of items for every user of a table of your own."""

from pathlib import Path
from typing import Annotated

import typer


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
            help="The table to learn from, CSV or Parquet: user, item and, where you have them, "
            "rating and timestamp.",
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
    items: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A table of your items: item and release_year, genres or people (joined by |).",
            show_default=False,
        ),
    ] = None,
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
    show: Annotated[
        bool, typer.Option("--list", help="List what can recommend, and recommend nothing.")
    ] = False,
) -> None:
    """Learn from a table of your own, and write the best new items for each of its users.

    The output has the columns user, item, score and rank (from 1), with the ids of your table, so
    that any evaluator can read it. Settings are chosen on a part held out of the table, never on
    anything else; `best` also merges the channels that help each other. A user is not recommended
    what the table already has of the user.

    Examples:

    `recsys recommend --train train.csv --out top10.csv`

    `recsys recommend --recaller ease --protocol last --train train.parquet --out top10.parquet`

    `recsys recommend --recaller item_knn --set n_neighbours=100 --train train.csv --out top10.csv`

    `recsys recommend --list`
    """
    from rich.console import Console

    from recsys_lib import paths
    from recsys_lib.cli.settings import setting
    from recsys_lib.data.user_table import ending_of, read_interactions, read_items, write_table
    from recsys_lib.errors import RecsysError
    from recsys_lib.recall.tuning import check_name, describe, make_recaller

    if show:
        for name, description in describe().items():
            typer.echo(f"{name:<17} {description}")
        return
    check_name(recaller)
    given = dict(setting(each, "--set") for each in settings or [])
    if train is None or out is None:
        raise RecsysError("Give --train FILE and --out FILE; see `recsys recommend --help`.")
    ending_of(out)  # an ending that nothing can write is refused before the work is done
    table = read_interactions(train)
    left_out = (f"left out: {n:,} rows {reason}" for reason, n in table.rejects.items())
    for line in (*table.notes, *left_out):
        typer.echo(line)
    n_users, n_items = len(table.user_ids), len(table.item_ids)
    rows = table.interactions
    typer.echo(f"{len(rows):,} interactions of {n_users:,} users with {n_items:,} items")
    about = None if items is None else read_items(items, table.item_ids)
    chosen_by = {"protocol": protocol, "relevant": relevant, "k": k}
    model = make_recaller(recaller, about, **chosen_by, **given)
    with Console(stderr=True).status(f"fitting {recaller}, choosing its settings where it can"):
        model.fit(rows)
    for line in _choices(model):
        typer.echo(line)
    lists, without = _lists(model, table, k)
    if without:
        typer.echo(f"nothing to recommend to {without:,} users")
    write_table(lists, out)
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


def _lists(model, table, k: int):
    """Return the lists of all users as a table with raw ids, and how many users have none."""
    import numpy as np
    import pandas as pd

    users = np.arange(len(table.user_ids))
    found = model.lists(users, k)
    user, place = np.nonzero(found.listed)
    frame = pd.DataFrame(
        {
            "user": table.user_ids[user],
            "item": table.item_ids[found.item_ids[user, place]],
            "score": found.scores[user, place],
            "rank": place + 1,
        }
    )
    return frame, int((~found.listed[:, 0]).sum())
