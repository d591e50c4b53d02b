"""The life of versions: found, loaded, warmed, served, drained, unloaded.

At every look at the disk the manager compares the versions that its policy wants with those it
holds. A version becomes available only when it has loaded and warmed up; one that fails is tried
again and never replaces one that works.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recsys_lib.file_list import verify_files
from recsys_lib.model_server.config import ModelConfig
from recsys_lib.model_server.status import StatusError, status_of

logger = logging.getLogger(__name__)


@dataclass
class Version:
    """What the manager knows of one version.

    Attributes
    ----------
    state : str
        ``START``, ``LOADING``, ``AVAILABLE``, ``UNLOADING`` or ``END``, as the protocol names them.
    error : StatusError or None
        Why the last attempt to load it failed.
    servable : Servable or None
        While it is loaded.
    requests : int
        Requests that are using it now.
    attempts : int
        Failed attempts to load it, since its files last changed.
    retry_at : float
        Earliest time of the next attempt.
    files : tuple
        Sizes and times of its files at the last attempt.
    """

    state: str = "START"
    error: StatusError | None = None
    servable: object = None
    requests: int = 0
    attempts: int = 0
    retry_at: float = 0.0
    files: tuple = ()


@dataclass
class _Model:
    config: ModelConfig
    versions: dict[int, Version] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)  # those in force


class ModelManager:
    """Holds the models of a server.

    Parameters
    ----------
    load : function
        ``load(name, version, folder)`` returns a servable with ``close()``, or raises.
    check : function
        ``check(folder)`` raises where a folder is not whole. It runs before anything is unloaded.
    load_retries : int
        Attempts after the first, if the files stay as they are.
    load_retry_interval_s : float
    resource_preserving : bool
        False, availability-preserving: the old version is unloaded when the new one is available.
        True: it is unloaded first, so that two never share the memory, and nothing is served in
        between; if the new one fails, the old one is loaded again.
    now : function
        Returns the time in seconds; tests pass their own.
    """

    def __init__(
        self,
        load: Callable[[str, int, Path], object],
        *,
        check: Callable[[Path], None] = verify_files,
        load_retries: int = 5,
        load_retry_interval_s: float = 60.0,
        resource_preserving: bool = False,
        now: Callable[[], float] = time.monotonic,
    ):
        self.load = load
        self.check = check
        self.load_retries = load_retries
        self.load_retry_interval_s = load_retry_interval_s
        self.resource_preserving = resource_preserving
        self.now = now
        self._models: dict[str, _Model] = {}
        self._changed = threading.Condition()  # guards all that requests read
        self._polling = threading.Lock()  # one look at the disk at a time

    def configure(self, configs: Sequence[ModelConfig]) -> None:
        """Serve these models from now on, and look at the disk.

        Raises
        ------
        StatusError
            UNKNOWN: no version of a new model is available. FAILED_PRECONDITION: a label names a
            version that is not. The configuration is in force all the same: models and labels
            follow as soon as their versions are available.
        """
        with self._polling:
            wanted = {config.name: config for config in configs}
            with self._changed:
                gone = [model for name, model in self._models.items() if name not in wanted]
                new = set(wanted) - set(self._models)
                for name, config in wanted.items():
                    self._models.setdefault(name, _Model(config)).config = config
            for model in gone:
                self._unload(model, list(model.versions))
                with self._changed:
                    del self._models[model.config.name]
            self._look()
        if missing := sorted(name for name in new if not self.available(name)):
            raise StatusError(
                "UNKNOWN", f"Some models did not become available: {{{', '.join(missing)}}}"
            )
        for config in configs:
            for label, version in config.labels.items():
                if self._models[config.name].labels.get(label) != version:
                    raise StatusError(
                        "FAILED_PRECONDITION",
                        f"Request to assign label to version {version} of model {config.name}, "
                        "which is not currently available for inference",
                    )

    def poll(self) -> None:
        """Look at the disk once: load, unload, move labels."""
        with self._polling:
            self._look()

    def close(self) -> None:
        """Unload everything; requests that are running are waited for."""
        with self._polling:
            for model in self._models.values():
                self._unload(model, list(model.versions))

    @contextlib.contextmanager
    def borrowed(self, name: str, version: int | None = None, label: str = "") -> Iterator[object]:
        """Yield a servable, which is not unloaded while the block runs.

        Without version and label it is the available one of the highest number.

        Raises
        ------
        StatusError
            NOT_FOUND or, for an unknown label, INVALID_ARGUMENT.
        """
        with self._changed:
            found = self._find(name, version, label)
            found.requests += 1
        try:
            yield found.servable
        finally:
            with self._changed:
                found.requests -= 1
                self._changed.notify_all()

    def version_of_label(self, name: str, label: str) -> int:
        """Return the version that a label points at."""
        with self._changed:
            labels = self._models[name].labels if name in self._models else {}
            if label not in labels:
                raise StatusError(
                    "INVALID_ARGUMENT", f"Unrecognized servable version label: {label}"
                )
            return labels[label]

    def states(self, name: str) -> dict[int, Version]:
        """Return what is known of each version of a model; empty for an unknown model."""
        with self._changed:
            return dict(self._models[name].versions) if name in self._models else {}

    def available(self, name: str) -> list[int]:
        """Return the versions that answer requests, sorted."""
        return sorted(n for n, v in self.states(name).items() if v.state == "AVAILABLE")

    def _find(self, name: str, version: int | None, label: str) -> Version:
        if not name:
            raise StatusError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        if label:
            version = self.version_of_label(name, label)
        versions = self._models[name].versions if name in self._models else {}
        ready = [n for n, v in versions.items() if v.state == "AVAILABLE"]
        wanted = max(ready, default=None) if version is None else version
        if wanted not in ready:
            asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise StatusError("NOT_FOUND", f"Servable not found for request: {asked}")
        return versions[wanted]

    def _look(self) -> None:
        for model in list(self._models.values()):
            wanted = model.config.policy.choose(model.config.found())
            due = self._due(model, wanted)
            before = [version for version in model.versions if self._is_ready(model, version)]
            if self.resource_preserving and due:
                self._unload(model, set(model.versions) - set(wanted))
            for version in due:
                self._load(model, version)
            if not wanted or any(self._is_ready(model, version) for version in wanted):
                self._unload(model, set(model.versions) - set(wanted))
            elif self.resource_preserving and due:
                for version in before:  # the new ones failed: better the old one than none
                    self._load(model, version)
            self._move_labels(model)

    def _due(self, model: _Model, wanted: list[int]) -> list[int]:
        """Return the wanted versions to load now, highest first; note those that are not whole."""
        due = []
        for version in reversed(wanted):
            if self._is_due(model, version):
                known = model.versions.setdefault(version, Version())
                folder = model.config.folder(version)
                known.files = _files_of(folder)
                try:
                    self.check(folder)
                except Exception as error:
                    self._note_failure(model, version, error)
                else:
                    due.append(version)
        return due

    def _is_ready(self, model: _Model, version: int) -> bool:
        known = model.versions.get(version)
        return known is not None and known.state == "AVAILABLE"

    def _is_due(self, model: _Model, version: int) -> bool:
        """Tell whether a wanted version is to be loaded now."""
        known = model.versions.get(version)
        if known is None or (known.state == "END" and known.error is None):
            return True
        if known.state == "AVAILABLE":
            return False
        if _files_of(model.config.folder(version)) != known.files:
            known.attempts = 0  # a copy goes on: all counts begin anew
            return True
        return known.attempts <= self.load_retries and self.now() >= known.retry_at

    def _load(self, model: _Model, version: int) -> None:
        known = model.versions[version]
        with self._changed:
            known.state, known.error = "LOADING", None
        name = model.config.name
        try:
            servable = self.load(name, version, model.config.folder(version))
        except Exception as error:
            self._note_failure(model, version, error)
            return
        with self._changed:
            known.servable, known.attempts, known.state = servable, 0, "AVAILABLE"
        logger.info("version %s of model %s is available", version, name)

    def _note_failure(self, model: _Model, version: int, error: Exception) -> None:
        known = model.versions[version]
        known.attempts += 1
        known.retry_at = self.now() + self.load_retry_interval_s
        with self._changed:
            known.state, known.error = "END", status_of(error)
        logger.warning(
            "version %s of model %s does not load: %s", version, model.config.name, error
        )

    def _unload(self, model: _Model, versions: Iterable[int]) -> None:
        for version in versions:
            known = model.versions[version]
            if known.state != "AVAILABLE":
                known.files = ()  # if it is wanted again, it gets a fresh start
                continue
            with self._changed:
                known.state = "UNLOADING"
                self._changed.wait_for(lambda known=known: known.requests == 0)
                servable, known.servable = known.servable, None
            servable.close()
            with self._changed:
                known.state = "END"
            logger.info("version %s of model %s is unloaded", version, model.config.name)

    def _move_labels(self, model: _Model) -> None:
        """Point labels at their versions, but only at available ones."""
        with self._changed:
            kept = {}
            for label, version in model.config.labels.items():
                if self._is_ready(model, version):
                    kept[label] = version
                elif label in model.labels:
                    kept[label] = model.labels[label]
            model.labels = kept


def _files_of(folder: Path) -> tuple:
    """Return names, sizes and times of all files of a folder: what changes while it is copied."""
    found = []
    for path in sorted(Path(folder).rglob("*")):
        try:
            stat = path.stat()
        except OSError:
            continue  # it went away while we looked
        found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)
