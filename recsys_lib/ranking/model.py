"""A trained ranking model as data: settings, inputs and weights, without TensorFlow.

Whoever scores decides with what: :meth:`RankingModel.predict` uses Keras, the serving layer uses
numpy on the same weights.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib import files
from recsys_lib.errors import DataError
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.ranking.models import config_class, module_of
from recsys_lib.ranking.training import predict


@dataclass(frozen=True)
class RankingModel:
    """A trained model.

    Attributes
    ----------
    kind : str
        A key of :data:`recsys_lib.ranking.models.KINDS`.
    config : RankingConfig
        Of that kind's class.
    inputs : FeatureInputs
    weights : dict of str to float32 array
        By ``layer/variable``.
    """

    kind: str
    config: RankingConfig
    inputs: FeatureInputs
    weights: Mapping[str, np.ndarray]

    @property
    def n_parameters(self) -> int:
        """Number of trained numbers."""
        return sum(array.size for array in self.weights.values())

    def predict(self, samples: pd.DataFrame) -> np.ndarray:
        """Return the probability of a like for each sample through Keras: float32, (n,)."""
        return predict(self.network, self.inputs.encode(samples))

    @cached_property
    def network(self):
        """The Keras model with these weights, made at its first use."""
        network = module_of(self.kind).network(self.config, self.inputs)
        assign(network, self.weights)
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
                "bags": inputs.bags,
                "history": inputs.history,
                "log_numbers": inputs.log_numbers,
            }
            files.write_json(fresh / "model.json", described)

    def export(self, folder: Path, samples: pd.DataFrame | None = None) -> None:
        """Write a SavedModel that takes raw features; see :mod:`recsys_lib.ranking.export`.

        ``samples`` are requests that a server answers before it makes the model available.
        """
        from recsys_lib.ranking.export import export

        export(self.network, self.inputs, folder, samples)

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
            bags=described["bags"],
            history=tuple(described["history"]),
            log_numbers=tuple(described["log_numbers"]),
        )
        config = config_class(described["kind"]).from_json(described["config"])
        return cls(described["kind"], config, inputs, weights)


def assign(network, weights: Mapping[str, np.ndarray]) -> None:
    """Set the weights that a Keras network has under these names (``layer/variable``)."""
    for variable in network.weights:
        if variable.path in weights:
            variable.assign(weights[variable.path])
