"""Artefacts in the folder of a run: written with what made them, built again where that changed."""

import json
import logging
from pathlib import Path
from typing import Any

from recsys_lib import files, paths
from recsys_lib.data import Dataset
from recsys_lib.data.splits import Split
from recsys_lib.experiments.artifacts import Artifact, Sources, artifact
from recsys_lib.experiments.fingerprint import folder_fingerprint, library_fingerprint

logger = logging.getLogger("recsys_lib")

LIBRARY = "library"  # who wrote what the library has built, in place of a notebook's name
SEED = "seed"  # the seed, among the names of the artefacts that one was built from


class ArtifactStore:
    """The artefacts of one run, as one notebook sees them.

    Each artefact has an ``artifact.json`` that says who wrote it, with which settings, from which
    data and with which version of the library. An artefact that the library has built is used
    again only if the seed and the other artefacts that its builder asked for are the same, too. A
    notebook of the run may have written its artefact with any seed and any settings.

    Parameters
    ----------
    folder : Path
        The folder of the run.
    notebook : str
        Name of the notebook that reads and writes.
    sources : Sources
        Data, splits and seed of that notebook.
    """

    def __init__(self, folder: Path, notebook: str, sources: Sources):
        self.folder, self.notebook, self.sources = folder / "artifacts", notebook, sources

    def load(self, name: str) -> Any:
        """Return an artefact: what a notebook of this run wrote, else what the library builds."""
        return self._load(name)[0]

    def save(self, name: str, value: Any, config: dict | None = None) -> None:
        """Write an artefact for later notebooks, with the settings that made it."""
        kind = artifact(name)
        with files.locked(self.folder / name):
            self._write(kind, value, self.notebook, {"config": config or {}})
        logger.info("%s: wrote %s", self.notebook, name)

    def _load(self, name: str) -> tuple[Any, str]:
        """Return an artefact and the fingerprint of its files."""
        kind, folder = artifact(name), self.folder / name
        with files.locked(folder):
            stale = self._why_stale(name)
            if stale:
                logger.info("%s: building %s, because %s", self.notebook, name, stale)
                used = _Noted(self)
                value = kind.build(used)
                self._write(kind, value, LIBRARY, {"built_from": used.noted})
            else:
                logger.info("%s: reading %s", self.notebook, name)
            return kind.load(folder), self._made(name)["content"]

    def _why_stale(self, name: str) -> str:
        """Return why an artefact can't be used as it lies there; an empty string when it can."""
        made = self._made(name)
        if not made:
            return "there is none yet"
        if made["data"] != self.sources.data.fingerprint:
            return "the data set changed"
        if made["library"] != library_fingerprint():
            return "the library changed"
        for other, content in made.get("built_from", {}).items():
            if other == SEED:
                if content != self.sources.seed:
                    return f"it was built with seed {content}, not {self.sources.seed}"
            elif self._why_stale(other) or self._made(other).get("content") != content:
                return f"{other} changed, which it was built from"
        return ""

    def _made(self, name: str) -> dict[str, Any]:
        """Return how an artefact was made, as it is written down; nothing where there is none."""
        try:
            return files.read_json(self.folder / name / "artifact.json")
        except (OSError, json.JSONDecodeError):
            return {}

    def _write(self, kind: Artifact, value: Any, writer: str, made: dict) -> None:
        with files.atomic_folder(self.folder / kind.name) as fresh:
            kind.save(value, fresh)
            made = {
                "notebook": writer,
                **made,
                "data": self.sources.data.fingerprint,
                "library": library_fingerprint(),
                "content": folder_fingerprint(fresh),
            }
            files.write_json(fresh / "artifact.json", made)
        if kind.is_embedding:
            self._remember(kind.name, value, made)

    def _remember(self, name: str, tables: dict, made: dict) -> None:
        """Keep embeddings in the history, which outlives the run (S16)."""
        from recsys_lib.stores import EmbeddingHistory

        history = EmbeddingHistory(paths.embedding_history_dir() / self.sources.data.name)
        for split, table in tables.items():
            history.add(f"{name}.{split}", table, **made)


class _Noted:
    """Sources that note which seed and which other artefacts a builder asks for."""

    def __init__(self, store: ArtifactStore):
        self._store = store
        self.noted: dict[str, int | str] = {}

    @property
    def data(self) -> Dataset:
        return self._store.sources.data

    @property
    def splits(self) -> dict[str, Split]:
        return self._store.sources.splits

    @property
    def seed(self) -> int:
        self.noted[SEED] = self._store.sources.seed
        return self.noted[SEED]

    def load(self, name: str) -> Any:
        value, self.noted[name] = self._store._load(name)
        return value
