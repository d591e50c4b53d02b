"""A trained ranking model as data: settings, inputs and weights, without TensorFlow.

Whoever scores decides with what: :meth:`RankingModel.predict` uses Keras, the serving layer uses
numpy on the same weights.
"""

import importlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys_lib import files
from recsys_lib.errors import DataError, nearest
from recsys_lib.ranking.inputs import FeatureInputs

# Kind of a model -> module with `Config` (a frozen dataclass) and `network(config, inputs)`.
KINDS = {"embedding_mlp": "recsys_lib.ranking.embedding_mlp"}


@dataclass(frozen=True)
class RankingModel:
    """A trained model.

    Attributes
    ----------
    kind : str
        A key of :data:`KINDS`.
    config : frozen dataclass
        The ``Config`` of that kind.
    inputs : FeatureInputs
    weights : dict of str to float32 array
        By ``layer/variable``, as :func:`weights_of` names them.
    """

    kind: str
    config: Any
    inputs: FeatureInputs
    weights: Mapping[str, np.ndarray]

    @property
    def n_parameters(self) -> int:
        """Number of trained numbers."""
        return sum(array.size for array in self.weights.values())

    def predict(self, samples: pd.DataFrame) -> np.ndarray:
        """Return the probability of a like for each sample through Keras: float32, (n,)."""
        from recsys_lib.ranking.training import predict

        return predict(self.network(), self.inputs.encode(samples))

    def network(self):
        """Return the Keras model with these weights."""
        network = module_of(self.kind).network(self.config, self.inputs)
        for layer in network.layers:
            for variable in layer.trainable_variables:
                variable.assign(self.weights[f"{layer.name}/{variable.name}"])
        return network

    def save(self, folder: Path) -> None:
        """Write ``weights.npz``, ``inputs.npz`` and ``model.json`` to a folder, atomically."""
        inputs = self.inputs
        with files.atomic_folder(Path(folder)) as fresh:
            np.savez(fresh / "weights.npz", **self.weights)
            np.savez(
                fresh / "inputs.npz",
                fill=inputs.fill,
                shift=inputs.shift,
                scale=inputs.scale,
                **{f"vocabulary/{name}": v for name, v in inputs.vocabularies.items()},
            )
            described = {
                "kind": self.kind,
                "config": asdict(self.config),
                "categories": inputs.categories,
                "numbers": inputs.numbers,
            }
            files.write_json(fresh / "model.json", described)

    @classmethod
    def load(cls, folder: Path) -> "RankingModel":
        """Read a model that :meth:`save` wrote.

        Raises
        ------
        DataError
            The folder holds no such model.
        """
        folder = Path(folder)
        try:
            described = files.read_json(folder / "model.json")
            with np.load(folder / "weights.npz", allow_pickle=False) as stored:
                weights = dict(stored)
            with np.load(folder / "inputs.npz", allow_pickle=False) as stored:
                arrays = dict(stored)
        except (OSError, ValueError, json.JSONDecodeError) as error:
            raise DataError(f"No ranking model can be read from {folder}: {error}") from None
        prefix = "vocabulary/"
        inputs = FeatureInputs(
            tuple(described["categories"]),
            tuple(described["numbers"]),
            {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)},
            arrays["fill"],
            arrays["shift"],
            arrays["scale"],
        )
        config = module_of(described["kind"]).Config.from_json(described["config"])
        return cls(described["kind"], config, inputs, weights)


def module_of(kind: str):
    """Return the module of a kind of model."""
    if kind not in KINDS:
        raise DataError(
            f"There is no ranking model of kind {kind!r}.{nearest(kind, KINDS)} "
            f"Kinds: {', '.join(KINDS)}."
        )
    return importlib.import_module(KINDS[kind])


def weights_of(network) -> dict[str, np.ndarray]:
    """Return the trained weights of a Keras model by ``layer/variable``."""
    return {
        f"{layer.name}/{variable.name}": np.asarray(variable)
        for layer in network.layers
        for variable in layer.trainable_variables
    }
