"""The artefacts that flow from one notebook to the next: how each is built, saved and loaded.

A notebook that runs alone finds what it needs built here, with the library's default settings,
which are the notebooks' default parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from recsys_lib.data import Dataset
from recsys_lib.data.splits import Split
from recsys_lib.errors import RecsysError, nearest

if TYPE_CHECKING:
    import pandas as pd


class Sources(Protocol):
    """What an artefact may be built from; what a builder asks for here is written down with it."""

    @property
    def data(self) -> Dataset: ...
    @property
    def splits(self) -> dict[str, Split]: ...
    @property
    def seed(self) -> int: ...
    def load(self, name: str) -> Any:
        """Return another artefact."""


@dataclass(frozen=True)
class Artifact:
    """A named result on disk.

    Attributes
    ----------
    name : str
    build : function of Sources, returns the value
    save : function of the value and an empty folder
    load : function of the folder, returns the value
    is_embedding : bool
        Whether it is a dictionary of embedding tables, of which every version is kept.
    """

    name: str
    build: Callable[[Sources], Any]
    save: Callable[[Any, Path], None]
    load: Callable[[Path], Any]
    is_embedding: bool = False


def artifact(name: str) -> Artifact:
    """Return the artefact called ``name``."""
    if name not in ARTIFACTS:
        raise RecsysError(
            f"There is no artefact {name!r}.{nearest(name, ARTIFACTS)} "
            f"Known: {', '.join(ARTIFACTS)}."
        )
    return ARTIFACTS[name]


# How values are kept. Each is a dictionary whose first keys are the names of the splits.


def _save_frames(value: dict, folder: Path) -> None:
    for key, frame in value.items():
        if isinstance(frame, dict):
            _save_frames(frame, folder / key)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            frame.to_parquet(folder / f"{key}.parquet", index=False)


def _load_frames(folder: Path) -> "dict[str, dict | pd.DataFrame]":
    import pandas as pd

    frames: dict[str, Any] = {
        path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))
    }
    return frames | {sub.name: _load_frames(sub) for sub in _folders(folder)}


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _save_parts(value: dict, folder: Path) -> None:
    for key, part in value.items():
        part.save(folder / key)


def _load_tables(folder: Path) -> dict:
    from recsys_lib.embeddings import EmbeddingTable

    return {sub.name: EmbeddingTable.load(sub) for sub in _folders(folder)}


def _save_nested(value: dict, folder: Path) -> None:
    for key, parts in value.items():
        _save_parts(parts, folder / key)


def _load_recallers(folder: Path) -> dict:
    from recsys_lib.recall import load_recaller

    return {
        split.name: {each.name: load_recaller(each) for each in _folders(split)}
        for split in _folders(folder)
    }


def _load_cascades(folder: Path) -> dict:
    from recsys_lib.recall import load_recaller

    return {sub.name: load_recaller(sub) for sub in _folders(folder)}


def _load_models(folder: Path) -> dict:
    from recsys_lib.ranking import RankingModel

    return {sub.name: RankingModel.load(sub) for sub in _folders(folder)}


# How values are built when no notebook has written them.


def _training_samples(sources: Sources) -> dict:
    from recsys_lib.features import build_training_samples

    return build_training_samples(sources.data, sources.splits)


def _serving_features(sources: Sources) -> dict:
    from recsys_lib.features import build_serving_features

    return build_serving_features(sources.data, sources.splits)


def _monitoring(sources: Sources) -> dict:
    from recsys_lib.features import build_monitoring

    return build_monitoring(sources.load("training_samples"))


def _item2vec(sources: Sources) -> dict:
    from recsys_lib.embeddings import build_item2vec

    return build_item2vec(sources.splits, seed=sources.seed)


def _deepwalk(sources: Sources) -> dict:
    from recsys_lib.embeddings import build_deepwalk

    return build_deepwalk(sources.splits, seed=sources.seed)


def _node2vec(sources: Sources) -> dict:
    from recsys_lib.embeddings import build_node2vec

    return build_node2vec(sources.splits, seed=sources.seed)


def _recallers(sources: Sources) -> dict:
    from recsys_lib.data.knowledge_graph import with_people
    from recsys_lib.recall.build import TRAINERS, build_recallers

    tables = {name: sources.load(name) for name in TRAINERS}
    items = with_people(sources.data.items, sources.data.triples)
    return build_recallers(sources.splits, tables, items, seed=sources.seed)


def _embedding_mlp(sources: Sources) -> dict:
    from recsys_lib.ranking import build_models

    return build_models(sources.load("training_samples"), seed=sources.seed)


def _cascade(sources: Sources) -> dict:
    from recsys_lib.serving import train_cascade

    recall = sources.load("recallers")["last_likes"]["merged"]
    split = sources.splits["last_likes"]
    return {"last_likes": train_cascade(recall, split, sources.data.items, seed=sources.seed)}


ARTIFACTS = {
    kind.name: kind
    for kind in (
        Artifact("training_samples", _training_samples, _save_frames, _load_frames),
        Artifact("serving_features", _serving_features, _save_frames, _load_frames),
        Artifact("monitoring", _monitoring, _save_frames, _load_frames),
        Artifact("item2vec", _item2vec, _save_parts, _load_tables, is_embedding=True),
        Artifact("deepwalk", _deepwalk, _save_parts, _load_tables, is_embedding=True),
        Artifact("node2vec", _node2vec, _save_parts, _load_tables, is_embedding=True),
        Artifact("recallers", _recallers, _save_nested, _load_recallers),
        Artifact("cascade", _cascade, _save_parts, _load_cascades),
        Artifact("embedding_mlp", _embedding_mlp, _save_parts, _load_models),
    )
}
