"""Fitted recallers on disk: JSON for what is small, arrays and tables for the rest, no code.

``recaller.json`` describes a recaller as a tree: its class, its hyper-parameters and its learned
attributes, recallers among them. Plain values stand there; arrays, tables and vocabularies are
files in subfolders like those of the tree. What several parts have in common, such as the
interactions behind all channels of a merge, is written once. Large arrays are mapped into memory
when they are read, so that loading is fast and processes share what they map.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib import files
from recsys_lib.data.ids import Ids
from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError, nearest
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.calibration import Calibration
from recsys_lib.recall.vocabulary import GrownVocabulary, Vocabulary

FORMAT = 1  # goes up whenever an older library could not read what is written
DESCRIPTION = "recaller.json"
MAPPED_FROM = 1_000_000  # bytes from which an array is mapped rather than read
# Classes whose fields say everything.
RECORDS = {
    cls.__name__: cls
    for cls in (Calibration, EmbeddingTable, GrownVocabulary, InteractionMatrix, Vocabulary)
}
# Recallers of packages above this one, whose modules are imported when a folder asks for them.
ABOVE = {"Cascade": "recsys_lib.serving.cascade"}
PLAIN = bool | int | float | str | None


def save_recaller(recaller: Recaller, folder: Path) -> None:
    """Write a fitted recaller; see :meth:`recsys_lib.recall.Recaller.save`."""
    recaller._check_request()
    with files.atomic_folder(Path(folder)) as fresh:
        tree = _Writer(fresh).recaller(recaller, "")
        files.write_json(fresh / DESCRIPTION, {"format": FORMAT, **tree})


def load_recaller(folder: Path, users=None) -> Recaller:
    """Read a recaller of any class that was saved.

    It answers as the saved one did, to the last bit, and needs no package that only fitting needs.

    Parameters
    ----------
    folder : Path
    users : feature store, optional
        For a cascade whose user features lie outside, in Redis for instance: what reads them.
        Other recallers ignore it.

    Raises
    ------
    DataError
        The folder holds no recaller, a damaged one, or one of another format or an unknown class.
    """
    folder = Path(folder)
    try:
        tree = files.read_json(folder / DESCRIPTION)
        if tree["format"] != FORMAT:
            raise DataError(
                f"The recaller in {folder} has the format {tree['format']}; this version of the "
                f"library reads format {FORMAT}. Fit it again, or use the version that wrote it."
            )
        return _Reader(folder, users).recaller(tree, "")
    except FileNotFoundError as error:
        if Path(error.filename) == folder / DESCRIPTION:
            raise DataError(
                f"There is no recaller in {folder}: {DESCRIPTION} is missing."
            ) from None
        raise DataError(f"The recaller in {folder} is damaged: {error}.") from error
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise DataError(f"The recaller in {folder} is damaged ({what}). Fit it again.") from error


class _Writer:
    """Writes values to a folder and describes them; what is met again is only named."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.written: dict[int, tuple[str, Any]] = {}  # the values too: an id must stay taken

    def recaller(self, recaller: Recaller, place: str) -> dict:
        described = {"class": type(recaller).__name__, "parameters": {}, "learned": {}}
        values = {
            "parameters": recaller.parameters,
            "learned": {n: v for n, v in vars(recaller).items() if n.endswith("_")},
        }
        for part, of_part in values.items():
            for name, value in of_part.items():
                try:
                    described[part][name] = self.put(value, f"{place}{name}")
                except TypeError:
                    raise RecsysError(
                        f"{name!r} of {type(recaller).__name__} cannot be saved: it holds "
                        f"something of the type {type(value).__name__}, for which there is no "
                        "file format."
                    ) from None
        recaller._save_parts(self.folder / place)
        return described

    def put(self, value: Any, place: str) -> Any:
        """Write a value at a place in the folder and return its description."""
        if _is_plain(value):
            return {"value": _plain(value)}
        if id(value) in self.written:
            return {"same": self.written[id(value)][0]}
        self.written[id(value)] = place, value
        return {"place": place} | self._described(value, place)

    def _described(self, value: Any, place: str) -> dict:
        if isinstance(value, Recaller):
            return {"recaller": self.recaller(value, f"{place}/")}
        if isinstance(value, Mapping):
            if not all(isinstance(name, str) for name in value):
                raise TypeError("JSON has no names that are not text")
            # The names are a person's and need not be names of files.
            parts = enumerate(value.items())
            return {"mapping": {n: self.put(part, f"{place}/{i}") for i, (n, part) in parts}}
        if type(value).__name__ in RECORDS:
            fields = {n: self.put(part, f"{place}/{n}") for n, part in vars(value).items()}
            return {"record": type(value).__name__, "fields": fields}
        if sparse.issparse(value):
            parts = ("data", "indices", "indptr")
            fields = {n: self.put(getattr(value, n), f"{place}/{n}") for n in parts}
            kind = "csr_array" if isinstance(value, sparse.sparray) else "csr_matrix"
            return {"sparse": kind, "shape": value.shape, "fields": fields}
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, np.ndarray) and value.dtype != object:
            np.save(path.with_name(f"{path.name}.npy"), value, allow_pickle=False)
            return {"array": value.dtype.str, "shape": value.shape}
        if isinstance(value, pd.DataFrame):
            value.to_parquet(path.with_name(f"{path.name}.parquet"), index=False)
            return {"table": list(value.columns)}
        if isinstance(value, Ids):
            value.save(path.with_name(f"{path.name}.parquet"))
            return {"ids": len(value)}
        raise TypeError(type(value).__name__)


class _Reader:
    """Reads what a :class:`_Writer` wrote, in the same order."""

    def __init__(self, folder: Path, users):
        self.folder = folder
        self.users = users
        self.known: dict[str, Any] = {}

    def recaller(self, described: Mapping, place: str) -> Recaller:
        name = described["class"]
        if name not in Recaller.classes and name in ABOVE:
            importlib.import_module(ABOVE[name])
        if name not in Recaller.classes:
            raise DataError(
                f"The recaller in {self.folder} is of the class {name!r}, which is not known here."
                f"{nearest(name, {**Recaller.classes, **ABOVE})} Import the module that defines it "
                "first."
            )
        parameters, learned = (
            {n: self.get(node) for n, node in described[part].items()}
            for part in ("parameters", "learned")
        )
        loaded = Recaller.classes[name]._restore(self.folder / place, parameters, self.users)
        vars(loaded).update(learned)
        return loaded

    def get(self, node: Mapping) -> Any:
        if "value" in node:
            return node["value"]
        if "same" in node:
            return self.known[node["same"]]
        value = self._read(node, node["place"])
        self.known[node["place"]] = value
        return value

    def _read(self, node: Mapping, place: str) -> Any:
        if "recaller" in node:
            return self.recaller(node["recaller"], f"{place}/")
        if "mapping" in node:
            return {name: self.get(part) for name, part in node["mapping"].items()}
        fields = {name: self.get(part) for name, part in node.get("fields", {}).items()}
        if "record" in node:
            return RECORDS[node["record"]](**fields)
        if "sparse" in node:
            kind = {"csr_array": sparse.csr_array, "csr_matrix": sparse.csr_matrix}[node["sparse"]]
            parts = fields["data"], fields["indices"], fields["indptr"]
            return kind(parts, shape=tuple(node["shape"]))
        path = self.folder / place
        if "array" in node:
            return _array(path.with_name(f"{path.name}.npy"), node["array"], tuple(node["shape"]))
        if "table" in node:
            return pd.read_parquet(path.with_name(f"{path.name}.parquet"), columns=node["table"])
        return Ids.load(path.with_name(f"{path.name}.parquet"))


def _array(path: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    mapped = "r" if size >= MAPPED_FROM else None
    array = np.asarray(np.load(path, mmap_mode=mapped, allow_pickle=False))
    if array.dtype.str != dtype or array.shape != shape:
        raise ValueError(
            f"{path.name} should hold {dtype} of the shape {shape}, "
            f"but holds {array.dtype.str} of the shape {array.shape}"
        )
    return array


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(isinstance(n, str) and _is_plain(v) for n, v in value.items())
    return isinstance(value, PLAIN | np.generic)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value.item() if isinstance(value, np.generic) else value
