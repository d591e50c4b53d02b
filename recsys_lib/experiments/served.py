"""What a run leaves for the service: its channels, rankers, vectors and features."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recsys_lib import files, paths
from recsys_lib.data import Dataset
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.experiments.artifacts import ARTIFACTS
from recsys_lib.experiments.records import runs
from recsys_lib.rankers import NetworkRanker, Ranker, UserFeatures, load_ranker
from recsys_lib.ranking import RankingModel
from recsys_lib.recall import Ease, ItemKNN, Merged, Popular, Recaller, load_recaller
from recsys_lib.seeding import DEFAULT_SEED
from recsys_lib.serving import Cascade
from recsys_lib.serving.service.parts import Parts, Ranking
from recsys_lib.stores import ItemFeatureTable

SPLIT = "last_likes"  # its models have seen all but each user's last likes
NETWORK_WEIGHT = 0.1  # of a network that a request asks for, beside recall's order
LARGEST_EASE = 10_000  # items, beyond which its dense matrix takes gigabytes


@dataclass(frozen=True)
class Served:
    """Parts of a service, and the users' features that their rankers read."""

    parts: Parts
    users: pd.DataFrame | None


def find_served(
    data: Dataset,
    store: UserFeatures,
    say: Callable[[str], None] = lambda line: None,
    complete: bool = False,
) -> Served:
    """Return what the newest good run on a data set left; fit light channels where there is none.

    Parameters
    ----------
    data : Dataset
    store : UserFeatures
        What the rankers will read the users' features from.
    say : function
        Is given each line that a person should read.
    complete : bool
        Build with the library, where no run left it, all that the notebooks would have written,
        in place of light channels. Takes minutes.
    """
    for folder in _folders(data):
        try:
            found = _load(folder, data, store)
        except RecsysError as error:
            say(f"{paths.shown(folder)} is left out: {error}")
            continue
        say(found.parts.origin)
        return found
    if complete:
        from recsys_lib.experiments.workspace import Workspace

        folder = paths.outputs_dir() / "interactive" / data.name
        say(f"No run on {data.name} is there; building recallers, features and rankers")
        run = Workspace("serve", data.name, seed=DEFAULT_SEED, folder=folder)
        for name in ("recallers", "serving_features", "embedding_mlp", "cascade"):
            say(f"  {name}")
            run.load(name)
        return _load(folder, data, store)
    say(
        f"No run on {data.name} is there, so light channels are fitted now, without a ranking "
        f"stage. For the whole cascade: `recsys run --dataset {data.name}`, or --complete."
    )
    return _light(data)


def _folders(data: Dataset) -> list[Path]:
    """Return folders whose recallers were fitted on this very data, the newest run first."""
    candidates = [*runs(), paths.outputs_dir() / "interactive" / data.name]
    return [each for each in candidates if _fits(each, data)]


def _fits(folder: Path, data: Dataset) -> bool:
    try:
        made = files.read_json(folder / "artifacts" / "recallers" / "artifact.json")
    except (OSError, ValueError):
        return False
    # A run is good if all its notebooks ended well; a folder without run.json is no run.
    try:
        status = files.read_json(folder / "run.json")["status"]
    except (OSError, ValueError, KeyError):
        status = "complete" if folder.parent.name == "interactive" else "unknown"
    return made["data"] == data.fingerprint and status == "complete"


def _load(folder: Path, data: Dataset, store: UserFeatures) -> Served:
    artifacts = folder / "artifacts"
    about = f"{folder.name}.{_contents(artifacts)[:8]}"
    rankings = {}
    features = artifacts / "serving_features" / SPLIT
    users = items = None
    if (features / "users.parquet").is_file():
        users, items = (
            pd.read_parquet(features / f"{each}.parquet") for each in ("users", "items")
        )
        rankings |= _networks(artifacts, items, store)
    rankings |= _rankers(artifacts, store)
    recaller = _recaller(artifacts, store)
    parts = Parts.of(
        recaller,
        rankings=rankings,
        vectors=_vectors(artifacts),
        version=about,
        feature_version=about if users is not None else "none",
        origin=f"Models of {folder.relative_to(paths.outputs_dir())}.",
    )
    return Served(parts, users)


def _contents(artifacts: Path) -> str:
    """Return a hash of all that a run has saved."""
    made = (files.read_json(path) for path in sorted(artifacts.glob("*/artifact.json")))
    return hashlib.sha256("".join(each["content"] for each in made).encode()).hexdigest()


def _recaller(artifacts: Path, store: UserFeatures) -> Recaller:
    """Return the cascade that a run has saved, of whatever name, else its merge."""
    for path in sorted(artifacts.glob(f"*/{SPLIT}/**/recaller.json")):
        if files.read_json(path).get("class") == Cascade.__name__:
            return load_recaller(path.parent, store)
    return load_recaller(artifacts / "recallers" / SPLIT / "merged")


def _networks(artifacts: Path, items: pd.DataFrame, store: UserFeatures) -> dict[str, Ranking]:
    folder = artifacts / "embedding_mlp" / SPLIT
    if not folder.is_dir():
        return {}
    ranker = NetworkRanker(RankingModel.load(folder), ItemFeatureTable(items), store)
    return {"embedding_mlp": Ranking(ranker=ranker, weight=NETWORK_WEIGHT)}


def _rankers(artifacts: Path, store: UserFeatures) -> dict[str, Ranking]:
    """Return all other rankers that a run has saved."""
    found = {}
    for path in sorted(artifacts.glob(f"*/{SPLIT}/**/ranker.json")):
        if (path.parent.parent / "recaller.json").is_file():
            continue  # belongs to a cascade
        ranker: Ranker = load_ranker(path.parent, store)
        weight = NETWORK_WEIGHT if ranker.gives_probabilities else 1.0
        name = path.parent.name if path.parent.name != SPLIT else path.parent.parent.name
        found[name] = Ranking(ranker=ranker, weight=weight)
    return found


def _vectors(artifacts: Path) -> dict[str, EmbeddingTable]:
    names = [name for name, kind in ARTIFACTS.items() if kind.is_embedding]
    folders = {name: artifacts / name / SPLIT for name in names}
    return {n: EmbeddingTable.load(each) for n, each in folders.items() if each.is_dir()}


def _light(data: Dataset) -> Served:
    """Fit channels that take seconds, or read them where they have been fitted."""
    folder = paths.outputs_dir() / "service" / data.name / "light"
    version = f"light.{data.fingerprint[:8]}"
    note = folder.with_suffix(".json")
    with files.locked(folder):
        if note.is_file() and files.read_json(note) == {"data": data.fingerprint}:
            recaller = load_recaller(folder)
        else:
            channels = {"item_knn": ItemKNN(), "popular": Popular()}
            if data.interactions["item_id"].nunique() <= LARGEST_EASE:
                channels = {"ease": Ease(half_life_likes=10), **channels}
            weights = {name: 0.1 if name == "popular" else 1.0 for name in channels}
            recaller = Merged(channels, weights, fusion="rank").fit(data.interactions)
            recaller.save(folder)
            files.write_json(note, {"data": data.fingerprint})
    origin = "Light channels, fitted on all interactions, without a ranking stage."
    return Served(Parts.of(recaller, version=version, origin=origin), None)
