"""A real service for the tests: a data set on disk, a real Redis, HTTP on a free port."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import requests

from recsys_lib.data import Dataset, Request, get
from recsys_lib.rankers import NetworkRanker
from recsys_lib.recall import Ease, ItemKNN, Merged, Popular
from recsys_lib.seeding import generator
from recsys_lib.serving.degradation import AdaptiveLimit
from recsys_lib.serving.service import Parts, Ranking, Service, Settings
from recsys_lib.serving.service.redis_link import RedisKeeper
from recsys_lib.serving.service.server import open_service, serving
from recsys_lib.stores import ItemFeatureTable

HOSTILE = "<img src=x onerror=\"document.title='pwned'\"> & \"quotes\" 'too'"
PATIENT = Settings(deadline_s=30, recall_budget_s=10, ranking_budget_s=10)  # for busy machines


@dataclass
class Site:
    """A service that runs.

    Attributes
    ----------
    url : str
    service : Service
    keeper : RedisKeeper
    """

    url: str
    service: Service
    keeper: RedisKeeper

    def get(self, path: str, status: int = 200, **query) -> dict | list:
        """Return the JSON of an answer, whose status must be the expected one."""
        answer = requests.get(f"{self.url}{path}", params=query, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()

    def recommend(self, user, status: int = 200, **query) -> dict:
        """Return an answer with recommendations."""
        return self.get(f"/api/users/{user}/recommendations", status, **query)

    def rate(self, user, item, rating: float = 5, status: int = 201) -> dict:
        """Post a rating."""
        body = {"item_id": str(item), "rating": rating}
        path = f"{self.url}/api/users/{user}/ratings"
        answer = requests.post(path, json=body, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()

    def dismiss(self, user, item) -> None:
        """Post that an item is not wanted."""
        path = f"{self.url}/api/users/{user}/dismissals"
        answer = requests.post(path, json={"item_id": str(item)}, timeout=30)
        assert answer.status_code == 201, answer.text


@contextlib.contextmanager
def site_of(
    data: Dataset,
    folder: Path,
    make_parts,
    *,
    users: pd.DataFrame | None = None,
    settings: Settings = PATIENT,
    token: str | None = None,
    limit: AdaptiveLimit | None = None,
) -> Iterator[Site]:
    """Run a service of a data set; ``make_parts`` gets what reads the users' features."""
    folder.mkdir(parents=True, exist_ok=True)
    keeper = RedisKeeper(folder / "redis.address").start()
    try:
        address = keeper.address.read_text
        found = lambda store: (make_parts(store), users)  # noqa: E731
        with (
            open_service(data, found, folder, address, settings) as service,
            serving(service, token=token, limit=limit) as url,
        ):
            assert service.is_ready.wait(30)
            yield Site(url, service, keeper)
    finally:
        keeper.stop()


def eventually(ask, wanted, timeout_s: float = 20.0):
    """Ask until the answer is the wanted one, and return how many other ones came before."""
    deadline, others = time.monotonic() + timeout_s, []
    while time.monotonic() < deadline:
        answer = ask()
        if answer == wanted:
            return others
        others.append(answer)
        time.sleep(0.05)
    raise AssertionError(f"never {wanted!r}; at the end {others[-3:]}")


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory):
    """A folder of data sets of its own."""
    return tmp_path_factory.mktemp("data")


def get_into(folder: Path, request: Request) -> Dataset:
    """Get a data set into a folder; other tests of the session keep theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_DATA_DIR", str(folder))
        return get(request)


@pytest.fixture(scope="session")
def small(data_folder, interactions, item_frame) -> Dataset:
    """The interactions of the small service as a data set, one title in it a hostile one."""
    interactions.to_csv(data_folder / "small.csv", index=False)
    items = item_frame[["item_id", "release_year"]].copy()
    items["title"] = [f"Film {item}" for item in items["item_id"]]
    items.loc[items["item_id"] == 1, "title"] = HOSTILE
    items.loc[items["item_id"] == 2, "title"] = "Abyss, The"
    items["genres"] = item_frame[["item_genre_1", "item_genre_2"]].apply(
        lambda row: "|".join(row.dropna()), axis=1
    )
    items.to_csv(data_folder / "items.csv", index=False)
    request = Request("small", source=data_folder / "small.csv", items=data_folder / "items.csv")
    return get_into(data_folder, request)


@pytest.fixture(scope="session")
def shop(data_folder) -> Dataset:
    """Somebody's own data: ids are text, nothing is known of the items, nobody has rated."""
    rng = generator(5, "shop")
    rows = [
        (f"Käthe {user}/{user % 3}", f"sku-{item:03}")
        for user in range(30)
        for item in rng.choice(40, 9, replace=False)
    ]
    frame = pd.DataFrame(rows, columns=["customer", "sku"])
    frame.to_csv(data_folder / "shop.csv", index=False)
    columns = {"user": "customer", "item": "sku"}
    request = Request("shop", source=data_folder / "shop.csv", columns=columns)
    return get_into(data_folder, request)


@pytest.fixture(scope="session")
def merged(small) -> Merged:
    """Three channels that take no time."""
    channels = {"ease": Ease(), "item_knn": ItemKNN(), "popular": Popular()}
    weights = {"ease": 1.0, "item_knn": 0.7, "popular": 0.1}
    return Merged(channels, weights, fusion="rank", depth=25).fit(small.interactions)


@pytest.fixture(scope="session")
def parts_with(merged, model, item_frame):
    """Return a function that makes the parts, with any ranker in the place of the network."""

    def make(store, ranker=None) -> Parts:
        if ranker is None:
            ranker = NetworkRanker(model, ItemFeatureTable(item_frame), store)
        network = Ranking(ranker=ranker, weight=0.4)
        own = {"rankings": {"network": network}, "default": "network"}
        return Parts.of(merged, version="m1", feature_version="f1", origin="A test.", **own)

    return make


@pytest.fixture
def site(small, tmp_path, parts_with, users) -> Iterator[Site]:
    """The small service with all its parts."""
    with site_of(small, tmp_path / "service", parts_with, users=users) as running:
        yield running


def codes(items: list[dict]) -> list[int]:
    """Return the ids of a list as numbers."""
    return [int(item["item_id"]) for item in items]
