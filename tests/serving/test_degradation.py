"""Each part of degradation with a clock of our own: it steps down in time and comes back."""

import random
from heapq import heappop, heappush

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.serving.degradation import (
    AdaptiveLimit,
    AdaptiveThrottle,
    CircuitBreaker,
    Ladder,
    Overloaded,
    RetryBudget,
    Rung,
    backoff_s,
    call_with_retries,
)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(window=10, min_calls=4, open_s=5, trials=3, clock=clock)


def record(breaker, outcomes):
    for ok in outcomes:
        assert breaker.allows()
        breaker.record(ok)


class TestCircuitBreaker:
    def test_opens_at_the_rate_and_not_before_enough_calls(self, breaker):
        record(breaker, [False, False, True])
        assert breaker.state == "closed"
        record(breaker, [True])  # 2 of 4 failed
        assert breaker.state == "open"
        assert not breaker.allows()

    def test_every_second_failure_is_noticed(self, breaker):
        """A count of failures in a row never reaches 2 here."""
        record(breaker, [True, False] * 2)
        assert breaker.state == "open"

    def test_old_calls_leave_the_window(self, breaker):
        record(breaker, [True, True, True, False, False] + [True] * 8)
        record(breaker, [False] * 4)  # 4 of the last 10
        assert breaker.state == "closed"
        record(breaker, [False])
        assert breaker.state == "open"

    @pytest.mark.parametrize(
        ("outcomes", "state"),
        [([True, True, False], "closed"), ([True, False, False], "open")],
    )
    def test_trial_calls_decide(self, breaker, clock, outcomes, state):
        record(breaker, [False] * 4)
        clock.now = 4.9
        assert not breaker.allows()
        clock.now = 5.0
        assert [breaker.allows() for _ in range(5)] == [True] * 3 + [False] * 2
        assert breaker.state == "half_open"
        for ok in outcomes:
            breaker.record(ok)
        assert breaker.state == state
        assert breaker.allows() == (state == "closed")

    def test_a_trial_that_never_ends_does_not_lock_it(self, breaker, clock):
        record(breaker, [False] * 4)
        clock.now = 5.0
        assert all(breaker.allows() for _ in range(3))  # and nothing is recorded
        assert not breaker.allows()
        clock.now = 10.0
        assert breaker.allows()

    def test_calls_from_before_it_opened_do_not_count(self, breaker, clock):
        """Those that end late must not keep it open."""
        assert all(breaker.allows() for _ in range(12))
        for _ in range(4):
            breaker.record(False)
        clock.now = 4.0
        for _ in range(8):
            breaker.record(False)
        clock.now = 5.0
        record(breaker, [True] * 3)
        assert breaker.state == "closed"


RUNGS = [
    Rung(name="full", budget_s=0.05, max_queue=10),
    Rung(name="light", budget_s=0.02, max_queue=50),
    Rung(name="popular", budget_s=0.001, max_queue=200),
]


@pytest.fixture
def ladder(clock):
    def breaker():
        return CircuitBreaker(window=10, min_calls=4, open_s=5, trials=3, clock=clock)

    return Ladder(RUNGS, breaker=breaker, clock=clock)


def failing():
    raise ConnectionError("gone")


class TestLadder:
    @pytest.mark.parametrize(
        ("queue", "level"),
        [(0, "full"), (10, "full"), (11, "light"), (51, "popular"), (200, "popular")],
    )
    def test_the_queue_decides(self, ladder, queue, level):
        assert ladder.choose(queue_length=queue).name == level

    def test_a_request_too_many_is_shed(self, ladder):
        assert ladder.choose(queue_length=201) is None
        with pytest.raises(Overloaded, match="201 requests wait"):
            ladder.answer({}, queue_length=201)

    @pytest.mark.parametrize(
        ("remaining_s", "level"), [(1.0, "full"), (0.03, "light"), (0.01, "popular")]
    )
    def test_the_deadline_decides(self, ladder, remaining_s, level):
        assert ladder.choose(remaining_s).name == level

    def test_the_last_level_answers_however_late_it_is(self, ladder):
        assert ladder.choose(-1.0).name == "popular"

    def test_a_level_that_raises_falls_through(self, ladder):
        makers = {"full": failing, "light": lambda: [1, 2], "popular": lambda: [3]}
        answered = ladder.answer(makers)
        assert (answered.level, answered.value) == ("light", [1, 2])
        assert isinstance(answered.errors["full"], ConnectionError)

    def test_time_lost_above_counts_below(self, ladder, clock):
        def slow():
            clock.now += 0.09
            raise TimeoutError

        makers = {"full": slow, "light": lambda: "light", "popular": lambda: "popular"}
        assert ladder.answer(makers, remaining_s=0.1).level == "popular"

    def test_a_slow_level_is_left_out_and_comes_back(self, ladder, clock):
        duration = 0.2

        def full():
            clock.now += duration
            return "full"

        makers = {"full": full, "light": lambda: "light", "popular": lambda: "popular"}
        assert [ladder.answer(makers).level for _ in range(6)] == ["full"] * 4 + ["light"] * 2
        duration = 0.01
        clock.now += 5
        assert [ladder.answer(makers).level for _ in range(6)] == ["full"] * 6
        assert ladder.breakers["full"].state == "closed"

    def test_each_dependency_killed_in_turn_is_answered_below(self, ladder):
        names = [rung.name for rung in RUNGS]
        for broken, expected in (("full", "light"), ("light", "full")):
            makers = {n: failing if n == broken else (lambda n=n: n) for n in names}
            levels = {ladder.answer(makers).level for _ in range(20)}
            assert levels == {expected}
            ladder.breakers[broken]._enter("closed")

    def test_all_broken(self, ladder):
        with pytest.raises(Overloaded, match="light: ConnectionError"):
            ladder.answer(dict.fromkeys(("full", "light", "popular"), failing))

    def test_names_must_differ(self):
        with pytest.raises(RecsysError, match="different names"):
            Ladder([RUNGS[0], RUNGS[0]])


class TestAdaptiveLimit:
    def run(self, limit, clock, latency_s, rounds, active=200):
        """Rounds of as many requests as are admitted, all of one latency."""
        for _ in range(rounds):
            admitted = [at for _ in range(active) if (at := limit.admit()) is not None]
            clock.now += latency_s
            for at in admitted:
                limit.end(at)

    def test_admits_up_to_the_limit(self, clock):
        limit = AdaptiveLimit(initial=3, lowest=1, clock=clock)
        first = [limit.admit() for _ in range(4)]
        assert first == [0.0, 0.0, 0.0, None]
        limit.end(first[0])
        assert limit.admit() == 0.0

    def test_one_step_by_hand(self, clock):
        limit = AdaptiveLimit(initial=10, lowest=1, window_s=0, clock=clock)
        self.run(limit, clock, 0.1, rounds=1)
        # Latency as ever: 0.8 * 10 + 0.2 * (10 + 4).
        assert limit.limit == pytest.approx(10.8)
        self.run(limit, clock, 1.0, rounds=1)
        # Long mean (0.1 + 1) / 2; gradient 1.5 * 0.55 / 1 = 0.825.
        assert limit.limit == pytest.approx(0.8 * 10.8 + 0.2 * (0.825 * 10.8 + 4))

    def test_latency_brings_it_down_and_its_end_up_again(self, clock):
        limit = AdaptiveLimit(initial=20, lowest=4, window_s=0, clock=clock)
        self.run(limit, clock, 0.01, rounds=20)
        calm = limit.limit
        self.run(limit, clock, 0.5, rounds=10)
        crowded = limit.limit
        self.run(limit, clock, 0.01, rounds=50)
        assert calm > 50 > crowded
        assert limit.limit > 50

    def test_a_quiet_service_teaches_nothing(self, clock):
        limit = AdaptiveLimit(initial=100, window=5, window_s=0, clock=clock)
        self.run(limit, clock, 0.01, rounds=20, active=5)
        assert limit.limit == 100

    def test_an_overload_is_held_at_full_goodput(self, clock):
        """Ten workers of 20 ms, calm for half a minute, then asked three times what they can."""
        rng = np.random.default_rng(0)
        limit = AdaptiveLimit(clock=clock)
        free = [0.0] * 10  # when each worker is done
        under_way = []  # (end, time of admission)
        latencies = []
        for load, seconds in ((0.5, 30), (3.0, 60)):
            latencies.clear()
            until = clock.now + seconds
            arrival = clock.now
            while arrival < until:
                arrival += rng.exponential(0.002 / load)
                while under_way and under_way[0][0] <= arrival:
                    clock.now, admitted = heappop(under_way)
                    limit.end(admitted)
                    latencies.append(clock.now - admitted)
                clock.now = arrival
                admitted = limit.admit()
                if admitted is not None:
                    end = max(arrival, heappop(free)) + rng.exponential(0.02)
                    heappush(free, end)
                    heappush(under_way, (end, admitted))
        assert len(latencies) / 60 > 0.95 * 500
        assert np.percentile(latencies, 99) < 0.2
        assert limit.limit < 40


class TestAdaptiveThrottle:
    @pytest.mark.parametrize(("k", "offered"), [(2.0, 5), (1.5, 5), (1.1, 20)])
    def test_the_server_sees_k_times_what_it_accepts(self, clock, k, offered):
        """A server that takes 100 a second is offered several times as much."""
        throttle = AdaptiveThrottle(k=k, clock=clock)
        sent = room = 0
        for hundredth in range(24_000):
            room = min(room + 1, 100)
            for _ in range(offered):
                if throttle.allows():
                    sent += hundredth >= 12_000
                    if room > 0:
                        room -= 1
                        throttle.accepted()
            clock.now += 0.01
        assert sent / 12_000 == pytest.approx(k, rel=0.05)

    def test_nothing_is_rejected_while_all_is_well(self, clock):
        throttle = AdaptiveThrottle(clock=clock)
        for _ in range(1_000):
            assert throttle.allows()
            throttle.accepted()
            clock.now += 0.1

    def test_a_recovery_is_noticed(self, clock):
        throttle = AdaptiveThrottle(window_s=20, clock=clock)
        for second in range(600):
            for _ in range(20):
                if throttle.allows() and second >= 300:
                    throttle.accepted()
            clock.now += 1
        assert all(throttle.allows() for _ in range(5))


class TestRetries:
    def test_retries_are_a_share_of_the_requests(self):
        """A dependency that is down gets 1 + ratio times the requests, and the reserve."""
        calls = 0

        def work():
            nonlocal calls
            calls += 1
            raise ConnectionError

        budget = RetryBudget(ratio=0.1, reserve=10)
        rng = random.Random(0)
        for _ in range(1_000):
            with pytest.raises(ConnectionError):
                call_with_retries(work, budget, attempts=5, rng=rng, sleep=lambda s: None)
        # The reserve is full at the first three requests, which so pay in nothing: 10 + 0.1 * 997.
        assert calls == 1_000 + 109

    def test_a_passing_fault_is_retried(self):
        outcomes = iter([ConnectionError(), TimeoutError(), "answer"])
        waits = []

        def work():
            outcome = next(outcomes)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        answer = call_with_retries(
            work, RetryBudget(), rng=random.Random(0), sleep=waits.append, attempts=3
        )
        assert answer == "answer"
        assert len(waits) == 2

    def test_other_errors_are_not_retried(self):
        calls = []
        with pytest.raises(KeyError):
            call_with_retries(
                lambda: calls.append(1) or {}["missing"], RetryBudget(), rng=random.Random(0)
            )
        assert len(calls) == 1

    def test_waits_are_spread_and_bounded(self):
        rng = random.Random(0)
        waits = [backoff_s(3, rng, base_s=0.1) for _ in range(2_000)]
        assert 0 <= min(waits) < 0.01
        assert 0.79 < max(waits) <= 0.8
        assert sum(waits) / len(waits) == pytest.approx(0.4, rel=0.05)
        assert max(backoff_s(30, rng) for _ in range(100)) <= 2.0
