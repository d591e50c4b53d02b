"""The ``recsys`` command: parses, calls the library, prints."""

import gc
import sys

import typer

from recsys_lib.cli import data, doctor, metrics, models, ranking, recommend, run, samples, serve
from recsys_lib.errors import RecsysError, storage_sentence

app = typer.Typer(
    name="recsys",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help=(
        "An executable course on industrial recommenders: get data, run the notebooks as "
        "experiments, look at what they measured; or train and use the models on data of your own."
        "\n\nA first session: `recsys doctor`, `recsys data get ml-100k`, `recsys run`, "
        "`recsys metrics`."
    ),
)
_COURSE, _MODELS = "The course", "Models on your own data"
app.command(rich_help_panel=_COURSE)(doctor.doctor)
app.add_typer(data.app, name="data", rich_help_panel=_COURSE)
app.command(rich_help_panel=_COURSE)(run.run)
app.command(rich_help_panel=_COURSE)(metrics.metrics)
app.command(rich_help_panel=_COURSE)(serve.serve)
app.command(rich_help_panel=_MODELS)(recommend.recommend)
app.add_typer(samples.app, name="samples", rich_help_panel=_MODELS)
app.command(rich_help_panel=_MODELS)(ranking.train)
app.command(rich_help_panel=_MODELS)(ranking.evaluate)
app.add_typer(models.app, name="models", rich_help_panel=_MODELS)


def main() -> None:
    """Run the command line.

    A :class:`RecsysError`, and what the file system refuses, end in one readable message and exit
    code 1.
    """
    try:
        app()
    except RecsysError as error:
        message = str(error)
    except OSError as error:
        message = storage_sentence(error)
    else:
        return
    finally:
        gc.freeze()  # all that is left ends with the process, and need not be walked through
    print(f"recsys: {message}", file=sys.stderr)
    sys.exit(1)
