"""``recsys metrics``: what a run measured."""

from typing import Annotated

import typer


def metrics(
    run: Annotated[
        str | None,
        typer.Argument(
            help="Name of a run under outputs/, or its path. Default: outputs/latest.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help='Print one object {name: {"value", "unit"}}.')
    ] = False,
) -> None:
    """Print all metrics of a run, one a line: notebook.metric, value, unit."""
    import json

    from recsys_lib import files
    from recsys_lib.experiments.records import find_run

    recorded = files.read_json(find_run(run) / "metrics.json")
    if as_json:
        typer.echo(json.dumps(recorded, indent=2))
        return
    width = max((len(name) for name in recorded), default=0)
    for name, metric in recorded.items():
        typer.echo(f"{name:<{width}}  {metric['value']:>14.6g}  {metric['unit']}")
