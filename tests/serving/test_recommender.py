"""The service answers every request, and says from where."""

from dataclasses import replace

import pytest

from recsys_lib.serving import ListCache, Recommender
from recsys_lib.stores import RedisFeatureStore, RedisServer


class Clock:
    """A time that tests move by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(cascade, clock) -> Recommender:
    return Recommender(cascade, range(30, 0, -1), ListCache(size=2, ttl_s=60, timer=clock))


def test_the_second_request_comes_from_the_cache(service):
    first, second = service.recommend(10), service.recommend(10)
    assert (first.source, second.source) == ("cascade", "cache")
    assert first.item_ids == second.item_ids
    assert (service.cache.hits, service.cache.misses) == (1, 1)
    assert service.cache.hit_rate == 0.5


def test_lists_of_different_length_are_kept_apart(service):
    assert len(service.recommend(10, k=3).item_ids) == 3
    assert len(service.recommend(10, k=5).item_ids) == 5
    assert service.recommend(10, k=3).source == "cache"


def test_a_list_grows_too_old(service, clock):
    service.recommend(10)
    clock.now = 59.0
    assert service.recommend(10).source == "cache"
    clock.now = 61.0
    assert service.recommend(10).source == "cascade"


def test_the_least_recently_used_makes_room(service):
    for user_id in (10, 20, 10, 30):
        service.recommend(user_id)
    assert service.recommend(10).source == "cache"
    assert service.recommend(20).source == "cascade"


def test_feedback_drops_the_list_and_the_item(service):
    item = service.recommend(10).item_ids[0]
    service.feedback(10, item)
    answer = service.recommend(10)
    assert answer.source == "cascade"
    assert item not in answer.item_ids


def test_an_unknown_user_gets_the_default_list(service):
    answer = service.recommend(-1, k=4)
    assert answer.source == "default"
    assert answer.item_ids == (30, 29, 28, 27)
    assert answer.reason == "Nothing is recalled for user -1."


def test_a_dead_store_costs_the_personal_list_not_the_answer(service, users, interactions):
    with RedisServer() as server:
        service.cascade.ranker.users = RedisFeatureStore(server.client())
        service.cascade.ranker.users.publish(users, version="1")
        alive = service.recommend(10)
    assert alive.source == "cascade"
    assert service.recommend(10).source == "cache"
    dead = service.recommend(20)
    assert dead.source == "default"
    assert dead.reason.startswith("StoreUnavailable")
    seen = set(interactions.loc[interactions["user_id"] == 20, "item_id"])
    assert len(dead.item_ids) == 10
    assert not seen & set(dead.item_ids)


def test_a_broken_model_is_logged_and_answered(service, model, caplog):
    ranker = service.cascade.ranker
    ranker.model = replace(model, weights={})
    answer = service.recommend(10)
    assert answer.source == "default"
    assert answer.reason.startswith("KeyError")
    assert "default list" in caplog.text
    ranker.model = model
    assert service.recommend(10).source == "cascade"  # the default list was not cached
