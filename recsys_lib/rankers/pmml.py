"""Scoring a PMML file with an engine that knows nothing of how the model was made (S19)."""

import json
import shutil
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError, MachineError, nearest
from recsys_lib.rankers.base import UserFeatures
from recsys_lib.rankers.features import load_features, save_features
from recsys_lib.rankers.model import ModelRanker
from recsys_lib.stores import ItemFeatureTable

FILE = "model.pmml"


class PmmlModel:
    """A PMML file in PMML4S, an engine in Java, by way of ``pypmml``.

    Parameters
    ----------
    path : Path
        Its model has one output field, the probability of a like.

    Attributes
    ----------
    columns : list of str
        What the model reads.
    """

    def __init__(self, path: Path):
        import pypmml

        self.path = Path(path)
        if not self.path.is_file():
            raise DataError(f"There is no PMML file {self.path}.")
        try:
            self._model = pypmml.Model.fromFile(str(self.path))
        except FileNotFoundError:
            raise MachineError(
                "The PMML engine needs Java: install a JRE 17, or set JAVA_HOME."
            ) from None
        except Exception as error:
            raise DataError(f"{self.path} is no PMML that the engine reads: {error}") from None
        self.columns, outputs = list(self._model.inputNames), list(self._model.outputNames)
        if len(outputs) != 1:
            raise DataError(f"{self.path} has the output fields {outputs}; one is needed.")

    def predict(self, samples: pd.DataFrame) -> np.ndarray:
        """Return the probability of a like for each row: float64, (n,).

        Raises
        ------
        DataError
            A column is missing, or the engine refuses a value.
        """
        if missing := [c for c in self.columns if c not in samples.columns]:
            raise DataError(
                f"The samples lack the columns {', '.join(missing)}."
                f"{nearest(missing[0], map(str, samples.columns))}"
            )
        if samples.empty:
            return np.empty(0)
        rows = samples[self.columns].to_numpy(object)
        rows[pd.isna(rows)] = None
        # pypmml's own way for tables rounds the numbers to ten decimals.
        asked = json.dumps({"columns": self.columns, "data": rows.tolist()}, default=_plain)
        try:
            answer = json.loads(self._model.call("predict", asked))
            return np.array([probability for (probability,) in answer["data"]], float)
        except (TypeError, ValueError) as error:
            raise DataError(f"The PMML engine gives no probabilities: {error}") from None


def _plain(value):
    """Return numpy's numbers as Python's."""
    return value.item()


class PmmlRanker(ModelRanker):
    """Scores one row a candidate with a PMML file.

    Parameters
    ----------
    model : PmmlModel
    items : ItemFeatureTable
    users : UserFeatures
    """

    def __init__(self, model: PmmlModel, items: ItemFeatureTable, users: UserFeatures):
        super().__init__(model, items, users)

    def _save(self, folder: Path) -> dict:
        shutil.copyfile(self.model.path, folder / FILE)
        return save_features(folder, self.items, self.users)

    @classmethod
    def _load(cls, folder, described, users) -> Self:
        return cls(PmmlModel(folder / FILE), *load_features(folder, described, users))
