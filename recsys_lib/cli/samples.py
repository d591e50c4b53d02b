"""``recsys samples``: build training samples, export and import the reference system's layout."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from threading import Event, Thread
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Build training samples; exchange them with the reference system.",
)


class Engine(StrEnum):
    """What does the work."""

    embedded = "embedded"
    spark = "spark"


Out = Annotated[
    Path,
    typer.Option(
        metavar="FOLDER", help="Where the samples go; earlier samples there are replaced."
    ),
]
Partition = Annotated[
    str, typer.Option(help="Period that goes into one partition: day, month or year.")
]
EngineName = Annotated[
    Engine | None,
    typer.Option(
        help="`embedded` works in this process and needs no Java. `spark` starts Spark; it is the "
        "default where --master or --conf is given."
    ),
]
Master = Annotated[
    str | None,
    typer.Option(
        help="For Spark: local[n] for n threads here (local[2] by default), or spark://HOST:PORT "
        "of a cluster."
    ),
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
    engine: EngineName = None,
    master: Master = None,
    conf: Conf = None,
) -> None:
    """Build training samples, as typed Parquet partitioned by time.

    No feature of a sample uses an event at or after the time of that sample. Rows that cannot be
    right (missing values, later than now, repeated) go to `quarantine/`, each with its reason;
    `report.json` counts everything. Both engines write the same rows. The workers of a cluster must
    be able to reach both folders.

    Examples:

    `recsys samples build ml-100k --out outputs/samples`

    `recsys samples build big --out /shared/samples --master spark://head:7077`
    """
    from recsys_lib.features import build_samples
    from recsys_lib.features.registry import names
    from recsys_lib.features.source_tables import check_source

    columns = names(all_families=True) if all_families else None
    source = _folder(dataset)
    check_source(source)
    with _session(engine, master, conf) as spark:
        _describe(build_samples(source, out, partition, columns=columns, spark=spark), out)


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
    engine: EngineName = None,
    master: Master = None,
    conf: Conf = None,
) -> None:
    """Write samples as one CSV in the exact layout of the reference system, for its programs.

    Example: `recsys samples export outputs/samples --out trainingSamples.csv`
    """
    from recsys_lib import paths
    from recsys_lib.features.reference_csv import export_csv

    with _session(engine, master, conf) as spark:
        n_rows = export_csv(samples.absolute(), out, spark)
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
    engine: EngineName = None,
    master: Master = None,
    conf: Conf = None,
) -> None:
    """Read samples in the layout of the reference system, so that our models can learn from them.

    Lines that do not fit go to `quarantine/`, each with its reason.

    Example: `recsys samples import trainingSamples.csv --out outputs/theirs`
    """
    from recsys_lib.features.reference_csv import import_csv

    with _session(engine, master, conf) as spark:
        _describe(import_csv(file.absolute(), out, partition, spark), out)


def _folder(dataset: str) -> Path:
    from recsys_lib import paths

    for folder in (Path(dataset), paths.data_dir() / dataset):
        if (folder / "dataset.json").is_file() or Path(dataset).is_dir():
            return folder.absolute()
    from recsys_lib.data import load

    return load(dataset).path  # says what is wrong


@contextmanager
def _session(engine: Engine | None, master: str | None, conf: list[str] | None) -> Iterator:
    """Yield None for the embedded engine, or else a Spark session.

    On a terminal, show what is going on: with Spark, how many tasks of its running stages are done.
    """
    from rich.console import Console

    from recsys_lib.errors import RecsysError

    for setting in conf or []:
        if "=" not in setting:
            raise RecsysError(f"--conf takes NAME=VALUE, not {setting!r}.")
    of_spark = master is not None or bool(conf)
    if engine == Engine.embedded and of_spark:
        raise RecsysError("--master and --conf are for Spark: leave out --engine embedded.")
    shown = Console(stderr=True).status("Making samples...")
    if engine != Engine.spark and not of_spark:
        with shown:
            yield None
        return

    from recsys_lib.spark import borrowed_session

    settings = dict(setting.split("=", 1) for setting in conf or [])
    shown.update("Starting Spark...")
    with shown, borrowed_session("samples", master or "local[2]", **settings) as spark:
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
