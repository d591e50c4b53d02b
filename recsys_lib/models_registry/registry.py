"""Versions of models on disk: where each comes from, which one serves, and the way back.

    registry/
      models.config            for a model server: the promoted version of each model
      ranker/
        promotions.json        which version serves, which one did before, and every change so far
        1/  2/  3/             complete versions: version.json, and whatever was put in

A version's folder is also what TensorFlow Serving loads, so a server can watch the registry.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys_lib import files
from recsys_lib.errors import DataError, RecsysError, nearest
from recsys_lib.file_list import verify_files, write_file_list

VERSION, PROMOTIONS, SERVER_CONFIG = "version.json", "promotions.json", "models.config"
BY_US = "# Written anew at each promotion by `recsys models promote`: changes are lost.\n"


class NotPromoted(RecsysError):
    """A version is not good enough to serve; the message says why."""


@dataclass(frozen=True)
class Parity:
    """How far the served scores are from those of training.

    Attributes
    ----------
    largest_difference : float
        Between the scores of the same rows.
    tolerance : float
        What is accepted.
    n_rows : int
        Rows that were compared.
    """

    largest_difference: float
    tolerance: float
    n_rows: int

    @property
    def holds(self) -> bool:
        """Whether the difference is accepted; one that is not a number is not."""
        return self.largest_difference <= self.tolerance


@dataclass(frozen=True)
class Lineage:
    """Where a version comes from.

    Attributes
    ----------
    kind : str
        What it is, such as ``embedding_mlp``.
    data_hash : str
        Of the data it was trained and validated on.
    code_revision : str or None
        Of the code that trained it.
    parameters : dict
        Its settings.
    metrics : dict of str to float
        On validation data.
    criterion : str
        The metric that decides; a key of ``metrics``.
    higher_is_better : bool
        Of the criterion.
    parity : Parity or None
        None where it was not checked.
    """

    kind: str
    data_hash: str
    code_revision: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    criterion: str = "validation_auc"
    higher_is_better: bool = True
    parity: Parity | None = None

    def __post_init__(self):
        if self.criterion not in self.metrics:
            raise RecsysError(
                f"The criterion {self.criterion!r} is none of the metrics "
                f"({', '.join(self.metrics) or 'there are none'})."
            )

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Lineage":
        """Return the lineage that :func:`dataclasses.asdict` and JSON made ``stored`` from."""
        parity = stored["parity"]
        return cls(**{**stored, "parity": None if parity is None else Parity(**parity)})


class ModelRegistry:
    """The models below a folder.

    Parameters
    ----------
    folder : Path
        Made at the first version.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def names(self) -> list[str]:
        """Return the names of the models, sorted."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{PROMOTIONS}"))

    def add(self, name: str, write: Callable[[Path], Lineage]) -> int:
        """Store a version and return its number; it serves only once it is promoted.

        Parameters
        ----------
        name : str
            A folder's name.
        write : function
            Writes the version into the empty folder that it is given, and returns where it comes
            from. If it raises, there is no version.
        """
        if not name or Path(name).name != name or name.startswith("."):
            raise RecsysError(f"A model's name is the name of a folder, not {name!r}.")
        home = self.folder / name
        with files.locked(home):
            version = max(self._numbers(name), default=0) + 1
            with files.atomic_folder(home / str(version)) as fresh:
                stored = {"created": _now(), "lineage": asdict(write(fresh))}
                files.write_json(fresh / VERSION, stored)
                write_file_list(fresh)
            if not (home / PROMOTIONS).is_file():
                files.write_json(home / PROMOTIONS, {"serving": [], "log": []})
        return version

    def versions(self, name: str) -> list[int]:
        """Return the numbers of a model's versions, sorted.

        Raises
        ------
        DataError
            There is no such model.
        """
        if not (self.folder / name / PROMOTIONS).is_file():
            known = self.names()
            raise DataError(
                f"The registry {self.folder} holds no model {name!r}.{nearest(name, known)} "
                f"Models: {', '.join(known) or 'none'}."
            )
        return sorted(self._numbers(name))

    def path(self, name: str, version: int) -> Path:
        """Return the folder of a version.

        Raises
        ------
        DataError
            There is no such model or version.
        """
        if version not in (there := self.versions(name)):
            raise DataError(
                f"Model {name!r} has no version {version}; it has {', '.join(map(str, there))}."
            )
        return self.folder / name / str(version)

    def lineage(self, name: str, version: int) -> Lineage:
        """Return where a version comes from."""
        return Lineage.from_json(self.record(name, version)["lineage"])

    def record(self, name: str, version: int) -> dict[str, Any]:
        """Return all that is written down of a version, as it stands in its ``version.json``."""
        path = self.path(name, version) / VERSION
        try:
            return files.read_json(path)
        except (OSError, ValueError) as error:
            raise DataError(f"The version's description {path} cannot be read: {error}") from None

    def current(self, name: str) -> int | None:
        """Return the version that serves; None before the first promotion."""
        serving = self._promotions(name)["serving"]
        return serving[-1] if serving else None

    def log(self, name: str) -> list[dict[str, Any]]:
        """Return every promotion and roll-back so far, oldest first."""
        return self._promotions(name)["log"]

    def promote(self, name: str, version: int, force: bool = False) -> None:
        """Let a version serve.

        Raises
        ------
        NotPromoted
            Its criterion is worse than that of the version that serves, or its parity check
            failed or was not made. ``force`` overrules this.
        DataError
            There is no such version, or its files have changed; nothing overrules that.
        """
        folder = self.path(name, version)
        verify_files(folder)
        with files.locked(self.folder / name):
            current = self.current(name)
            if version == current:
                return
            reasons = self._objections(name, version, current)
            if reasons and not force:
                raise NotPromoted(
                    f"Version {version} of {name} is not promoted: {'; '.join(reasons)}. "
                    "Promote it by force if you know better."
                )
            serving = [*self._promotions(name)["serving"], version]
            self._change(name, serving, "promoted by force" if reasons else "promoted", version)

    def rollback(self, name: str) -> int:
        """Let the version serve that did before, and return its number.

        Raises
        ------
        RecsysError
            No version served before.
        """
        self.versions(name)
        with files.locked(self.folder / name):
            serving = self._promotions(name)["serving"]
            if len(serving) < 2:
                raise RecsysError(f"Model {name!r} has no earlier version to roll back to.")
            version = serving[-2]
            verify_files(self.path(name, version))
            self._change(name, serving[:-1], "rolled back", version)
            return version

    def write_server_config(self) -> Path:
        """Write ``models.config`` anew and return its path.

        A model server that watches it serves the promoted version of each model that is a
        SavedModel, under the label ``stable`` too.

        Raises
        ------
        RecsysError
            A file of that name is there that somebody else wrote.
        """
        path = self.folder / SERVER_CONFIG
        if path.exists() and not path.read_bytes().startswith(BY_US.encode()):
            raise RecsysError(
                f"{path} was not written by this program and is left as it is: move it, or name "
                "another folder for the registry."
            )
        entries = []
        for name in self.names():
            version, home = self.current(name), (self.folder / name).resolve()
            if version is not None and (home / str(version) / "saved_model.pb").is_file():
                entries.append(_config_entry(name, home, version))
        files.write_text(path, BY_US + "model_config_list {\n" + "".join(entries) + "}\n")
        return path

    def _objections(self, name: str, version: int, current: int | None) -> list[str]:
        lineage, reasons = self.lineage(name, version), []
        if lineage.parity is None:
            reasons.append("whether it serves the scores of training was not checked")
        elif not lineage.parity.holds:
            reasons.append(
                f"its scores differ from those of training by {lineage.parity.largest_difference:g}"
                f", more than {lineage.parity.tolerance:g}"
            )
        if current is not None:
            new, old = lineage.metrics, self.lineage(name, current).metrics
            metric = lineage.criterion
            if metric not in old:
                reasons.append(f"version {current}, which serves, has no {metric} to compare with")
            elif not _at_least_as_good(new[metric], old[metric], lineage.higher_is_better):
                reasons.append(
                    f"its {metric} {new[metric]:.4f} is worse than {old[metric]:.4f} of version "
                    f"{current}, which serves"
                )
        return reasons

    def _change(self, name: str, serving: list[int], what: str, version: int) -> None:
        entry = {"when": _now(), "what": what, "version": version}
        log = [*self._promotions(name)["log"], entry]
        files.write_json(self.folder / name / PROMOTIONS, {"serving": serving, "log": log})
        with files.locked(self.folder / SERVER_CONFIG):
            self.write_server_config()

    def _promotions(self, name: str) -> dict[str, Any]:
        self.versions(name)
        path = self.folder / name / PROMOTIONS
        try:
            return files.read_json(path)
        except (OSError, ValueError) as error:
            raise DataError(f"The promotions {path} cannot be read: {error}") from None

    def _numbers(self, name: str) -> list[int]:
        found = (self.folder / name).glob(f"*/{VERSION}")
        return [int(path.parent.name) for path in found if path.parent.name.isdigit()]


def _at_least_as_good(new: float, old: float, higher_is_better: bool) -> bool:
    return new >= old if higher_is_better else new <= old  # not a number is never as good


def _config_entry(name: str, base_path: Path, version: int) -> str:
    return (
        f"  config {{\n    name: {json.dumps(name)}\n    base_path: {json.dumps(str(base_path))}\n"
        f'    model_platform: "tensorflow"\n'
        f"    model_version_policy {{ specific {{ versions: {version} }} }}\n"
        f'    version_labels {{ key: "stable" value: {version} }}\n  }}\n'
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
