"""Two levels of cache: what holds, what is void, and who computes under a stampede."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from recsys_lib.errors import RecsysError
from recsys_lib.serving.caching import Entry, RedisLevel, TwoLevelCache
from recsys_lib.serving.degradation import CircuitBreaker
from recsys_lib.stores import RedisServer, StoreUnavailable


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Maker:
    """Makes answers and counts them."""

    def __init__(self, clock=None, cost_s=0.0):
        self.made = 0
        self.clock = clock
        self.cost_s = cost_s

    def __call__(self):
        self.made += 1
        if self.clock:
            self.clock.now += self.cost_s
        return [self.made]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    return TwoLevelCache(ttl_s=60, jitter=0.0, clock=clock)


@pytest.fixture
def two_processes(redis_server, client):
    """Two caches over one Redis, as two processes of the service have them."""

    def level():
        return RedisLevel(client, prefix="test")

    return [TwoLevelCache(shared=level(), lease_s=5.0, seed=seed) for seed in (1, 2)]


class TestOneProcess:
    def test_an_answer_is_made_once_until_it_is_old(self, cache, clock):
        make = Maker()
        assert cache.get(7, "v1", make).source == "computed"
        clock.now += 59
        found = cache.get(7, "v1", make)
        assert (found.value, found.source) == ([1], "memory")
        clock.now += 1
        assert cache.get(7, "v1", make).value == [2]
        assert cache.hit_rate == pytest.approx(1 / 3)

    def test_users_and_versions_are_apart(self, cache):
        make = Maker()
        assert cache.get(7, "v1", make).value == [1]
        assert cache.get(8, "v1", make).value == [2]
        assert cache.get(7, "v2", make).value == [3]

    def test_an_event_voids_the_answer(self, cache):
        make = Maker()
        cache.get(7, "v1", make)
        cache.get(8, "v1", make)
        cache.forget(7)
        assert cache.get(7, "v1", make).source == "computed"
        assert cache.get(8, "v1", make).source == "memory"

    def test_an_event_during_the_computation_voids_its_result(self, cache):
        def overtaken():
            cache.forget(7)
            return "from before the event"

        cache.get(7, "v1", overtaken)
        assert cache.get(7, "v1", lambda: "new").value == "new"

    def test_nothing_is_an_answer_of_a_short_life(self, clock):
        cache = TwoLevelCache(ttl_s=60, negative_ttl_s=5, jitter=0.0, clock=clock)
        assert cache.get(7, "v1", lambda: None).source == "computed"
        clock.now += 4.9
        found = cache.get(7, "v1", Maker())
        assert (found.value, found.source) == (None, "memory")
        clock.now += 0.1
        assert cache.get(7, "v1", Maker()).source == "computed"

    def test_an_error_is_not_kept(self, cache):
        with pytest.raises(ZeroDivisionError):
            cache.get(7, "v1", lambda: 1 / 0)
        assert cache.get(7, "v1", Maker()).value == [1]

    def test_the_least_recently_used_makes_room(self, clock):
        cache = TwoLevelCache(size=2, clock=clock)
        make = Maker()
        for user in (1, 2, 1, 3):
            cache.get(user, "v1", make)
        assert [cache.get(user, "v1", make).source for user in (1, 3, 2)] == [
            "memory", "memory", "computed",
        ]  # fmt: skip

    def test_lives_differ_by_the_jitter(self, clock):
        cache = TwoLevelCache(size=2_000, ttl_s=60, jitter=0.1, beta=0.0, clock=clock)
        for user in range(2_000):
            cache.get(user, "v1", lambda: "list")
        lives = np.array([cache.memory.read(user).expires_s for user in range(2_000)]) - clock.now
        assert 54 <= lives.min() < 54.1
        assert 65.9 < lives.max() <= 66
        assert lives.mean() == pytest.approx(60, abs=0.3)

    def test_a_stampede_computes_once(self):
        cache = TwoLevelCache()
        asked = threading.Barrier(20)
        release = threading.Event()
        made = []

        def make():
            made.append(1)
            assert release.wait(10)
            return "list"

        def ask(_):
            asked.wait(10)
            return cache.get(7, "v1", make)

        with ThreadPoolExecutor(20) as pool:
            answers = [pool.submit(ask, number) for number in range(20)]
            threading.Timer(0.2, release.set).start()
            found = [answer.result(10) for answer in answers]
        assert len(made) == 1
        assert {answer.value for answer in found} == {"list"}
        assert sum(answer.source == "computed" for answer in found) == 1

    def test_an_error_reaches_all_who_wait(self):
        cache = TwoLevelCache()
        started, release = threading.Event(), threading.Event()

        def make():
            started.set()
            assert release.wait(10)
            raise ValueError("broken")

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(cache.get, 7, "v1", make)
            assert started.wait(10)
            second = pool.submit(cache.get, 7, "v1", lambda: "never")
            threading.Timer(0.2, release.set).start()
            for answer in (first, second):
                with pytest.raises(ValueError, match="broken"):
                    answer.result(10)


class TestEarlyRecomputation:
    @pytest.mark.parametrize("beta", [1.0, 2.0])
    def test_recomputations_by_expiry_follow_the_law(self, beta):
        """With many requests in one recomputation, e ** (1 / beta) of them recompute."""
        rng = np.random.default_rng(0)
        cost_s, rate, expires_s = 1.0, 100.0, 30.0
        entry = Entry("v1", "", "list", cost_s, expires_s)
        counts = []
        for _ in range(2_500):
            times = np.sort(rng.uniform(0, expires_s + cost_s, int(rate * (expires_s + cost_s))))
            uniform = 1 - rng.random(len(times))
            # Leaves out requests that are certain not to be due, for speed.
            near = uniform < np.exp(-(expires_s - times) / (2 * beta * cost_s))
            times, uniform = times[near], uniform[near]
            due = np.array([entry.due(*at) for at in zip(times, [beta] * len(times), uniform)])  # noqa: B905
            first = times[due.argmax()]
            counts.append(np.sum(due & (times < first + cost_s)))
        assert np.mean(counts) == pytest.approx(np.exp(1 / beta), rel=0.05)

    def test_without_it_all_requests_of_a_recomputation_recompute(self):
        entry = Entry("v1", "", "list", 1.0, 30.0)
        assert not entry.due(29.999, 0.0, 1e-300)
        assert entry.due(30.0, 0.0, 1.0)

    def test_one_request_pays_before_the_end(self, clock):
        cache = TwoLevelCache(ttl_s=60, jitter=0.0, clock=clock)
        make = Maker(clock, cost_s=1.0)
        cache.get(7, "v1", make)
        sources = []
        for _ in range(6_000):  # a minute, a hundred requests a second
            clock.now += 0.01
            sources.append(cache.get(7, "v1", make).source)
        assert make.made == 2
        place = sources.index("computed")
        assert 5_000 < place < 5_999


class TestTwoProcesses:
    def test_what_one_made_the_other_finds(self, two_processes):
        one, two = two_processes
        make = Maker()
        assert one.get(7, "v1", make).source == "computed"
        found = two.get(7, "v1", make)
        assert (found.value, found.source) == ([1], "redis")
        assert two.get(7, "v1", make).source == "memory"

    def test_an_event_at_one_is_seen_by_the_next_answer_of_the_other(self, two_processes):
        one, two = two_processes
        make = Maker()
        one.get(7, "v1", make)
        two.get(7, "v1", make)
        one.forget(7)
        assert two.get(7, "v1", make).value == [2]
        assert one.get(7, "v1", make).value == [2]

    def test_a_late_answer_from_before_an_event_is_void_everywhere(self, two_processes):
        one, two = two_processes

        def overtaken():
            two.forget(7)
            return "from before the event"

        one.get(7, "v1", overtaken)
        assert one.get(7, "v1", lambda: "new").value == "new"
        assert two.get(7, "v1", lambda: "newer").value == "new"

    def test_a_stampede_on_both_computes_once(self, two_processes):
        started, release = threading.Event(), threading.Event()
        made = []

        def make():
            made.append(1)
            started.set()
            assert release.wait(10)
            return "list"

        with ThreadPoolExecutor(8) as pool:
            first = pool.submit(two_processes[0].get, 7, "v1", make)
            assert started.wait(10)
            rest = [pool.submit(two_processes[n % 2].get, 7, "v1", make) for n in range(6)]
            threading.Timer(0.2, release.set).start()
            assert first.result(10).source == "computed"
            assert {answer.result(10).source for answer in rest} <= {"waited", "redis", "memory"}
        assert len(made) == 1

    def test_a_holder_that_died_is_not_waited_for_long(self, two_processes):
        one, two = two_processes
        two.lease_s = 0.05
        generation = one.shared.generation(7)
        assert one.shared.lease(7, "v1", generation, 10.0)
        assert two.get(7, "v1", Maker()).source == "computed"

    def test_an_answer_that_is_none_is_kept_as_such(self, two_processes):
        one, two = two_processes
        one.get(7, "v1", lambda: None)
        found = two.get(7, "v1", Maker())
        assert (found.value, found.source) == (None, "redis")

    def test_values_pass_through_their_encoding(self, client):
        level = RedisLevel(client, prefix="coded", encode=list, decode=tuple)
        TwoLevelCache(shared=level).get(7, "v1", lambda: (1, 2))
        assert TwoLevelCache(shared=level).get(7, "v1", Maker()).value == (1, 2)

    def test_redis_forgets_answers_in_time_and_events_later(self, client):
        level = RedisLevel(client, prefix="timed", longest_ttl_s=100)
        cache = TwoLevelCache(shared=level, ttl_s=60, jitter=0.0)
        cache.forget(7)
        cache.get(7, "v1", Maker())
        assert 59_000 < client.pttl("timed:v1:7") <= 60_000
        assert client.pttl("timed:generation:7") > 190_000
        assert client.exists(*client.keys("timed:lease*") or ["none"]) == 0

    def test_answers_may_not_outlive_the_memory_of_events(self, client):
        with pytest.raises(RecsysError, match="longer than the 10 s"):
            TwoLevelCache(shared=RedisLevel(client, longest_ttl_s=10), ttl_s=60)


class TestRedisFails:
    @pytest.fixture
    def server(self):
        with RedisServer() as server:
            yield server

    @staticmethod
    def over(server, clock=None):
        breaker = CircuitBreaker(window=10, min_calls=2, open_s=1, trials=1, clock=clock or Clock())
        return TwoLevelCache(shared=RedisLevel(server.client(), breaker=breaker))

    def test_each_process_goes_on_by_itself(self, server):
        cache = self.over(server)
        make = Maker()
        cache.get(7, "v1", make)
        server.stop()
        assert cache.get(7, "v1", make).source == "memory"
        assert cache.get(8, "v1", make).source == "computed"
        cache.forget(7)
        assert cache.get(7, "v1", make).source == "computed"

    def test_a_redis_that_fails_is_left_alone(self, server):
        cache = self.over(server)
        server.stop()
        for user in range(3):
            cache.get(user, "v1", Maker())
        with pytest.raises(StoreUnavailable, match="left alone"):
            cache.shared.generation(7)

    def test_an_event_that_redis_missed_is_sent_when_it_is_back(self, server, clock):
        one, two = self.over(server, clock), self.over(server, clock)
        make = Maker()
        one.get(7, "v1", make)
        two.get(7, "v1", make)
        client = one.shared.client
        one.shared.client = redis.Redis(
            unix_socket_path="/tmp/no-such-redis.sock", retry=Retry(NoBackoff(), 0)
        )
        one.forget(7)
        one.shared.client = client
        clock.now += 1
        assert one.get(7, "v1", make).value == [2]
        assert two.get(7, "v1", make).value == [2]

    def test_a_restart_without_its_data_brings_nothing_old_back(self, server):
        """An event, then a Redis that knows of none: no process may show an older answer."""
        one, two = self.over(server), self.over(server)
        make = Maker()
        two.get(7, "v1", make)
        one.forget(7)
        one.shared.client.flushall()
        assert two.get(7, "v1", make).value == [2]
