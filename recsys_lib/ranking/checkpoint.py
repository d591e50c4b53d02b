"""The state of a training in one file, from which a killed run continues."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recsys_lib import files
from recsys_lib.errors import DataError
from recsys_lib.ranking.inputs import FeatureInputs


class Stored(NamedTuple):
    """What :meth:`Checkpoint.load` returns, besides setting the variables."""

    log: dict[str, Any]
    best_weights: list[np.ndarray] | None


@dataclass(frozen=True)
class Checkpoint:
    """A file with all variables, the weights of the best epoch, and the log.

    Attributes
    ----------
    path : Path
        An ``.npz`` file. It is replaced by a rename after each epoch, so that a killed run leaves
        the file of its last complete epoch.
    fingerprint : str
        Hash of settings and data (see :func:`fingerprint_of`). A file with another one is refused.
    writes : bool
        Whether :meth:`save` does anything. Of several workers only the first one writes.
    """

    path: Path
    fingerprint: str
    writes: bool = True

    def save(self, variables: Sequence, log: dict, best_weights: list[np.ndarray] | None) -> None:
        """Replace the file."""
        if not self.writes:
            return
        files.claim_folder(self.path.parent, [self.path.name])
        arrays = {f"variable_{k}": np.asarray(v) for k, v in enumerate(variables)}
        arrays |= {f"best_{k}": w for k, w in enumerate(best_weights or [])}
        state = json.dumps({"fingerprint": self.fingerprint, "log": log})
        with files.atomic_path(self.path) as fresh, open(fresh, "wb") as stream:
            np.savez(stream, state=np.array(state), **arrays)

    def load(self, variables: Sequence) -> Stored | None:
        """Set the variables to their stored values, or return None when there is no file.

        Raises
        ------
        DataError
            The file cannot be read, or belongs to other settings or data.
        """
        if not self.path.is_file():
            return None
        try:
            arrays = files.read_npz(self.path)
            state = json.loads(str(arrays["state"]))
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"The checkpoint {self.path} cannot be read: {error}") from None
        if state["fingerprint"] != self.fingerprint:
            raise DataError(
                f"The checkpoint {self.path} was made with other settings or other data. Run with "
                "those to continue, or delete it to start again."
            )
        for k, variable in enumerate(variables):
            variable.assign(arrays[f"variable_{k}"])
        best = [arrays[f"best_{k}"] for k in range(len(arrays)) if f"best_{k}" in arrays]
        return Stored(state["log"], best or None)


def fingerprint_of(kind: str, config, inputs: FeatureInputs, seed: int, *arrays) -> str:
    """Return a hash of everything that decides the result of a training.

    The training samples enter through what the inputs have learned from them (every known value,
    the moments of every number) and through ``arrays``, such as the labels.
    """
    settings = {
        "kind": kind, "config": asdict(config), "seed": seed, "bags": dict(inputs.bags),
        "history": dict(inputs.history), "known": sorted(inputs.vocabularies),
        "optimizer": "Adam over one vector",
    }  # fmt: skip
    learned = [inputs.fill, inputs.shift, inputs.scale]
    learned += [inputs.vocabularies[name] for name in settings["known"]]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for array in (*learned, *arrays):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        text = array.dtype == object
        digest.update(
            json.dumps(array.tolist()).encode() if text else np.ascontiguousarray(array).tobytes()
        )
    return digest.hexdigest()
