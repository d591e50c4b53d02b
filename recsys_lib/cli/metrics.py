"""``recsys metrics``: what runs measured."""

from typing import Annotated, Any

import typer


def metrics(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN",
            help="Names of runs under outputs/, or their paths. Default: the last run that ended "
            "well. The metrics of several are shown side by side.",
            show_default=False,
        ),
    ] = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="List the tables of the run in place of its metrics.")
    ] = False,
    table: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Print one table of the run, named as --tables lists it."
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print the metrics as one JSON object, by name; of several runs, one by run.",
        ),
    ] = False,
) -> None:
    """Print the metrics of a run, or compare those of several.

    Each notebook records the three to eight figures that it is about, with their intervals where
    it has some. All its other figures are in tables, which are kept as Parquet files.

    Examples:

    `recsys metrics`

    `recsys metrics 20261124-101112-ml-100k-default latest`

    `recsys metrics --tables`

    `recsys metrics --table 08_ranking_models.board`
    """
    import json

    from recsys_lib import files
    from recsys_lib.errors import RecsysError
    from recsys_lib.experiments.records import find_run

    folders = [find_run(name) for name in runs or [None]]
    if tables or table is not None:
        if len(folders) > 1:
            raise RecsysError("Tables are shown of one run at a time; name one run.")
        _print_table(folders[0], table) if table else _list_tables(folders[0])
        return
    recorded = {folder.name: files.read_json(folder / "metrics.json") for folder in folders}
    if as_json:
        (only, *others) = recorded.values()
        typer.echo(json.dumps(recorded if others else only, indent=2, ensure_ascii=False))
    elif len(recorded) == 1:
        _print_metrics(*recorded.values())
    else:
        _print_comparison(recorded)


def _print_metrics(recorded: dict[str, dict[str, Any]]) -> None:
    from recsys_lib.experiments.readable import shown_metric

    shown = {name: shown_metric(metric) for name, metric in recorded.items()}
    _print_columns(
        [
            (name, f"{number} {unit}".strip(), interval, recorded[name].get("meaning", ""))
            for name, (number, interval, unit) in shown.items()
        ]
    )


def _print_comparison(recorded: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Print a line for each metric with its value in each run; of two runs, the difference, too."""
    from recsys_lib.experiments.readable import NOTHING, digits

    def shown(value: float | None) -> str:
        return NOTHING if value is None else digits(value)

    names = list(dict.fromkeys(name for metrics in recorded.values() for name in metrics))
    rows = []
    for name in names:
        found = [metrics.get(name) for metrics in recorded.values()]
        values = [None if each is None else each["value"] for each in found]
        unit = next(each["unit"] for each in found if each)
        change = [] if len(values) != 2 else [None if None in values else values[1] - values[0]]
        rows.append((name, *map(shown, [*values, *change]), unit))
    change = ["difference"] if len(recorded) == 2 else []
    _print_columns([("metric", *recorded, *change, "unit"), *rows])


def _list_tables(run) -> None:
    from recsys_lib import paths
    from recsys_lib.experiments.records import find_tables

    found = find_tables(run)
    _print_columns(
        [
            (name, f"{each['rows']:,} x {each['columns']}", each["caption"])
            for name, each in found.items()
        ]
    )
    typer.echo(f"They lie as Parquet files in {paths.shown(run)}/NOTEBOOK/tables/.")


def _print_table(run, name: str) -> None:
    import pandas as pd

    from recsys_lib.errors import RecsysError, nearest
    from recsys_lib.experiments.records import find_tables

    found = find_tables(run)
    if name not in found:
        raise RecsysError(
            f"There is no table {name!r} in run {run.name}.{nearest(name, found)} "
            "`recsys metrics --tables` lists them."
        )
    typer.echo(found[name]["caption"])
    typer.echo(pd.read_parquet(found[name]["path"]).to_string(index=False))


def _print_columns(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
