"""Training a model of any kind from a table of samples."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib.features.registry import LABEL
from recsys_lib.ranking.checkpoint import Checkpoint, fingerprint_of
from recsys_lib.ranking.column_schema import Schema
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.labels import labels_of
from recsys_lib.ranking.model import RankingModel, assign
from recsys_lib.ranking.models import kind_called
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
    schema: Schema | None = None,
) -> RankingModel:
    """Train a ranking model on a table of samples.

    With validation samples, training stops when their AUC no longer rises, and the weights of the
    best epoch are kept. Without, all epochs are trained.

    Parameters
    ----------
    kind : str
        A key of :data:`recsys_lib.ranking.KINDS`.
    samples, validation : DataFrames
        With the columns that ``schema`` names, or those that ``config`` names and ``label``.
    config : RankingConfig, optional
        May be of the general class; the settings that only this kind has then keep their
        defaults.
    seed : int
        Decides the initial weights, the order of samples, and what dropout draws.
    pretrained : dict of str to Vectors, optional
        Initial vectors of categories, by column, such as an
        :class:`recsys_lib.embeddings.EmbeddingTable`. They are trained further, unless
        ``config.frozen`` names the column.
    on_epoch : function of the log so far, optional
        Called after each epoch.
    checkpoint : Path, optional
        Folder to which the state is written after each epoch. A run that finds a state there
        continues from it.
    schema : Schema, optional
        What the columns of a person's own table are. Its columns take the place of those that
        ``config`` names.

    Raises
    ------
    DataError
        A column is missing, the labels are all the same, there is no such kind, or the checkpoint
        belongs to another training.
    """
    config = config_for(kind, config)
    if schema is not None:
        config = replace(config, **schema.inputs)
        columns = [*config.columns, LABEL]
        samples = schema.select(samples, columns)
        validation = None if validation is None else schema.select(validation, columns)
    labels = labels_of(samples)
    inputs = inputs_for(config, samples)
    held_out = None if validation is None else (inputs.encode(validation), labels_of(validation))
    chunks = [(inputs.encode(samples), labels)]
    model = fit_network(
        kind, config, inputs, chunks, held_out, seed, pretrained, on_epoch, checkpoint
    )
    return replace(model, schema=schema)


def inputs_for(config: RankingConfig, samples) -> FeatureInputs:
    """Fit the inputs that a configuration names; see :meth:`FeatureInputs.fit`."""
    return FeatureInputs.fit(
        samples,
        config.categories,
        config.numbers,
        config.standardize,
        bags=config.bags,
        history=config.history,
        log_numbers=config.log_numbers,
        longest_history=config.longest_history,
    )


def fit_network(
    kind, config, inputs, chunks, validation, seed, pretrained=None, on_epoch=None, checkpoint=None
) -> RankingModel:
    """Train a model on encoded chunks.

    The parameters are those of :func:`train_model` and :func:`recsys_lib.ranking.training.train`.
    """
    from recsys_lib.keras_backend import is_chief, seed_everything

    first = None
    if earlier := kind_called(kind).starts_from:
        settings = replace(config_for(earlier, config), training=config.earlier_training)
        first = fit_network(
            earlier, settings, inputs, chunks, validation, seed, pretrained, checkpoint=checkpoint
        )
    seed_everything(seed)
    network = kind_called(kind).network(config, inputs)
    if pretrained:
        table = network.get_layer("embeddings").table
        table.assign(place_vectors(np.asarray(table), inputs, pretrained))
    if first is not None:
        assign(network, first.weights)
    stored = None
    if checkpoint is not None:
        initial = [np.asarray(variable) for variable in network.weights]
        held_out = validation or chunks[0]
        # The inputs were learned from all chunks, so hashing the first one is enough.
        data = (*chunks[0][0], chunks[0][1], *held_out[0], held_out[1])
        fingerprint = fingerprint_of(kind, config, inputs, seed, *initial, *data)
        stored = Checkpoint(Path(checkpoint) / f"{kind}.npz", fingerprint, writes=is_chief())
    log = train(network, chunks, config.training, validation, seed, on_epoch, stored)
    if first is not None:
        log.seconds_before = first.log.total_seconds
    weights = {variable.path: np.asarray(variable) for variable in network.weights}
    return RankingModel(kind, config, inputs, weights, log=log)


def config_for(kind: str, config: RankingConfig | None = None) -> RankingConfig:
    """Return settings in the class that belongs to a kind of model.

    Settings that only that class has keep their defaults, and so does its history where
    ``config`` names none.
    """
    cls = kind_called(kind).config
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
    """Train the models that the serving layer uses.

    For each split, a first model learns from the train part and stops at the epoch that predicts
    the validation part best. A second model then learns from both parts for as many epochs.

    Parameters
    ----------
    samples : dict of str to DataFrame
        Samples of each split, with a column ``part``.

    Returns
    -------
    dict of str to RankingModel
        For a split ``by_time``: under ``by_time`` the second model, for the test part, and under
        ``by_time_train`` the first one, for whatever else is chosen on the validation part.
    """
    config = config_for(kind, config)
    models = {}
    for name, frame in samples.items():
        part = frame["part"]
        first = train_model(kind, frame[part == "train"], frame[part == "validation"], config, seed)
        second = train_model(
            kind, frame[part != "test"], config=config.fixed_epochs(first.log.best_epoch), seed=seed
        )
        models |= {f"{name}_train": first, name: second}
    return models
