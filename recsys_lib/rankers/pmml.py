"""Scoring a PMML file with an engine that knows nothing of how the model was made (S19)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError, MachineError, nearest

LIKE = "probability(1)"  # the output field


class PmmlModel:
    """A PMML file in PMML4S, an engine in Java, by way of ``pypmml``.

    Parameters
    ----------
    path : Path
        Its output has a field ``probability(1)``.

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
        self.columns = list(self._model.inputNames)

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
            return np.array([row[answer["columns"].index(LIKE)] for row in answer["data"]], float)
        except (TypeError, ValueError) as error:
            raise DataError(f"The PMML engine gives no probabilities: {error}") from None


def _plain(value):
    """Return numpy's numbers as Python's."""
    return value.item()
