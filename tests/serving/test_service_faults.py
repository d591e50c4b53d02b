"""What breaks for real: Redis, a ranker, a channel, the queue, the clock, and what is sent."""

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from service_site import PATIENT, Site, codes, eventually, site_of

from recsys_lib.errors import RecsysError
from recsys_lib.rankers import Ranker
from recsys_lib.recall import Merged, Popular
from recsys_lib.seeding import generator
from recsys_lib.serving.degradation import AdaptiveLimit
from recsys_lib.serving.service import Event, Journal, Parts, Settings

DOCUMENTED = {200, 201, 400, 401, 403, 404, 405, 411, 413, 414, 415, 421, 422, 503}
# Long enough for a busy machine, short enough for a test.
HASTY = Settings(deadline_s=8, recall_budget_s=4, ranking_budget_s=0.5, breaker_open_s=1.0)


class Trained(Ranker):
    """A ranker that can be told to hang or to fail."""

    gives_probabilities = False

    def __init__(self):
        self.seconds = 0.0
        self.fails = False
        self.calls = 0

    def score(self, candidates):
        self.calls += 1
        time.sleep(self.seconds)
        if self.fails:
            raise ValueError("a broken model")
        return -np.arange(len(candidates), dtype=float)


class Broken(Popular):
    """A channel that fails where it is told to."""

    name = "broken"
    fails = False

    def lists(self, users, k=10, histories=None, exclude=None):
        if self.fails:
            raise OSError("the file is gone")
        return super().lists(users, k, histories, exclude)


def level_of(site: Site, user=10):
    return lambda: site.recommend(user, off="cache")["level"]


def test_redis_dies_and_comes_back(site: Site):
    assert site.recommend(10)["level"] == "full"
    site.recommend(20)
    site.keeper.server.process_.kill()
    answers = [site.recommend(user, k=5) for user in (10, 20, 30, 40, 50) for _ in range(3)]
    assert {answer["level"] for answer in answers} <= {"full", "light"}
    assert all(len(answer["items"]) == 5 for answer in answers)
    # Another server is started, and filled; nobody does anything for it.
    eventually(level_of(site, 60), "full")
    assert site.get("/api/status")["redis"] is True


def test_without_redis_the_level_is_light_and_events_are_kept(site: Site):
    site.keeper.watch.stop()  # nobody starts it again
    before = site.recommend(10, k=5)
    site.keeper.server.process_.kill()
    site.keeper.server.process_.wait()
    assert site.recommend(10, off="cache")["level"] == "light"
    cached = site.recommend(10, k=5)  # from this process's own memory
    assert (cached["source"], cached["items"]) == ("memory", before["items"])
    site.rate(10, cached["items"][0]["item_id"])
    after = site.recommend(10, k=5)
    assert after["items"][0]["item_id"] != cached["items"][0]["item_id"]
    assert cached["items"][0]["item_id"] not in [item["item_id"] for item in after["items"]]


def test_a_ranker_that_hangs_costs_its_level_until_it_is_well(small, tmp_path, parts_with):
    ranker = Trained()
    make = lambda store: parts_with(store, ranker)  # noqa: E731
    with site_of(small, tmp_path, make, settings=HASTY) as site:
        assert site.recommend(10, off="cache")["level"] == "full"
        ranker.seconds = 3.0
        began = time.monotonic()
        answer = site.recommend(10, off="cache")
        assert answer["level"] == "light"
        assert time.monotonic() - began < 3  # it did not wait for the ranker
        assert "TooSlow" in answer["lost"]["full"]
        eventually(lambda: site.get("/api/status")["breakers"]["full"], "closed", 0.1)
        for _ in range(12):
            site.recommend(10, off="cache")
        assert site.get("/api/status")["breakers"]["full"] != "closed"
        began, calls = time.monotonic(), ranker.calls
        assert site.recommend(10, off="cache")["level"] == "light"
        ranker.seconds = 0.0
        eventually(level_of(site), "full")
        eventually(
            lambda: (level_of(site)(), site.get("/api/status")["breakers"]["full"])[1], "closed"
        )
        assert ranker.calls > calls


def test_a_broken_model_is_not_an_error_for_the_user(small, tmp_path, parts_with):
    ranker = Trained()
    ranker.fails = True
    make = lambda store: parts_with(store, ranker)  # noqa: E731
    with site_of(small, tmp_path, make) as site:
        for _ in range(30):
            answer = site.recommend(10)
            assert (answer["level"], answer["source"]) == ("light", "computed")  # never cached
        assert ranker.calls < 30  # the breaker spares the others the attempt
        ranker.fails = False
        eventually(level_of(site), "full")
        site.recommend(10)
        assert site.recommend(10)["source"] == "memory"


def test_a_channel_that_fails_is_left_out_and_named(small, tmp_path):
    broken = Broken()
    merged = Merged({"popular": Popular(), "broken": broken}, fusion="rank")
    merged.fit(small.interactions)
    with site_of(small, tmp_path, lambda store: Parts.of(merged, version="1", origin="")) as site:
        broken.fails = True
        answer = site.recommend(10)
        assert answer["level"] == "full"
        assert answer["lost"] == {"broken": "OSError: the file is gone"}
        assert {p["channel"] for item in answer["items"] for p in item["points"]} == {"popular"}
        broken.fails = False
        answer = site.recommend(10)
        assert (answer["source"], answer["lost"]) == ("computed", {})


def test_all_channels_fail(small, tmp_path):
    broken = Broken()
    merged = Merged({"broken": broken}, fusion="rank").fit(small.interactions)
    with site_of(small, tmp_path, lambda store: Parts.of(merged, version="1", origin="")) as site:
        broken.fails = True
        assert site.recommend(10)["level"] == "stored"
        assert site.recommend("nobody")["level"] == "popular"


def test_a_full_queue_is_refused_with_a_moment_to_come_back(small, tmp_path, parts_with):
    ranker = Trained()
    limit = AdaptiveLimit(initial=2, lowest=2, highest=2)
    make = lambda store: parts_with(store, ranker)  # noqa: E731
    with site_of(small, tmp_path, make, limit=limit) as site:
        ranker.seconds = 1.5
        url = f"{site.url}/api/users/10/recommendations?off=cache"
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: requests.get(url, timeout=30), range(6)))
        by_status = sorted(answer.status_code for answer in answers)
        assert by_status.count(200) >= 2
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(refused) >= 2
        assert len(refused) + by_status.count(200) == 6
        assert all(answer.headers["retry-after"] == "1" for answer in refused)
        assert requests.get(f"{site.url}/health", timeout=30).ok
        ranker.seconds = 0
        assert site.recommend(10, off="cache")["level"] == "full"
        assert site.get("/api/status")["shed"] == len(refused)


def test_a_long_queue_costs_the_level_and_not_the_answer(small, tmp_path, parts_with):
    ranker = Trained()
    settings = Settings(deadline_s=30, recall_budget_s=10, ranking_budget_s=10, full_queue=1)
    make = lambda store: parts_with(store, ranker)  # noqa: E731
    with site_of(small, tmp_path, make, settings=settings) as site:
        ranker.seconds = 1.5
        with ThreadPoolExecutor(4) as pool:
            first = pool.submit(site.recommend, 10, off="cache")
            time.sleep(0.5)
            others = list(pool.map(lambda user: site.recommend(user, off="cache"), (20, 30, 40)))
        assert first.result()["level"] == "full"
        assert {answer["level"] for answer in others} == {"light"}


def test_clients_that_hang_up_leave_nothing_behind(site: Site):
    address = urlsplit(site.url)
    for _ in range(20):
        with socket.create_connection((address.hostname, address.port)) as half:
            half.sendall(
                b"GET /api/users/10/recommendations?off=cache HTTP/1.1\r\nHost: localhost\r\n"
            )
            half.sendall(b"\r\n" if _ % 2 else b"")
    eventually(lambda: site.get("/api/status")["active"], 0)
    # Some may not have been read yet when the first ones are done.
    eventually(lambda: site.recommend(10)["level"], "full")


def test_a_clock_that_jumps_loses_no_event(tmp_path, site: Site):
    times = iter([2e9, 1e9, 5.0, 3e9])
    site.service.journal.clock = lambda: next(times)
    shown = codes(site.recommend(10, k=4)["items"])
    for item in shown:
        site.rate(10, item)
    assert not set(shown) & set(codes(site.recommend(10, k=10)["items"]))
    latest = [int(item["item_id"]) for item in site.get("/api/users/10")["latest"][:4]]
    assert latest == shown[::-1]  # the order in which they came, whatever the clock said


def test_a_line_that_a_crash_tore_costs_only_itself(tmp_path):
    path = tmp_path / "events.jsonl"
    journal = Journal(path)
    journal.append(Event(user="a", kind="rating", item="1", rating=3))
    with open(path, "a") as file:
        file.write('{"user": "a", "kind": "ra')
    again = Journal(path)
    again.append(Event(user="a", kind="dismissal", item="2"))
    assert [event.item for event in again.of_user("a")] == ["1", "2"]
    assert [event.item for event in journal.of_user("a")] == ["1", "2"]
    assert len(path.read_text().splitlines()) == 3


def test_an_event_that_the_disk_does_not_take_is_not_taken(site: Site, monkeypatch):
    first = codes(site.recommend(10)["items"])[0]
    full = open("/dev/full", "wb")  # noqa: SIM115 (a disk without room)
    kept, site.service.journal._file = site.service.journal._file, full.fileno()
    monkeypatch.setattr(site.service.journal, "refresh", lambda: None)
    site.rate(10, first, status=503)
    site.service.journal._file = kept
    monkeypatch.undo()
    full.close()
    assert codes(site.recommend(10)["items"])[0] == first
    site.rate(10, first)
    assert first not in codes(site.recommend(10)["items"])


def test_events_of_many_writers_are_all_kept(tmp_path):
    journals = [Journal(tmp_path / "events.jsonl") for _ in range(3)]

    def write(number):
        for i in range(40):
            event = Event(user=f"u{i % 4}", kind="rating", item=f"{number}-{i}", rating=4)
            journals[number].append(event)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    expected = sorted(f"{number}-{i}" for number in range(3) for i in range(0, 40, 4))
    for journal in journals:
        assert sorted(event.item for event in journal.of_user("u0")) == expected
        assert journal.count("u0") == 30


HOSTILE_TEXT = [
    *("", " ", "..", "../../etc/passwd", "%00", "%0a", "%ff%fe", "%ed%a0%80", "\x7f", "+", "k="),
    *("<script>", "NaN", "-1", "1e309", "9" * 400, "0x10", "१२", "\u202e", "a" * 129, "true"),
    *("null", "{}", "[]", "10 ", "%2e%2e%2f", "10%2f20", "10;20", "10?x", "&k=2", "=", "%", "%zz"),
    *("日本", "'; DROP TABLE"),
]
HOSTILE_BODIES = [
    *(b"", b"{", b"[]", b"null", b"1", b'"x"', b"{}", b"\xff\xfe", b"\xef\xbb\xbf{}"),
    *(b"[" * 4000, b'{"a":' * 700, b"9" * 4000, b" " * 4000, b"x" * 5000),
    *(b'{"item_id": 1}', b'{"item_id": "1"}', b'{"item_id": ["1"], "rating": 3}'),
    *(b'{"item_id": "1", "rating": %s}' % bad for bad in (b"NaN", b"1e999", b'"5"', b"6", b"-0.0")),
    *(b'{"item_id": "%s", "rating": 3}' % bad for bad in (b"\\ud800", b"\\u0000", b"\xff")),
    b'{"item_id": "1", "rating": 3, "user": "20", "kind": "reset"}',
    b'{"item_id": "1", "item_id": "2", "rating": 3}',
    b'{"item_id": "' + b"x" * 3000 + b'", "rating": 3}',
]


def test_malformed_requests_get_documented_statuses(site: Site):
    rng = generator(5, "hostile requests")
    of_users = ["", "/recommendations", "/rows", "/ratings", "/dismissals", "/events"]
    paths = [f"/api/users/{{}}{end}" for end in of_users]
    paths += ["/api/items/{}", "/api/items/{}/similar", "/api/search", "/api/users", "/page/{}"]
    paths += ["/{}", "/docs", "/openapi.json", "/metrics"]
    queries = ["k", "q", "ranker", "diversity", "off", "token", "nonsense"]
    verbs = ["GET", "GET", "GET", "POST", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "BREW"]
    types = ["application/json", "application/json", "text/plain", "multipart/form-data", None]
    address, seen = urlsplit(site.url), {}
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    for number in range(1_500):
        pick = lambda options: options[rng.integers(len(options))]  # noqa: E731
        path = pick(paths).format(pick(HOSTILE_TEXT))
        pairs = [f"{pick(queries)}={pick(HOSTILE_TEXT)}" for _ in range(rng.integers(3))]
        target = "".join(
            c if " " < c < "\x7f" else "".join(f"%{b:02x}" for b in c.encode())
            for c in path + ("?" + "&".join(pairs) if pairs else "")
        )
        verb, body, kind = pick(verbs), pick(HOSTILE_BODIES), pick(types)
        headers = {"Content-Type": kind} if kind else {}
        connection.request(verb, target, body if verb in ("POST", "PUT") else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        seen.setdefault(answer.status, (verb, target, body, text))
        assert answer.status in DOCUMENTED, (number, verb, target, body, answer.status, text)
        if answer.status >= 400 and verb != "HEAD":
            assert set(json.loads(text)) == {"error"}
    assert {200, 400, 404, 405, 413, 415, 422} <= set(seen)
    assert site.recommend(10)["level"] == "full"


@pytest.mark.slow
def test_requests_made_from_the_own_description(site: Site, tmp_path):
    """An independent program reads the OpenAPI page and asks what it allows, and what it does not.

    It checks that no answer is a 5xx, and that status, headers and body are as documented. What is
    left out is its list of statuses for what breaks a rule, which lacks 414, a too long address.
    """
    command = ["run", f"{site.url}/openapi.json", "--checks", "all", "--seed", "7"]
    command += ["--exclude-checks", "negative_data_rejection", "--phases", "coverage,fuzzing"]
    command += ["--max-examples", "20", "--continue-on-failure", "--no-color"]
    line = [sys.executable, "-m", "schemathesis.cli", *command]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:]
    n_cases = int(re.search(r"([0-9]+) generated, \1 passed", done.stdout)[1])
    assert n_cases > 300
    assert site.recommend(10)["level"] == "full"


def test_requests_that_are_not_even_http(site: Site):
    address = urlsplit(site.url)
    rng = generator(5, "no HTTP")
    noises = [
        rng.bytes(200),
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 3_000,
        b"\x16\x03\x01\x02",
        b"\r\n" * 50,
    ]
    for noise in noises:
        with socket.create_connection((address.hostname, address.port), timeout=30) as raw:
            raw.sendall(noise + b"\r\n\r\n")
            answer = raw.recv(4_096)
            assert not answer.startswith(b"HTTP/1.1 5"), answer
    assert site.recommend(10)["level"] == "full"


def test_settings_that_cannot_be_kept_are_refused():
    with pytest.raises(RecsysError, match=r"deadline of 0\.1 s leaves no time"):
        Settings(deadline_s=0.1)
    assert PATIENT.deadline_s > PATIENT.recall_budget_s
