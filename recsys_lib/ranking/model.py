"""A trained ranking model as data: its settings, inputs and weights, without TensorFlow.

:meth:`RankingModel.predict` scores with Keras. The serving layer scores with numpy on the same
weights.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib import files
from recsys_lib.errors import DataError
from recsys_lib.ranking.column_schema import Schema
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import Encoded, FeatureInputs
from recsys_lib.ranking.models import kind_called
from recsys_lib.ranking.training import TrainingLog, predict


@dataclass(frozen=True)
class RankingModel:
    """A trained model.

    Attributes
    ----------
    kind : str
        A key of :data:`recsys_lib.ranking.KINDS`.
    config : RankingConfig
        Settings, of the class that belongs to the kind.
    inputs : FeatureInputs
        How columns become arrays.
    weights : dict of str to float32 array
        By ``layer/variable``.
    schema : Schema, optional
        The names that a person's own table uses. Without it, samples have the library's names.
    log : TrainingLog, optional
        How the training went. A model that was loaded from a folder has none.
    """

    kind: str
    config: RankingConfig
    inputs: FeatureInputs
    weights: Mapping[str, np.ndarray]
    schema: Schema | None = None
    log: TrainingLog | None = None

    @property
    def n_parameters(self) -> int:
        """Number of trained numbers."""
        return sum(array.size for array in self.weights.values())

    def encode(self, samples: pd.DataFrame) -> Encoded:
        """Turn samples into the arrays that the network takes.

        Raises
        ------
        DataError
            A column is missing or holds values of another type than in training.
        """
        if self.schema is not None:
            samples = self.schema.select(samples, self.inputs.columns)
        return self.inputs.encode(samples)

    def predict(self, samples: pd.DataFrame) -> np.ndarray:
        """Return the probability of a like for each sample, computed by Keras: float32, (n,)."""
        return predict(self.network, self.encode(samples))

    @cached_property
    def network(self):
        """The Keras model with these weights. It is made at its first use."""
        network = kind_called(self.kind).network(self.config, self.inputs)
        assign(network, self.weights)
        return network

    def save(self, folder: Path) -> None:
        """Write ``weights.npz``, ``inputs.npz`` and ``model.json`` to a folder, atomically."""
        arrays, of_inputs = self.inputs.to_parts()
        with files.atomic_folder(Path(folder)) as fresh:
            np.savez(fresh / "weights.npz", **self.weights)
            np.savez(fresh / "inputs.npz", **arrays)
            described = {
                "kind": self.kind,
                "version": kind_called(self.kind).version,
                "config": asdict(self.config),
                "schema": None if self.schema is None else asdict(self.schema),
                **of_inputs,
            }
            files.write_json(fresh / "model.json", described)

    @classmethod
    def load(cls, folder: Path) -> "RankingModel":
        """Read a model that :meth:`save` wrote.

        Raises
        ------
        DataError
            The folder holds no such model, a damaged one, or one of another network of that name.
        """
        folder = Path(folder)
        try:
            described = files.read_json(folder / "model.json")
            weights = files.read_npz(folder / "weights.npz")
            inputs = FeatureInputs.from_parts(files.read_npz(folder / "inputs.npz"), described)
            kind, stored = described["kind"], described["schema"]
            config = kind_called(kind).config.from_json(described["config"])
            schema = None if stored is None else Schema(**stored)
        except (OSError, ValueError, KeyError, TypeError) as error:  # bad JSON is a ValueError
            raise DataError(
                f"No ranking model can be read from {folder}: {type(error).__name__}, {error}."
            ) from None
        if (version := described.get("version", 1)) != kind_called(kind).version:
            raise DataError(
                f"The model in {folder} is version {version} of {kind!r}, this library has version "
                f"{kind_called(kind).version}, which is another network: train it again."
            )
        return cls(kind, config, inputs, weights, schema)

    def export(self, folder: Path, samples: pd.DataFrame | None = None) -> None:
        """Write a SavedModel that takes raw features; see :mod:`recsys_lib.ranking.export`.

        ``samples`` are requests that a server answers before it makes the model available.
        """
        from recsys_lib.ranking.export import export

        export(self, folder, samples)


def assign(network, weights: Mapping[str, np.ndarray]) -> None:
    """Set those variables of a Keras network that ``weights`` has under ``layer/variable``."""
    for variable in network.weights:
        if variable.path in weights:
            variable.assign(weights[variable.path])
