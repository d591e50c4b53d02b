"""``recsys recommend``: lists for everybody from a person's own table, for any outside judge."""

from pathlib import Path
from typing import Annotated

import typer


def recommend(
    recaller: Annotated[
        str,
        typer.Option(help="`best`, `best_single`, or a channel; `list` shows them all."),
    ] = "best",
    train: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet: user, item and, if there are, rating, timestamp."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write: .csv, .tsv or .parquet.")] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Items for each user.")] = 10,
    items: Annotated[
        Path | None,
        typer.Option(help="Item table: item and release_year, genres or people (joined by |)."),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="How settings are chosen, on a fifth of the table held out: a `random` fifth of "
            "each user, each user's `last` fifth, or the last fifth in `time`."
        ),
    ] = "random",
    relevant: Annotated[
        str, typer.Option(help="What counts there: `all` held-out rows or `likes` (3.5 and more).")
    ] = "all",
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", help="`name=value`, a setting of the channel; nothing is chosen then."),
    ] = None,
) -> None:
    """Fit a recaller on your own split and write the best unseen items of each of its users.

    The output has the columns user, item, score and rank (from 1), with the ids of your table. So
    any evaluator can judge it. Settings are chosen on a part held out of the table, never on
    anything else; `best` also merges the channels that help each other. Nothing a user has in the
    table is recommended.

    Examples:

    `recsys recommend --train train.csv --out top10.csv`

    `recsys recommend --recaller ease --protocol last --train train.parquet --out top10.parquet`

    `recsys recommend --recaller item_knn -p n_neighbours=100 --train train.csv --out top10.csv`

    `recsys recommend --recaller list`
    """
    from rich.console import Console

    from recsys_lib import paths
    from recsys_lib.cli.settings import setting
    from recsys_lib.data.user_table import ending_of, read_interactions, read_items, write_table
    from recsys_lib.errors import RecsysError
    from recsys_lib.recall.tuning import check_name, describe, make_recaller

    if recaller == "list":
        for name, told in describe().items():
            typer.echo(f"{name:<17} {told}")
        return
    check_name(recaller)
    settings = dict(setting(each, "-p") for each in parameter or [])
    if train is None or out is None:
        raise RecsysError("Give --train FILE and --out FILE (see recsys recommend --help).")
    ending_of(out)  # a wrong one is told before the work is done
    table = read_interactions(train)
    for told in (*table.notes, *(f"left out: {n:,} rows {r}" for r, n in table.rejects.items())):
        typer.echo(told)
    n_users, n_items = len(table.user_ids), len(table.item_ids)
    rows = table.interactions
    typer.echo(f"{len(rows):,} interactions of {n_users:,} users with {n_items:,} items")
    about = None if items is None else read_items(items, table.item_ids)
    chosen_by = {"protocol": protocol, "relevant": relevant, "k": k}
    model = make_recaller(recaller, about, **chosen_by, **settings)
    with Console(stderr=True).status(f"fitting {recaller}, choosing its settings where it can"):
        model.fit(rows)
    for told in _choices(model):
        typer.echo(told)
    lists, without = _lists(model, table, k)
    if without:
        typer.echo(f"nothing to recommend to {without:,} users")
    write_table(lists, out)
    typer.echo(f"{len(lists):,} rows for {n_users - without:,} users in {paths.shown(out)}")


def _choices(model):
    """Yield what a recaller that tunes itself has chosen, line by line."""
    from recsys_lib.recall import TunedMerge

    if not isinstance(model, TunedMerge):
        return
    if not model.validation_:
        yield "nobody has both a past and something held out: nothing to choose by"
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
