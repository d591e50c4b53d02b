"""What the service answers over HTTP: lists that add up, events that are seen at once."""

import functools
import json
import operator

import numpy as np
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from service_site import PATIENT, Site, codes, site_of
from threadpoolctl import threadpool_info, threadpool_limits

from recsys_lib.rankers import NetworkRanker, UserFeatureTable
from recsys_lib.recall import Ease, Merged, Popular
from recsys_lib.serving import Cascade
from recsys_lib.serving.service import Parts, read_impressions
from recsys_lib.serving.service.server import open_service, web_server
from recsys_lib.stores import ItemFeatureTable


@pytest.fixture(scope="module")
def shared(small, tmp_path_factory, parts_with, users):
    """A service for the tests that tell it nothing."""
    with site_of(small, tmp_path_factory.mktemp("service"), parts_with, users=users) as running:
        yield running


@pytest.fixture
def offline(merged, model, item_frame, users) -> Cascade:
    """The same parts as the course evaluates them."""
    ranker = NetworkRanker(model, ItemFeatureTable(item_frame), UserFeatureTable(users))
    return Cascade(merged, ranker, candidates=25, ranking_weight=0.4)


def test_the_list_is_that_of_the_cascade_that_was_evaluated(shared: Site, offline):
    for user in (10, 50, 120):
        answer, lines = shared.recommend(user, k=8), offline.explain(user, k=8)
        assert answer["level"] == "full", answer["lost"]
        assert codes(answer["items"]) == [line.item_id for line in lines]
        scores = [item["score"] for item in answer["items"]]
        assert scores == pytest.approx([line.score for line in lines], abs=1e-12)
        chances = [item["probability"] for item in answer["items"]]
        assert chances == pytest.approx([line.like_probability for line in lines], abs=1e-7)
        assert [i["recall_place"] for i in answer["items"]] == [x.recall_place for x in lines]


def test_the_terms_of_a_score_add_up_to_it_exactly(shared: Site, merged):
    for query in ({}, {"ranker": "recall_order"}, {"off": "ranking"}, {"off": "recall"}):
        for item in shared.recommend(20, k=10, **query)["items"]:
            values = [term["value"] for term in item["terms"]]
            for order in (values, values[::-1], sorted(values)):
                assert functools.reduce(operator.add, order) == item["score"]
    by_recall = merged.recommend(20, k=10)
    for item, expected in zip(
        shared.recommend(20, k=10, ranker="recall_order")["items"],
        by_recall.itertuples(),
        strict=True,
    ):
        assert int(item["item_id"]) == expected.item_id
        assert sum(p["points"] for p in item["points"]) == pytest.approx(expected.score, rel=1e-6)
        for point in item["points"]:
            weight = merged.weights[point["channel"]]
            assert point["points"] == pytest.approx(weight / (60 + point["place"]), rel=1e-5)


def test_small_products_of_a_request_take_one_thread():
    """More of them wait for each other, and burn the time of other requests while they do."""
    with threadpool_limits(2):
        assert any(each["num_threads"] == 2 for each in threadpool_info())
        web_server(lambda: None)
        assert {each["num_threads"] for each in threadpool_info()} == {1}


def test_an_answer_says_how_it_was_made(shared: Site):
    answer = shared.recommend(30, k=3, off="cache")
    assert len(answer["items"]) == 3
    assert answer["source"] == "computed"
    assert answer["versions"] == {"model": "m1", "features": "f1"}
    stages = {"recall", "ease", "item_knn", "popular", "features", "ranking", "explain"}
    assert set(answer["stages"]) == stages
    assert sum(answer["stages"][n] for n in ("recall", "ranking")) <= answer["latency_ms"]
    other = shared.recommend(30, k=3, off="cache")
    assert other["request_id"] != answer["request_id"]


def test_a_cached_answer_is_the_same_list(shared: Site):
    made = shared.recommend(40, k=5)
    again = shared.recommend(40, k=9)
    assert (made["source"], again["source"]) == ("computed", "memory")
    assert again["items"][:5] == made["items"]


@pytest.mark.parametrize(
    ("off", "level"),
    [
        ("", "full"),
        ("item_knn", "full"),
        ("features", "light"),
        ("ranking", "light"),
        ("ranking,ease", "light"),
        ("recall", "stored"),
        ("ease,item_knn,popular", "stored"),
        ("recall,stored", "segment"),
        ("recall,stored,segment", "popular"),
    ],
)
def test_a_part_that_is_off_costs_its_level(shared: Site, small, off, level):
    answer = shared.recommend(10, k=5, off=off)
    assert answer["level"] == level
    had = set(small.interactions.query("user_id == 10")["item_id"])
    assert len(answer["items"]) == 5
    assert not had & set(codes(answer["items"]))


def test_levels_below_say_what_they_are_counted_from(shared: Site, small):
    likes = small.interactions.query("rating >= 3.5").groupby("item_id").size()
    for item in shared.recommend(10, k=5, off="recall,stored,segment")["items"]:
        assert item["score"] == likes[int(item["item_id"])]


def test_variety_changes_the_order_not_the_scores(shared: Site):
    plain, varied = (shared.recommend(60, k=20, diversity=d)["items"] for d in (0, 0.7))
    assert codes(plain)[0] == codes(varied)[0]
    assert codes(plain) != codes(varied)
    scores = {item["item_id"]: item["score"] for item in plain}
    both = [item for item in varied if item["item_id"] in scores]
    assert len(both) > 5
    for item in both:
        assert item["score"] == scores[item["item_id"]]
        assert codes(plain).index(int(item["item_id"])) == item["ranked_place"] - 1


def test_a_reason_names_a_film_that_the_user_liked(shared: Site, small):
    liked = set(small.interactions.query("user_id == 10 and rating >= 3.5")["item_id"])
    rows = {row["channel"]: row for row in shared.get("/api/users/10/rows", k=5)}
    assert set(rows) == {"ease", "item_knn", "popular"}
    for item in rows["item_knn"]["items"]:
        assert int(item["reason"]["because"]) in liked
    for item in rows["popular"]["items"]:
        assert item["reason"]["because"] is None
        assert item["reason"]["text"].startswith(str(item["likes"]))


def test_who_a_user_is(shared: Site, small):
    who = shared.get("/api/users/10")
    mine = small.interactions.query("user_id == 10")
    assert who["items"] == len(mine)
    genres = {each["genre"]: each["items"] for each in who["genres"]}
    of_items = small.items.set_index("item_id").loc[mine["item_id"], "genres"].explode()
    assert genres == of_items.dropna().value_counts().to_dict()
    assert [int(each["item_id"]) for each in who["latest"][:3]] == mine["item_id"].tolist()[:-4:-1]
    shares = np.array(who["taste"]["shares"])
    assert shares.shape == (len(mine) // 3, len(who["taste"]["genres"]))
    assert (shares.sum(axis=1) <= 1 + 1e-3).all()


def test_a_stranger_gets_what_is_popular_and_then_a_list_of_their_own(site: Site):
    first = site.recommend("somebody new", k=6)
    assert first["level"] == first["best_level"] == "popular"
    site.rate("somebody new", first["items"][0]["item_id"], 5)
    then = site.recommend("somebody new", k=6)
    assert then["level"] == "light", (
        then
    )  # no features are stored of a stranger, so nothing is ranked
    assert first["items"][0]["item_id"] not in [item["item_id"] for item in then["items"]]
    other = site.recommend("another one", k=6)
    assert other["items"] == first["items"]


def test_what_is_rated_or_dismissed_is_gone_from_the_next_answer(site: Site):
    for _ in range(2):  # made, then from the cache
        before = site.recommend(10, k=8)
    assert before["source"] == "memory"
    rated, dismissed = codes(before["items"])[:2]
    site.rate(10, rated, 1)
    once = site.recommend(10, k=8)
    assert rated not in codes(once["items"])
    site.dismiss(10, dismissed)
    twice = site.recommend(10, k=8)
    assert not {rated, dismissed} & set(codes(twice["items"]))
    assert site.get("/api/users/10")["latest"][0]["item_id"] == str(rated)
    for off in ("recall", "recall,stored", "recall,stored,segment", "ranking"):
        assert not {rated, dismissed} & set(codes(site.recommend(10, k=20, off=off)["items"]))
    requests.delete(f"{site.url}/api/users/10/events", timeout=30).raise_for_status()
    assert codes(site.recommend(10, k=8)["items"]) == codes(before["items"])


def test_ratings_move_the_list_as_folding_them_in_does(site: Site, merged, small):
    new = codes(site.recommend(10, k=10, ranker="recall_order")["items"])[4]
    site.rate(10, new, 5)
    mine = small.interactions.query("user_id == 10")[["user_id", "item_id", "rating"]]
    told = mine.assign(timestamp=range(len(mine)))
    told.loc[-1] = (10, new, 5.0, 10**6)
    expected = merged.recommend(10, 10, histories=told.astype({"user_id": int, "item_id": int}))
    got = site.recommend(10, k=10, ranker="recall_order")["items"]
    assert codes(got) == expected["item_id"].tolist()
    assert codes(got) != codes(
        site.recommend(10, k=10, ranker="recall_order", off="cache")["items"][1:]
    )


def test_another_process_sees_an_event_at_once(site: Site, small, tmp_path, parts_with, users):
    folder = site.keeper.address.parent
    found = lambda store: (parts_with(store), users)  # noqa: E731
    with open_service(small, found, folder, site.keeper.address.read_text, PATIENT) as other:
        from recsys_lib.serving.service import Asked, Event

        assert other.is_ready.wait(30)
        asked = Asked(user="10", k=8)
        first = other.recommend(asked)["items"][0]["item_id"]
        assert other.recommend(asked)["source"] == "memory"
        site.rate(10, first)
        assert first not in [item["item_id"] for item in other.recommend(asked)["items"]]
        second = site.recommend(10, k=8)["items"][0]["item_id"]
        other.take(Event(user="10", kind="dismissal", item=second))
        assert second not in [item["item_id"] for item in site.recommend(10, k=8)["items"]]


def test_answers_of_one_process_come_from_redis_in_another(site: Site, small, parts_with, users):
    folder = site.keeper.address.parent
    found = lambda store: (parts_with(store), users)  # noqa: E731
    made = site.recommend(70, k=5)
    with open_service(small, found, folder, site.keeper.address.read_text, PATIENT) as other:
        from recsys_lib.serving.service import Asked

        answer = other.recommend(Asked(user="70", k=5))
    assert answer["source"] == "redis"
    assert answer["items"] == made["items"]


def test_events_outlive_the_service(small, tmp_path, parts_with, users):
    with site_of(small, tmp_path, parts_with, users=users) as running:
        first = codes(running.recommend(10)["items"])[0]
        running.rate(10, first)
    with site_of(small, tmp_path, parts_with, users=users) as again:
        assert first not in codes(again.recommend(10)["items"])
        assert again.get("/api/users/10")["new_events"] == 1


def test_films_and_films_like_them(shared: Site, merged):
    assert shared.get("/api/items/2")["title"] == "The Abyss"  # filed as "Abyss, The"
    found = {row["by"]: codes(row["items"]) for row in shared.get("/api/items/2/similar", k=5)}
    assert set(found) == {"ease", "item_knn"}  # popularity compares no items
    for name, items in found.items():
        expected = merged.channels[name].similar_items(2, 5)["similar_item_id"].tolist()
        assert items == expected
    assert codes(shared.get("/api/search", q="abyss")) == [2]
    assert codes(shared.get("/api/search", q="FILM 1"))[0] in (
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        17,
        18,
        19,
    )
    assert shared.get("/api/search", q="no such film") == []
    for path in ("/api/items/999", "/api/items/x/similar", "/api/users/10/nonsense"):
        shared.get(path, 404)


def test_ids_that_are_text_and_items_without_titles(shop, tmp_path):
    merged = Merged({"ease": Ease(), "popular": Popular()}, fusion="rank").fit(shop.interactions)
    with site_of(shop, tmp_path, lambda store: Parts.of(merged, version="1", origin="")) as running:
        users = running.get("/api/users", q="Käthe 2")
        assert users[0]["user_id"].startswith("Käthe 2")
        user = requests.utils.quote("Käthe 21/0", safe="")
        assert running.get(f"/api/users/{user}", 404)  # a slash ends a part of an address
        user = "sombody"
        answer = running.recommend(user)
        assert answer["items"][0]["title"] == f"Item {answer['items'][0]['item_id']}"
        assert answer["items"][0]["item_id"].startswith("sku-")


def test_the_log_of_impressions_holds_what_was_shown(small, tmp_path, parts_with, users):
    with site_of(small, tmp_path, parts_with, users=users) as running:
        answers = [running.recommend(user, k=4) for user in (10, 20, 10, "new")]
    frame = read_impressions(tmp_path / "impressions")
    assert len(frame) == 16
    for answer in answers:
        rows = frame[frame["request_id"] == answer["request_id"]]
        assert rows["item_id"].tolist() == [item["item_id"] for item in answer["items"]]
        assert rows["position"].tolist() == [1, 2, 3, 4]
        assert set(rows["level"]) == {answer["level"]}
        assert set(rows["source"]) == {answer["source"]}
        assert set(rows["model_version"]) == {"m1"}
        assert rows["propensity"].eq(1).all()
    with open(next((tmp_path / "impressions").glob("*.jsonl")), "a") as file:
        file.write('{"request_id": "torn')
    assert len(read_impressions(tmp_path / "impressions")) == 16


def test_the_figures_for_prometheus_count_what_happened(site: Site):
    for user in (10, 10, 20):
        site.recommend(user)
    site.rate(10, codes(site.recommend(10)["items"])[0])
    text = requests.get(f"{site.url}/metrics", timeout=30).text
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["recsys_answers_total", "computed", "full"] == 2
    assert found["recsys_answers_total", "full", "memory"] == 2
    assert found["recsys_events_total", "rating"] == 1
    route = "/api/users/{user_id}/recommendations"
    assert found[("recsys_requests_total", *sorted([route, "200", "GET"]))] == 4
    assert found["recsys_cache_hit_ratio",] == 0.5
    assert found["recsys_breaker_state", "full"] == 0


def test_the_api_is_described_and_its_page_needs_no_other_server(shared: Site):
    api = shared.get("/openapi.json")
    assert "/api/users/{user_id}/recommendations" in api["paths"]
    for verbs in api["paths"].values():
        for operation in verbs.values():
            assert operation["description"]
    for name in ("docs.html", "docs.js", "index.html", "app.js", "style.css"):
        text = requests.get(f"{shared.url}/page/{name}", timeout=30).text
        assert "https://" not in text
        assert "http://" not in text.replace("http://www.w3.org/", "")
    assert json.dumps(api)
