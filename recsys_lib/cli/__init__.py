"""The ``recsys`` command: parses, calls the library, prints."""

import sys

import typer

from recsys_lib.cli import data, doctor, metrics, models, ranking, recommend, run, samples
from recsys_lib.errors import RecsysError

app = typer.Typer(
    name="recsys",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help=(
        "An executable course on industrial recommenders: data sets, notebooks as experiments, "
        "their metrics.\n\nA first session: `recsys doctor`, `recsys data get ml-100k`, "
        "`recsys run`, `recsys metrics`."
    ),
)
app.add_typer(data.app, name="data")
app.add_typer(samples.app, name="samples")
app.add_typer(models.app, name="models")
app.command()(ranking.train)
app.command()(ranking.evaluate)
app.command()(run.run)
app.command()(metrics.metrics)
app.command()(recommend.recommend)
app.command()(doctor.doctor)


def main() -> None:
    """Run the command line; a :class:`RecsysError` ends in one readable message and exit code 1."""
    try:
        app()
    except RecsysError as error:
        print(f"recsys: {error}", file=sys.stderr)
        sys.exit(1)
