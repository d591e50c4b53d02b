"""``recsys train`` and ``recsys evaluate``: ranking models on samples in files."""

from pathlib import Path
from typing import Annotated

import typer

from recsys_lib.cli import table_options as options
from recsys_lib.settings import LARGEST_SEED

TRAINING = "training.json"  # in the folder of the model: how it was trained
Samples = Annotated[
    Path,
    typer.Option(
        metavar="PATH",
        help="The samples: a folder that `recsys samples build` wrote, a CSV in the layout of the "
        "reference system, or with `--schema` a table of your own: text (also compressed), "
        "Parquet, Feather or JSON lines.",
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
    model: Annotated[
        str,
        typer.Argument(
            help="Kind of model: embedding_mlp, logistic_regression, fm, fnn, wide_deep, "
            "deep_crossing, neural_cf, deepfm, din, dien or dcn_v2."
        ),
    ],
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
        int,
        typer.Option(
            min=0,
            max=LARGEST_SEED,
            help="Seed of the first weights, the order of the samples and a split.",
        ),
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
    separator: options.Separator = None,
    encoding: options.Encoding = None,
    time_unit: options.TimeUnit = None,
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
    from dataclasses import asdict, replace

    from recsys_lib import files, paths
    from recsys_lib.cli.settings import setting
    from recsys_lib.keras_backend import is_chief
    from recsys_lib.ranking import config_for, evaluate_model, out_of_core
    from recsys_lib.ranking.column_schema import read_schema
    from recsys_lib.ranking.sample_files import open_source
    from recsys_lib.ranking.sample_split import TEST, split_samples

    state = checkpoint or out.with_name(f"{out.name}.checkpoint")
    for folder in (out, state):
        files.check_replaceable(folder)
    columns = None if schema is None else read_schema(schema)
    named = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate,
        "embedding_dim": embedding_dim,
    }  # fmt: skip
    changed = {} if columns is None else dict(columns.inputs)
    changed |= {name: value for name, value in named.items() if value is not None}
    changed |= dict(setting(text, "--set") for text in settings or [])
    config = config_for(model).with_settings(**changed)
    renamed = None if columns is None else columns.renamed
    form = options.text_form(separator, encoding, False)
    source = open_source(samples, renamed, config.bags, config.history, form)
    split = split_samples(source, validation, test, seed, time_unit)
    counts = out_of_core.count_parts(source, split)
    typer.echo(f"{source.n_rows:,} samples in {source.form}")
    sizes = ", ".join(f"{n:,} {part}" for part, n in counts.items())
    typer.echo(f"split {split.description}: {sizes}")
    _print_missing(source, config.columns)
    if out_of_core.needs_chunks(source, rows_in_memory):
        typer.echo(f"about {rows_in_memory:,} are in memory at a time")
    with _working(f"training {model}"):
        trained = out_of_core.train_on_source(
            model, source, split, config, seed, rows_in_memory, _print_epoch, state
        )
    figures = {}
    if counts[TEST]:
        test_part = out_of_core.frames_of(source, split, TEST, config.columns)
        figures = evaluate_model(trained, test_part)
        _print_figures(figures)
    if is_chief():
        replace(trained, schema=columns).save(out)
        files.claim_folder(out, [TRAINING])
        files.write_json(
            out / TRAINING,
            {
                "samples": str(samples),
                "split": split.description,
                "rows": counts,
                "seed": seed,
                "config": asdict(trained.config),
                "log": asdict(trained.log),
                "test": figures,
            },
        )
        files.remove_folder(state)
    best = trained.log.best_epoch
    typer.echo(f"{trained.n_parameters:,} weights of epoch {best} in {paths.shown(out)}")


def evaluate(
    model: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A model that `recsys train` wrote.")
    ],
    samples: Samples,
    schema: Schema = None,
    separator: options.Separator = None,
    encoding: options.Encoding = None,
) -> None:
    """Evaluate a trained model on all samples of a file.

    The columns are taken to have the names that they had in training, unless another `--schema`
    is given.

    Example: `recsys evaluate outputs/mlp --samples outputs/later_samples`
    """
    from dataclasses import replace

    from recsys_lib.features.registry import LABEL
    from recsys_lib.ranking import RankingModel, evaluate_model
    from recsys_lib.ranking.column_schema import read_schema
    from recsys_lib.ranking.sample_files import open_source
    from recsys_lib.schema import USER

    trained = RankingModel.load(model)
    columns = trained.schema if schema is None else read_schema(schema)
    wanted = [*trained.inputs.columns, LABEL]
    # Of the columns of training, the file need not have those that only the split has read.
    renamed = {} if columns is None else columns.renamed
    renamed = {name: theirs for name, theirs in renamed.items() if name in (*wanted, USER)}
    inputs = trained.inputs
    lists = [c for c, width in (inputs.bags | inputs.history).items() if width is not None]
    form = options.text_form(separator, encoding, False)
    source = open_source(samples, renamed, lists, tuple(inputs.history), form)
    wanted += [USER] if USER in source.columns else []
    typer.echo(f"{source.n_rows:,} samples in {source.form}")
    frames = (frame for _, frame in source.read(list(dict.fromkeys(wanted))))
    with _working("predicting"):
        # The source has renamed the columns already, so the schema has done its work.
        figures = evaluate_model(replace(trained, schema=None), frames)
    _print_figures(figures)


def _working(text: str):
    from rich.console import Console

    return Console(stderr=True).status(text)


def _print_missing(source, columns: list[str]) -> None:
    """Print which columns of a file that is in memory have missing values, and how many."""
    if not source.in_memory:
        return
    ((_, frame),) = source.read(columns)
    counts = frame.isna().sum()
    shares = [f"{column} {n / len(frame):.1%}" for column, n in counts[counts > 0].items()]
    typer.echo(f"missing values: {', '.join(shares) or 'none'}")


def _print_epoch(log) -> None:
    epoch = len(log.seconds)
    if epoch == log.resumed_after + 1 and log.resumed_after:
        typer.echo(f"continuing after epoch {log.resumed_after}")
    line = f"epoch {epoch}: loss {log.train_loss[-1]:.4f}"
    if log.validation_auc:
        line += f", validation AUC {log.validation_auc[-1]:.4f}"
        line += f", log loss {log.validation_log_loss[-1]:.4f}"
    typer.echo(f"{line}, {log.n_samples / log.seconds[-1]:,.0f} samples/s")


def _print_figures(figures: dict) -> None:
    for name, value in figures.items():
        number = f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
        typer.echo(f"{name:<18} {number}")
