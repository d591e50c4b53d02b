"""``recsys train`` and ``recsys evaluate``: ranking models on samples in files."""

from pathlib import Path
from typing import Annotated

import typer

TRAINING = "training.json"  # beside the model: how it came about
Samples = Annotated[
    Path,
    typer.Option(
        help="A folder of `recsys samples build`, a Parquet file, a CSV in the reference system's "
        "layout, or your own CSV or Parquet with `--schema`."
    ),
]
Schema = Annotated[
    Path | None,
    typer.Option(
        help="JSON that names the columns of your own file: label, user, item, timestamp, part, "
        "and lists of categories, numbers, log_numbers, bags (columns of lists; a|b in a CSV) "
        "and history."
    ),
]


def train(
    model: Annotated[str, typer.Argument(help="Kind of model, such as embedding_mlp or din.")],
    samples: Samples,
    out: Annotated[Path, typer.Option(help="Folder of the model; an earlier one is replaced.")],
    schema: Schema = None,
    validation: Annotated[
        float, typer.Option(help="Share of the rows by which training stops.")
    ] = 0.1,
    test: Annotated[float, typer.Option(help="Share of the rows to test on at the end.")] = 0.0,
    epochs: Annotated[int | None, typer.Option(help="Passes at most.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of Adam.")] = None,
    embedding_dim: Annotated[int | None, typer.Option(help="Numbers a category becomes.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="`name=value`, any other setting; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and random split.")] = 42,
    rows_in_memory: Annotated[
        int, typer.Option(min=1, help="Of more rows, parts are read in turn (Parquet only).")
    ] = 4_000_000,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Folder for the state of each epoch [default: beside --out]."),
    ] = None,
) -> None:
    """Train a ranking model on samples and write it to a folder, with `training.json`.

    The file is split by its column `part` where it has one, else by `timestamp`, else at random.
    The weights of the epoch with the best validation AUC are kept. A run that was killed goes on
    from its last epoch when it is started again, and ends with the same weights. With `TF_CONFIG`
    set, the same command on several machines trains one model on all of them.

    Examples:

    `recsys train embedding_mlp --samples outputs/samples --out outputs/mlp`

    `recsys train din --samples trainingSamples.csv --out outputs/din --set dropout=0.2`

    `recsys train deepfm --samples clicks.csv --schema clicks.json --out outputs/clicks`
    """
    import shutil
    from dataclasses import asdict, replace

    from recsys_lib import files, paths
    from recsys_lib.cli.settings import setting
    from recsys_lib.keras_backend import is_chief
    from recsys_lib.ranking import config_for, evaluate_model, out_of_core
    from recsys_lib.ranking.column_schema import read_schema
    from recsys_lib.ranking.sample_files import open_source
    from recsys_lib.ranking.sample_split import TEST, split_samples

    columns = None if schema is None else read_schema(schema)
    named = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate,
        "embedding_dim": embedding_dim,
    }  # fmt: skip
    changed = {} if columns is None else dict(columns.inputs)
    changed |= {name: value for name, value in named.items() if value is not None}
    changed |= dict(setting(text, "--set") for text in settings or [])
    config = config_for(model).with_settings(**changed)
    source = open_source(samples, columns.renamed if columns else None, config.bags)
    split = split_samples(source, validation, test, seed)
    counts = out_of_core.count_parts(source, split)
    _tell(f"{source.n_rows:,} samples in {source.form}")
    shares = ", ".join(f"{n:,} {part}" for part, n in counts.items())
    _tell(f"split {split.description}: {shares}")
    _tell_missing(source, config.columns)
    if out_of_core.needs_chunks(source, rows_in_memory):
        _tell(f"about {rows_in_memory:,} are in memory at a time")
    state = checkpoint or out.with_name(f"{out.name}.checkpoint")
    with _working(f"training {model}"):
        trained = out_of_core.train_on_source(
            model, source, split, config, seed, rows_in_memory, _tell_epoch, state
        )
    metrics = {}
    if counts[TEST]:
        metrics = evaluate_model(
            trained, out_of_core.frames_of(source, split, TEST, config.columns)
        )
        _tell_metrics(metrics)
    if is_chief():
        replace(trained, schema=columns).save(out)
        files.write_json(
            out / TRAINING,
            {
                "samples": str(samples),
                "split": split.description,
                "rows": counts,
                "seed": seed,
                "config": asdict(trained.config),
                "log": asdict(trained.log),
                "test": metrics,
            },
        )
        shutil.rmtree(state, ignore_errors=True)
    best = trained.log.best_epoch
    _tell(f"{trained.n_parameters:,} weights of epoch {best} in {paths.shown(out)}")


def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder that `recsys train` wrote.")],
    samples: Samples,
    schema: Schema = None,
) -> None:
    """Measure how well a trained model predicts all samples of a file.

    Columns are named as in training, unless another `--schema` is given.

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
    # The file need not have the columns that only the split of the training has read.
    renamed = {
        ours: theirs
        for ours, theirs in (columns.renamed if columns else {}).items()
        if ours in (*wanted, USER)
    }
    source = open_source(samples, renamed, tuple(trained.inputs.bags))
    wanted += [USER] if USER in source.columns else []
    _tell(f"{source.n_rows:,} samples in {source.form}")
    frames = (frame for _, frame in source.read(list(dict.fromkeys(wanted))))
    with _working("predicting"):
        # The source has renamed the columns already.
        metrics = evaluate_model(replace(trained, schema=None), frames)
    _tell_metrics(metrics)


def _tell(text: str) -> None:
    typer.echo(text)


def _working(text: str):
    from rich.console import Console

    return Console(stderr=True).status(text)


def _tell_missing(source, columns: list[str]) -> None:
    """Say which columns of a file that is in memory have missing values, and how many."""
    if "CSV" not in source.form:
        return
    ((_, frame),) = source.read(columns)
    counts = frame.isna().sum()
    shares = [f"{column} {n / len(frame):.1%}" for column, n in counts[counts > 0].items()]
    _tell(f"missing values: {', '.join(shares) or 'none'}")


def _tell_epoch(log) -> None:
    epoch = len(log.seconds)
    if epoch == log.resumed_after + 1 and log.resumed_after:
        _tell(f"continuing after epoch {log.resumed_after}")
    line = f"epoch {epoch}: loss {log.train_loss[-1]:.4f}"
    if log.validation_auc:
        line += f", validation AUC {log.validation_auc[-1]:.4f}"
        line += f", log loss {log.validation_log_loss[-1]:.4f}"
    _tell(f"{line}, {log.n_samples / log.seconds[-1]:,.0f} samples/s")


def _tell_metrics(metrics: dict) -> None:
    for name, value in metrics.items():
        _tell(f"{name:<18} {value:,}" if isinstance(value, int) else f"{name:<18} {value:.4f}")
