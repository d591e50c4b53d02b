"""``recsys samples``: build training samples, export and import the reference system's layout."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Build training samples; exchange them with the reference system.",
)
Out = Annotated[
    Path,
    typer.Option(
        metavar="FOLDER", help="Where the samples go; earlier samples there are replaced."
    ),
]
Partition = Annotated[
    str, typer.Option(help="Period that goes into one partition: day, month or year.")
]
Master = Annotated[
    str, typer.Option(help="local[n] for n threads here, or spark://HOST:PORT of a cluster.")
]
Conf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="A setting of Spark, such as spark.driver.memory=8g. May be repeated.",
        show_default=False,
    ),
]


@app.command()
def build(
    dataset: Annotated[
        str,
        typer.Argument(
            help="Name of a data set, as `recsys data list` shows it, or a folder of the same form."
        ),
    ],
    out: Out,
    partition: Partition = "month",
    all_families: Annotated[
        bool,
        typer.Option(
            "--all-families",
            help="Make all features of the registry, not only those of the reference system.",
        ),
    ] = False,
    master: Master = "local[2]",
    conf: Conf = None,
) -> None:
    """Build training samples on Spark, as typed Parquet partitioned by time.

    No feature of a sample uses an event at or after the time of that sample. Rows that cannot be
    right (missing values, later than now, repeated) go to `quarantine/`, each with its reason;
    `report.json` counts everything. The workers of a cluster must be able to reach both folders.

    Examples:

    `recsys samples build ml-100k --out outputs/samples`

    `recsys samples build big --out /shared/samples --master spark://head:7077`
    """
    from recsys_lib.features.registry import names
    from recsys_lib.features.samples_job import build_samples

    columns = names(all_families=True) if all_families else None
    source = _folder(dataset)  # before Spark takes its time to start
    with _session(master, conf, source / "interactions.parquet") as spark:
        _describe(build_samples(spark, source, out, partition, columns=columns), out)


@app.command("export")
def export_samples(
    samples: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Samples that `recsys samples build` wrote."),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help="CSV file to write; an earlier one is replaced."),
    ],
    master: Master = "local[2]",
    conf: Conf = None,
) -> None:
    """Write samples as one CSV in the exact layout of the reference system, for its programs.

    Example: `recsys samples export outputs/samples --out trainingSamples.csv`
    """
    from recsys_lib import paths
    from recsys_lib.features.reference_csv import export_csv

    with _session(master, conf) as spark:
        n_rows = export_csv(spark, samples.absolute(), out)
    typer.echo(f"{n_rows:,} samples in {paths.shown(out)}")


@app.command("import")
def import_samples(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A CSV in the layout of the reference system, or a folder of them."
        ),
    ],
    out: Out,
    partition: Partition = "month",
    master: Master = "local[2]",
    conf: Conf = None,
) -> None:
    """Read samples in the layout of the reference system, so that our models can learn from them.

    Lines that do not fit go to `quarantine/`, each with its reason.

    Example: `recsys samples import trainingSamples.csv --out outputs/theirs`
    """
    from recsys_lib.features.reference_csv import import_csv

    with _session(master, conf) as spark:
        _describe(import_csv(spark, file.absolute(), out, partition), out)


def _folder(dataset: str) -> Path:
    if Path(dataset).is_dir():
        return Path(dataset).absolute()
    from recsys_lib.data import load  # brings pandas, which takes as long as half of Java's start

    return load(dataset).path


@contextmanager
def _session(master: str, conf: list[str] | None, rows: Path | None = None) -> Iterator:
    """Yield a Spark session; on a terminal, show how many tasks of its running stages are done.

    ``rows`` is the Parquet table whose size tells whether the job is a long one.
    """
    from rich.console import Console

    from recsys_lib.errors import RecsysError
    from recsys_lib.features.sample_folder import compiler_options
    from recsys_lib.features.validation import count_rows
    from recsys_lib.spark import borrowed_session

    for setting in conf or []:
        if "=" not in setting:
            raise RecsysError(f"--conf takes NAME=VALUE, not {setting!r}.")
    options = compiler_options(0 if rows is None else count_rows(rows))
    # Spark ML's functions take a third of a second to register, and none is used here.
    settings = {"spark.sql.extensions.test.loadFromCp": "false"}
    settings |= dict(setting.split("=", 1) for setting in conf or [])
    with (
        Console(stderr=True).status("Starting Spark...") as shown,
        borrowed_session("samples", master, compiler_options=options, **settings) as spark,
    ):
        done = Event()
        watch = Thread(target=_watch, args=(spark.sparkContext.statusTracker(), shown, done))
        watch.start()
        try:
            yield spark
        finally:
            done.set()
            watch.join()


def _watch(tracker, shown, done: Event) -> None:
    while not done.wait(timeout=0.5):
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        counts = [f"{s.numCompletedTasks} of {s.numTasks} tasks" for s in stages if s]
        shown.update(f"Working: {', '.join(counts) or 'planning'}...")


def _describe(report: dict, out: Path) -> None:
    from recsys_lib import paths

    rows = report["rows"]
    typer.echo(f"{rows['written']:,} samples in {paths.shown(out)}, {report['seconds']} s")
    for reason, count in report["rejected"].items():
        typer.echo(f"  set aside: {count:,} {reason}")
