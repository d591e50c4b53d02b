"""``recsys train`` and ``recsys evaluate``: ranking models on samples in files."""

from pathlib import Path
from typing import Annotated

import typer

TRAINING = "training.json"  # in the folder of the model: how it was trained
Samples = Annotated[
    Path,
    typer.Option(
        metavar="PATH",
        help="The samples: a folder that `recsys samples build` wrote, a Parquet file, a CSV in "
        "the layout of the reference system, or your own CSV or Parquet with `--schema`.",
    ),
]
Schema = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="JSON file that names the columns of your own samples: label, user, item, timestamp, "
        "part, and lists of categories, numbers, log_numbers, bags (columns of lists; a|b in a "
        "CSV) and history.",
    ),
]


def train(
    model: Annotated[str, typer.Argument(help="Kind of model, such as embedding_mlp or din.")],
    samples: Samples,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Where the model goes; an earlier model there is replaced."
        ),
    ],
    schema: Schema = None,
    validation: Annotated[
        float,
        typer.Option(help="Share of the samples held out to decide when training stops."),
    ] = 0.1,
    test: Annotated[
        float, typer.Option(help="Share of the samples held out to evaluate the model at the end.")
    ] = 0.0,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Most passes over the samples. Default: the model's own.", show_default=False
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Samples in a step. Default: the model's own.", show_default=False),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Step length of Adam. Default: the model's own.", show_default=False),
    ] = None,
    embedding_dim: Annotated[
        int | None,
        typer.Option(
            help="Numbers in the vector of a category. Default: the model's own.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "-p",
            metavar="NAME=VALUE",
            help="Any other setting of the model, such as dropout=0.2. May be repeated.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of the first weights, the order of the samples and a split.")
    ] = 42,
    rows_in_memory: Annotated[
        int,
        typer.Option(
            min=1, help="A Parquet file with more rows than this is read in parts, in turn."
        ),
    ] = 4_000_000,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the state after each epoch is kept until training ends. Default: next to "
            "the folder of the model.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train a ranking model on samples and write it to a folder.

    The samples are split by their column `part` where they have one, else by `timestamp`, else at
    random. The weights of the epoch with the best validation AUC are kept; `training.json`
    describes how the model was trained. A training that was killed goes on from its last epoch when
    the same command is started again, and ends with the same weights. With `TF_CONFIG` set, the
    same command on several machines trains one model on all of them.

    Examples:

    `recsys train embedding_mlp --samples outputs/samples --out outputs/mlp`

    `recsys train din --samples trainingSamples.csv --out outputs/din --set dropout=0.2`

    `recsys train deepfm --samples clicks.csv --schema clicks.json --out outputs/clicks`
    """
    import shutil
    from dataclasses import asdict

    from recsys_lib import files, paths
    from recsys_lib.cli.settings import setting
    from recsys_lib.keras_backend import is_chief
    from recsys_lib.ranking import out_of_core
    from recsys_lib.ranking.column_schema import read_schema, with_settings
    from recsys_lib.ranking.evaluation import judge_model
    from recsys_lib.ranking.models import config_class
    from recsys_lib.ranking.sample_files import open_source
    from recsys_lib.ranking.sample_split import TEST, split

    own = None if schema is None else read_schema(schema)
    named = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate,
        "embedding_dim": embedding_dim,
    }  # fmt: skip
    config = with_settings(
        config_class(model)(),
        {
            **(own.columns if own else {}),
            **{name: value for name, value in named.items() if value is not None},
            **dict(setting(text, "--set") for text in settings or []),
        },
    )
    source = open_source(samples, own.renamed if own else None, config.bags)
    columns = out_of_core.columns_of(config)
    parts = split(source, validation, test, seed)
    counts = out_of_core.count(source, parts)
    typer.echo(f"{source.n_rows:,} samples in {source.form}")
    typer.echo(f"split {parts.how}: " + ", ".join(f"{n:,} {part}" for part, n in counts.items()))
    _print_missing(source, columns)
    if out_of_core.does_not_fit(source, rows_in_memory):
        typer.echo(f"about {rows_in_memory:,} are in memory at a time")
    kept = checkpoint or out.with_name(f"{out.name}.checkpoint")
    with _working(f"training {model}"):
        trained, log = out_of_core.train_on_source(
            model, source, parts, config, seed, rows_in_memory, _print_epoch, kept
        )
    figures = {}
    if counts[TEST]:
        figures = judge_model(trained, out_of_core.frames_of(source, parts, TEST, columns))
        _print_figures(figures)
    if is_chief():
        trained.save(out)
        files.write_json(
            out / TRAINING,
            {
                "samples": str(samples),
                "renamed": dict(own.renamed) if own else {},
                "split": parts.how,
                "rows": counts,
                "seed": seed,
                "config": asdict(trained.config),
                "log": asdict(log),
                "test": figures,
            },
        )
        shutil.rmtree(kept, ignore_errors=True)
    typer.echo(f"{trained.n_parameters:,} weights of epoch {log.best_epoch} in {paths.shown(out)}")


def evaluate(
    model: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A model that `recsys train` wrote.")
    ],
    samples: Samples,
    schema: Schema = None,
) -> None:
    """Evaluate a trained model on all samples of a file.

    The columns are taken to have the names that they had in training, unless another `--schema`
    is given.

    Example: `recsys evaluate outputs/mlp --samples outputs/later_samples`
    """
    from recsys_lib import files
    from recsys_lib.features.registry import LABEL
    from recsys_lib.ranking import RankingModel
    from recsys_lib.ranking.column_schema import read_schema
    from recsys_lib.ranking.evaluation import judge_model
    from recsys_lib.ranking.out_of_core import columns_of
    from recsys_lib.ranking.sample_files import open_source
    from recsys_lib.schema import USER

    trained = RankingModel.load(model)
    description = model / TRAINING
    renamed = files.read_json(description)["renamed"] if description.is_file() else {}
    if schema is not None:
        renamed = read_schema(schema).renamed
    wanted = [*columns_of(trained.inputs), LABEL]
    # Of the columns of training, the file need not have those that only the split has read.
    renamed = {name: theirs for name, theirs in renamed.items() if name in (*wanted, USER)}
    source = open_source(samples, renamed, tuple(trained.inputs.bags))
    wanted += [USER] if USER in source.columns else []
    typer.echo(f"{source.n_rows:,} samples in {source.form}")
    with _working("predicting"):
        figures = judge_model(trained, (f for _, f in source.read(list(dict.fromkeys(wanted)))))
    _print_figures(figures)


def _working(text: str):
    from rich.console import Console

    return Console(stderr=True).status(text)


def _print_missing(source, columns: list[str]) -> None:
    """Print which columns of a file that is in memory have missing values, and how many."""
    if "CSV" not in source.form:
        return
    ((_, frame),) = source.read(columns)
    counts = frame.isna().sum()
    shares = [f"{column} {n / len(frame):.1%}" for column, n in counts[counts > 0].items()]
    typer.echo(f"missing values: {', '.join(shares) or 'none'}")


def _print_epoch(log) -> None:
    epoch = len(log.seconds)
    if epoch == log.resumed_after + 1 and log.resumed_after:
        typer.echo(f"going on after epoch {log.resumed_after}")
    line = f"epoch {epoch}: loss {log.train_loss[-1]:.4f}"
    if log.validation_auc:
        line += f", validation AUC {log.validation_auc[-1]:.4f}"
        line += f", log loss {log.validation_log_loss[-1]:.4f}"
    typer.echo(f"{line}, {log.n_samples / log.seconds[-1]:,.0f} samples/s")


def _print_figures(figures: dict) -> None:
    for name, value in figures.items():
        number = f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
        typer.echo(f"{name:<18} {number}")
