"""Item graphs in folders: a ``.npy`` file for each array, and ``graph.json``."""

from pathlib import Path

import numpy as np

from recsys_lib import files
from recsys_lib.embeddings.graph import DTYPES, ItemGraph
from recsys_lib.embeddings.networkx_graphs import as_labels
from recsys_lib.errors import DataError


def save(graph: ItemGraph, folder: Path) -> None:
    """Write a graph; see :meth:`ItemGraph.save`."""
    labels = graph.labels.tolist() if graph.has_own_labels else None
    for label in labels or ():
        if type(label) not in (str, int):
            raise DataError(
                f"The label {label!r} cannot be written: only text and whole numbers can."
            )
    with files.atomic_folder(Path(folder)) as fresh:
        files.write_json(fresh / "graph.json", {"directed": graph.directed, "labels": labels})
        for name in DTYPES:
            np.save(fresh / f"{name}.npy", getattr(graph, name))


def load(folder: Path) -> ItemGraph:
    """Read a graph; see :meth:`ItemGraph.load`."""
    folder = Path(folder)
    arrays = []
    try:
        described = files.read_json(folder / "graph.json")
        labels, directed = described["labels"], described["directed"]
        for name in DTYPES:
            arrays.append(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"No item graph can be read from {folder}: {error}") from None
    for array, (name, dtype) in zip(arrays, DTYPES.items(), strict=True):
        if array.dtype != dtype or array.ndim != 1:
            raise DataError(
                f"No item graph can be read from {folder}: {name} is {array.dtype} of shape "
                f"{array.shape}, not a list of {np.dtype(dtype)}."
            )
    try:
        return ItemGraph(*arrays, None if labels is None else as_labels(labels), directed)
    except DataError as error:
        raise DataError(f"The item graph in {folder} is damaged. {error}") from None
