"""Every trained embedding, kept by version: an offline evaluation can go back to any (S16)."""

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib import files
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import DataError, nearest
from recsys_lib.stores.feature_store import NAME

MADE = "made.json"


class EmbeddingHistory:
    """A folder with all versions of all embeddings: ``<name>/<version>/``.

    A version is named by its content, so the same vectors are kept once however often they are
    added. Tables are mapped into memory when they are loaded: processes share their pages.

    Parameters
    ----------
    folder : Path
    clock : function
        Returns the time in s since 1970.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time):
        self.folder = Path(folder)
        self.clock = clock

    def add(self, name: str, table: EmbeddingTable, **made) -> str:
        """Keep a table and what made it; return its version.

        Parameters
        ----------
        name : str
            Of the embedding, as ``item2vec.last_likes``: letters, digits, ``.``, ``-``, ``_``.
        table : EmbeddingTable
        **made
            Settings, data, seed: whatever JSON takes.

        Raises
        ------
        DataError
            The name is none.
        """
        folder, version = self._of(name), _content_hash(table)
        with files.locked(folder):
            for left in files.leftovers_in(folder):  # by killed writers of any version
                shutil.rmtree(left)
            if not (folder / version).exists():
                with files.atomic_folder(folder / version) as fresh:
                    table.save(fresh / "table")
                    facts = {"created": self.clock(), "items": len(table)}
                    files.write_json(fresh / MADE, {**facts, "made": made})
        return version

    def names(self) -> list[str]:
        """Return the names of the embeddings in alphabetical order."""
        return sorted(path.name for path in self.folder.glob("[!.]*") if path.is_dir())

    def versions(self, name: str) -> pd.DataFrame:
        """Return the versions of an embedding, the oldest first.

        Returns
        -------
        DataFrame
            ``version``, ``created`` (s since 1970), ``items``, ``bytes`` on disk, and ``made``, a
            dict.
        """
        rows = []
        for made in self._of(name).glob(f"[!.]*/{MADE}"):
            size = sum(path.stat().st_size for path in made.parent.rglob("*.npy"))
            rows.append({"version": made.parent.name, **files.read_json(made), "bytes": size})
        columns = ["version", "created", "items", "bytes", "made"]
        return pd.DataFrame(rows, columns=columns).sort_values(
            ["created", "version"], ignore_index=True
        )

    def load(self, name: str, version: str | None = None) -> EmbeddingTable:
        """Return a version of an embedding, by default the one that was added last.

        Raises
        ------
        DataError
            There is no such embedding or version.
        """
        known = self.versions(name)["version"].tolist()
        if not known:
            raise DataError(
                f"No embedding {name!r} lies in {self.folder}.{nearest(name, self.names())}"
            )
        if version is not None and version not in known:
            raise DataError(f"{name!r} has no version {version!r}; it has {', '.join(known)}.")
        return EmbeddingTable.load(self._of(name) / (version or known[-1]) / "table")

    def _of(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise DataError(
                f"{name!r} is no name for an embedding: letters, digits, '.', '-' and '_', "
                "at most 64, a letter or a digit first."
            )
        return self.folder / name


def _content_hash(table: EmbeddingTable) -> str:
    content = hashlib.sha256(str(table.vectors.shape).encode())
    for array in (table.item_ids, table.vectors):
        content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()[:12]
