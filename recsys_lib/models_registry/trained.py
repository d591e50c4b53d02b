"""A trained ranking network becomes a version: exported, compared with itself, written down."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from recsys_lib import files
from recsys_lib.errors import DataError
from recsys_lib.models_registry.registry import Lineage, ModelRegistry, Parity
from recsys_lib.ranking import RankingModel

WARM_UP_ROWS = 200  # about as many as a request brings
PARITY_ROWS = 10_000


def add_model(
    registry: ModelRegistry,
    name: str,
    model: RankingModel,
    samples: pd.DataFrame,
    *,
    metrics: Mapping[str, float],
    data_hash: str,
    criterion: str = "validation_auc",
    higher_is_better: bool = True,
    code_revision: str | None = None,
    tolerance: float = 1e-6,
) -> int:
    """Store a trained model as a new version, and return its number.

    The version holds the export (with warm-up requests) and, in ``model``, the model itself.

    Parameters
    ----------
    registry : ModelRegistry
    name : str
    model : RankingModel
    samples : DataFrame
        Rows whose served scores are compared with the model's own; the first ones become the
        warm-up request.
    metrics, data_hash, criterion, higher_is_better, code_revision
        As in :class:`Lineage`.
    tolerance : float
        Largest difference of probabilities that is accepted.
    """

    def write(folder: Path) -> Lineage:
        from recsys_lib.ranking.export import largest_difference

        model.export(folder, samples.head(WARM_UP_ROWS))
        model.save(folder / "model")
        rows = samples.head(PARITY_ROWS)
        return Lineage(
            model.kind,
            data_hash,
            code_revision,
            _as_json(asdict(model.config)),
            metrics,
            criterion,
            higher_is_better,
            Parity(largest_difference(model, folder, rows), tolerance, len(rows)),
        )

    return registry.add(name, write)


def add_trained_folder(
    registry: ModelRegistry,
    name: str,
    folder: Path,
    samples: Path,
    tolerance: float,
    code_revision: str | None,
) -> int:
    """Store what ``recsys train`` wrote to a folder; arguments as in :func:`add_model`.

    Raises
    ------
    DataError
        The folder holds no trained model, or its training had no validation part.
    """
    from recsys_lib.ranking.sample_files import open_source

    model, training = RankingModel.load(folder), folder / "training.json"
    try:
        described = files.read_json(training)
        log = described["log"]
        figures = {
            n: log[n][log["best_epoch"] - 1] for n in ("validation_auc", "validation_log_loss")
        }
    except IndexError:
        raise DataError(
            f"{training} has no validation figures, so versions cannot be compared: train with "
            "--validation."
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"What the training wrote cannot be read from {training}: {error}"
        ) from None
    inputs, renamed = model.inputs, {} if model.schema is None else model.schema.renamed
    renamed = {ours: theirs for ours, theirs in renamed.items() if ours in inputs.columns}
    lists = [c for c, width in (inputs.bags | inputs.history).items() if width is not None]
    source = open_source(samples, renamed, lists, tuple(inputs.history))
    frames = (frame for _, frame in source.read(list(dict.fromkeys(inputs.columns))))
    # The file's own names again: the export takes them.
    rows = pd.concat(islice(frames, 1), ignore_index=True).rename(columns=renamed)
    return add_model(
        registry,
        name,
        model,
        rows,
        metrics=figures,
        data_hash=hash_of(samples),
        code_revision=code_revision,
        tolerance=tolerance,
    )


def hash_of(path: Path) -> str:
    """Return a hash of a file, or of all files of a folder with their names."""
    path, digest = Path(path), hashlib.sha256()
    for each in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        digest.update(f"{each.relative_to(path)}\0{files.sha256_of(each)}\n".encode())
    return digest.hexdigest()


def _as_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
