"""Training a model of any kind from a table of samples."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib.ranking.checkpoint import Checkpoint, fingerprint_of
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs, labels_of
from recsys_lib.ranking.model import RankingModel, assign
from recsys_lib.ranking.models import config_class, module_of
from recsys_lib.ranking.pretrained import Vectors, place_vectors
from recsys_lib.ranking.training import TrainingLog, train
from recsys_lib.seeding import DEFAULT_SEED


def train_model(
    kind: str,
    samples: pd.DataFrame,
    validation: pd.DataFrame | None = None,
    config: RankingConfig | None = None,
    seed: int = DEFAULT_SEED,
    pretrained: Mapping[str, Vectors] | None = None,
    on_epoch: Callable[[TrainingLog], None] | None = None,
    checkpoint: Path | None = None,
) -> tuple[RankingModel, TrainingLog]:
    """Train a model on samples; with validation samples, stop when they are predicted best.

    Parameters
    ----------
    kind : str
        A key of :data:`recsys_lib.ranking.models.KINDS`.
    samples, validation : DataFrames
        With the columns that ``config`` names and ``label``.
    config : RankingConfig, optional
        Settings that the kind has beyond it are at their defaults.
    seed : int
    pretrained : dict of str to Vectors, optional
        Vectors that categories begin with, by column, as an
        :class:`recsys_lib.embeddings.EmbeddingTable` has them. They are trained on, unless
        ``config.frozen`` names the column.
    on_epoch : function of the log so far, optional
    checkpoint : Path, optional
        Folder to which each epoch's state goes; a rerun goes on from what is there.

    Raises
    ------
    DataError
        A column is missing, the labels are of one class, there is no such kind, or the checkpoint
        is of another training.
    """
    config = config_for(kind, config)
    labels = labels_of(samples)
    inputs = inputs_for(config, samples)
    judged = None if validation is None else (inputs.encode(validation), labels_of(validation))
    chunks = [(inputs.encode(samples), labels)]
    return fit_network(kind, config, inputs, chunks, judged, seed, pretrained, on_epoch, checkpoint)


def inputs_for(config: RankingConfig, samples) -> FeatureInputs:
    """Fit the inputs a configuration names; see :meth:`FeatureInputs.fit`."""
    return FeatureInputs.fit(
        samples,
        config.categories,
        config.numbers,
        config.standardize,
        bags=config.bags,
        history=config.history,
        log_numbers=config.log_numbers,
    )


def fit_network(
    kind, config, inputs, chunks, validation, seed, pretrained=None, on_epoch=None, checkpoint=None
):
    """Train a model on encoded chunks; see :func:`train_model` and :func:`training.train`."""
    from recsys_lib.keras_backend import is_chief, seed_everything

    learned: Mapping[str, np.ndarray] = {}
    if earlier := getattr(module_of(kind), "PRETRAINED_BY", None):
        learned = fit_network(
            earlier, config_for(earlier, config), inputs, chunks, validation, seed, pretrained,
            checkpoint=checkpoint,
        )[0].weights  # fmt: skip
    seed_everything(seed)
    network = module_of(kind).network(config, inputs)
    if pretrained:
        table = network.get_layer("embeddings").table
        table.assign(place_vectors(np.asarray(table), inputs, pretrained))
    assign(network, learned)
    kept = None
    if checkpoint is not None:
        begun = [np.asarray(variable) for variable in network.weights]
        judged = validation or chunks[0]
        # The inputs are learned from all chunks; what else is hashed need not be all of them.
        seen = (*chunks[0][0], chunks[0][1], *judged[0], judged[1])
        of = fingerprint_of(kind, config, inputs, seed, *begun, *seen)
        kept = Checkpoint(Path(checkpoint) / f"{kind}.npz", of, writes=is_chief())
    log = train(network, chunks, config.training, validation, seed, on_epoch, kept)
    weights = {variable.path: np.asarray(variable) for variable in network.weights}
    return RankingModel(kind, config, inputs, weights), log


def config_for(kind: str, config: RankingConfig | None = None) -> RankingConfig:
    """Return the settings as the kind's own class; what only that class has stays at its default.

    A history that ``config`` leaves empty stays at the class's default too.
    """
    cls = config_class(kind)
    if config is None or type(config) is cls:
        return config or cls()
    shared = {f.name: getattr(config, f.name) for f in fields(RankingConfig)}
    if not config.history:
        del shared["history"]
    return cls(**shared)


def build_models(
    samples: dict[str, pd.DataFrame],
    config: RankingConfig | None = None,
    seed: int = DEFAULT_SEED,
    kind: str = "embedding_mlp",
) -> dict[str, RankingModel]:
    """Train the models that serving uses.

    For each split, a model learns from the train part and stops where the validation part is
    predicted best; then a final one learns from both for as many epochs.

    Parameters
    ----------
    samples : dict of str to DataFrame
        Samples of each split, with a column ``part``.

    Returns
    -------
    dict of str to RankingModel
        For a split ``by_time``: ``by_time``, the final model, for the test part, and
        ``by_time_train``, the model of the train part, for whatever else is chosen on the
        validation part.
    """
    config = config_for(kind, config)
    models = {}
    for name, frame in samples.items():
        part = frame["part"]
        models[f"{name}_train"], log = train_model(
            kind, frame[part == "train"], frame[part == "validation"], config, seed
        )
        models[name], _ = train_model(
            kind, frame[part != "test"], config=config.fixed_epochs(log.best_epoch), seed=seed
        )
    return models
