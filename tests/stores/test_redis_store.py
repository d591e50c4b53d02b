"""What only Redis does: one round trip, killed writers, events that reach the rows at once."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import DataError
from recsys_lib.stores import RedisFeatureStore, RedisServer, StoreUnavailable

WRITER = Path(__file__).with_name("store_writer.py")


def counts(n_users: int, count: int) -> pd.DataFrame:
    count_column = np.full(n_users, count, np.int32)
    return pd.DataFrame({"user_id": np.arange(n_users), "user_rating_count": count_column})


def keys_of(client) -> set[str]:
    return {key.decode() for key in client.scan_iter("*")}


def add_up(rows: list[dict], events: list[dict]) -> list[dict]:
    """Count each event; a new user starts from nothing."""
    by_user = {row["user_id"]: dict(row) for row in rows}
    for event in events:
        row = by_user[event["user_id"]]
        row["user_rating_count"] = row.get("user_rating_count", 0) + event.get("n", 1)
    return list(by_user.values())


@pytest.fixture
def live(client, clock) -> RedisFeatureStore:
    return RedisFeatureStore(client, clock=clock, fold=add_up)


def count_of(store, user_id: int) -> int | None:
    row = store.read(user_id)
    return row and row["user_rating_count"]


def test_vectors_without_numbers_as_where_no_item_has_a_genre(client):
    store = RedisFeatureStore(client, types={"shares": "float32[0]"})
    rows = {"user_id": [3, 1], "shares": [np.empty(0, np.float32)] * 2}
    store.publish(pd.DataFrame(rows), "1")
    assert [row["shares"].shape for row in store.read_many([1, 3]).rows] == [(0,), (0,)]


@pytest.mark.parametrize("n_users", [1, 500])
def test_a_read_is_one_command_however_many_users(client, n_users):
    store = RedisFeatureStore(client)
    store.publish(counts(500, 1), "1")
    before = client.info("stats")["total_commands_processed"]
    assert None not in store.read_many(range(n_users)).rows
    after = client.info("stats")["total_commands_processed"]
    assert after - before == 2  # the read, and the question before it


def test_a_publish_leaves_two_versions_and_nothing_else(client):
    store = RedisFeatureStore(client)
    for version in range(4):
        store.publish(counts(3, version), str(version))
    assert keys_of(client) == {"{user}:current", "{user}:previous"}
    assert {client.ttl(key) for key in keys_of(client)} == {-1}
    store.drop()
    assert keys_of(client) == set()


def test_stores_of_different_prefix_do_not_meet(client):
    store, other = RedisFeatureStore(client), RedisFeatureStore(client, prefix="other")
    store.publish(counts(3, 1), "1")
    assert other.read(0) is None
    other.publish(counts(3, 2), "1")
    assert (count_of(store, 0), count_of(other, 0)) == (1, 2)
    other.drop()
    assert count_of(store, 0) == 1


def start_writer(redis_server, version: int) -> subprocess.Popen:
    arguments = ["redis", str(redis_server.socket_), "20000", str(version)]
    return subprocess.Popen(
        [sys.executable, str(WRITER), *arguments], stdout=subprocess.PIPE, text=True
    )


def test_a_killed_writer_leaves_the_old_version_and_its_remains_are_swept(client, redis_server):
    store = RedisFeatureStore(client)
    store.publish(counts(20_000, 1), "1")
    writer = start_writer(redis_server, 2)
    assert writer.stdout.readline() == "writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    (staged,) = {key for key in keys_of(client) if ":staged:" in key}
    assert client.hlen(staged) > 1_000  # it was killed half-way
    assert client.pttl(staged) > 0  # and goes even if nobody publishes again
    answer = store.read_many([0, 10_000, 19_999])
    assert answer.version.name == "1"
    assert {row["user_rating_count"] for row in answer.rows} == {1}

    store.publish(counts(10, 2), "2")  # under the same name, after the killed writer's lease
    assert keys_of(client) == {"{user}:current", "{user}:previous"}
    assert (store.current().name, store.previous().name) == ("2", "1")
    assert store.read_many([9, 10]).rows == [{"user_id": 9, "user_rating_count": 2}, None]


def test_what_a_killed_writer_wrote_goes_by_itself(client, redis_server):
    writer = start_writer(redis_server, 1)
    assert writer.stdout.readline() == "writing\n"
    writer.kill()
    writer.wait()
    writer.stdout.close()
    for key in [key for key in keys_of(client) if ":staged:" in key]:
        client.pexpire(key, 1)  # the lease of a second, shortened
    assert RedisFeatureStore(client).current() is None
    while any(":staged:" in key for key in keys_of(client)):
        pass


def test_a_writer_that_lost_its_turn_changes_nothing(client, monkeypatch):
    slow, quick = RedisFeatureStore(client), RedisFeatureStore(client)
    slow.publish(counts(10, 1), "1")
    finish = slow._once_caught_up

    def stall(key, switch):
        client.delete("{user}:writer")  # the lease runs out
        quick.publish(counts(10, 3), "3")
        finish(key, switch)

    monkeypatch.setattr(slow, "_once_caught_up", stall)
    with pytest.raises(StoreUnavailable, match="lost its turn"):
        slow.publish(counts(10, 2), "2")
    assert (quick.current().name, quick.previous().name) == ("3", "1")
    assert keys_of(client) == {"{user}:current", "{user}:previous"}


def test_two_writers_take_turns(redis_server, client):
    def publish(name: str):
        with redis_server.client() as own:
            for version in range(10):
                RedisFeatureStore(own).publish(counts(50, version), f"{name}{version}")

    writers = [threading.Thread(target=publish, args=[name]) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store = RedisFeatureStore(client)
    assert {store.current().name, store.previous().name} <= {
        f"{n}{v}" for n in "ab" for v in (8, 9)
    }
    assert keys_of(client) == {"{user}:current", "{user}:previous"}


def test_a_name_that_another_writer_took_meanwhile_is_refused(client, monkeypatch):
    store = RedisFeatureStore(client)
    store.publish(counts(3, 1), "1")
    monkeypatch.setattr(store, "names", list)  # as if "1" were published after it was asked
    with pytest.raises(DataError, match="already"):
        store.publish(counts(3, 2), "1")
    assert count_of(store, 0) == 1
    assert keys_of(client) == {"{user}:current"}


def test_processes_that_read_see_one_whole_version(client, redis_server):
    code = (
        "import sys\n"
        "from recsys_lib.stores import RedisFeatureStore\n"
        "from recsys_lib.stores.redis_server import RemoteRedis\n"
        "store = RedisFeatureStore(RemoteRedis(f'unix://{sys.argv[1]}').client())\n"
        "wrong = reads = 0\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    answer = store.read_many(range(20))\n"
        "    reads += 1\n"
        "    seen = {row and row['user_rating_count'] for row in answer.rows}\n"
        "    wrong += seen != {int(answer.version.name)}\n"
        "    if answer.version.name == '200':\n"
        "        break\n"
        "print(wrong, reads)\n"
    )
    store = RedisFeatureStore(client)
    store.publish(counts(20, 0), "0")
    command = [sys.executable, "-c", code, str(redis_server.socket_)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    for version in range(1, 201):
        store.publish(counts(20, version), str(version))
    for reader in readers:
        wrong, reads = map(int, reader.communicate(timeout=30)[0].split())
        assert wrong == 0
        assert reads > 10


def test_events_change_rows_at_once_and_make_them_young(live, clock):
    live.publish(counts(3, 10), "1", as_of=clock.now - 500)
    clock.now += 7
    live.append([{"user_id": 1}, {"user_id": 77}, {"user_id": 1, "n": 5}])
    answer = live.read_many([0, 1, 77])
    assert [row["user_rating_count"] for row in answer.rows] == [10, 16, 1]
    assert answer.age_s.tolist() == [507, 0, 0]
    assert live.current().name == "1"


def test_events_after_the_cut_off_are_replayed_before_a_version_becomes_current(live, clock):
    live.publish(counts(3, 10), "1")
    moments = []
    for _ in range(3):
        clock.now += 1
        moments.append(clock.now)
        live.append([{"user_id": 1}])
    # The batch read its data between the first event and the second; the second is at its cut-off.
    live.publish(counts(3, 20), "2", as_of=moments[1])
    assert [count_of(live, user) for user in (0, 1)] == [20, 22]
    assert live.read_many([0, 1]).age_s.tolist() == [1, 0]


def test_events_replay_into_the_earlier_version_before_a_roll_back(live, clock):
    live.publish(counts(3, 10), "1")
    clock.now += 1
    live.append([{"user_id": 1}])
    clock.now += 1
    live.publish(counts(3, 20), "2")
    clock.now += 1
    live.append([{"user_id": 1}, {"user_id": 5}])
    live.roll_back()
    assert [count_of(live, user) for user in (0, 1, 5)] == [10, 12, 1]
    live.append([{"user_id": 0}])
    live.roll_back()
    assert [count_of(live, user) for user in (0, 1, 5)] == [21, 21, 1]


def test_no_event_is_lost_or_counted_twice_while_versions_are_published(redis_server, client):
    """Two writers of events, one of versions whose cut-offs lie in the middle of the events."""
    n_events = 150
    sent = []  # (user, when) of what the batch may read: its cut-off is a clock of whole numbers
    guard = threading.Lock()
    now = [1_000.0]

    def tick() -> float:
        return now[0]

    def send(user: int):
        with redis_server.client(timeout_s=10) as own:
            store = RedisFeatureStore(own, clock=tick, fold=add_up)
            for _ in range(n_events):
                with guard:  # the moment is written down as the log has it
                    now[0] += 1
                    store.append([{"user_id": user}])
                    sent.append((user, now[0]))

    batches = RedisFeatureStore(client, clock=tick, fold=add_up)
    batches.publish(counts(2, 0), "start")
    senders = [threading.Thread(target=send, args=[user]) for user in (0, 1)]
    for sender in senders:
        sender.start()
    version = 0
    while any(sender.is_alive() for sender in senders):
        with guard:
            cut_off, known = now[0], list(sent)
        rows = counts(2, 0)
        for user, when in known:
            rows.loc[user, "user_rating_count"] += when < cut_off
        batches.publish(rows, f"v{version}", as_of=cut_off)
        version += 1
        if version % 3 == 0:
            batches.roll_back()
    for sender in senders:
        sender.join()
    batches.append([{"user_id": 0}])
    assert version > 1
    assert [count_of(batches, user) for user in (0, 1)] == [n_events + 1, n_events]


def test_events_that_no_version_needs_are_removed(live, client, clock):
    for version in range(1, 6):
        live.publish(counts(2, 0), str(version))
        for _ in range(10):
            clock.now += 1
            live.append([{"user_id": 0}])
    # Since the cut-off of the previous version, with the event of that very moment.
    assert client.xlen("{user}:events") == 21


def test_a_version_older_than_the_kept_events_is_refused(live, clock):
    for version in (1, 2, 3):
        live.publish(counts(2, 0), str(version))
        clock.now += 10
    with pytest.raises(DataError, match="would be lost"):
        live.publish(counts(2, 0), "late", as_of=clock.now - 25)
    assert live.current().name == "3"


def test_the_log_goes_on_when_a_clock_stands_behind(live, clock):
    live.publish(counts(2, 0), "1", as_of=clock.now - 100)
    live.append([{"user_id": 0}])
    clock.now -= 50
    live.append([{"user_id": 0}])
    assert count_of(live, 0) == 2


def test_events_are_refused_without_a_fold_and_without_a_key(client, live):
    with pytest.raises(DataError, match="fold="):
        RedisFeatureStore(client).append([{"user_id": 1}])
    with pytest.raises(DataError, match="user_id"):
        live.append([{"user": 1}])
    assert client.exists("{user}:events") == 0


def test_a_server_that_is_gone_is_reported():
    with RedisServer() as server:
        store = RedisFeatureStore(server.client(), fold=add_up)
    for ask in (
        lambda: store.read(1),
        lambda: store.current(),
        lambda: store.publish(counts(1, 1), "1"),
        lambda: store.roll_back(),
        lambda: store.append([{"user_id": 1}]),
        lambda: store.drop(),
    ):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            ask()


def test_a_key_of_somebody_else_is_reported(client):
    client.set("{user}:current", "something else")
    with pytest.raises(StoreUnavailable, match="refuses"):
        RedisFeatureStore(client).read(1)


def test_a_full_server_keeps_the_old_version_and_is_reported():
    with RedisServer() as server, server.client() as client:
        store = RedisFeatureStore(client)
        store.publish(counts(1_000, 1), "1")
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 200_000)
        with pytest.raises(StoreUnavailable, match="full"):
            store.publish(counts(100_000, 2), "2")
        assert count_of(store, 999) == 1
        assert keys_of(client) == {"{user}:current"}
        client.config_set("maxmemory", 0)
        store.publish(counts(1_000, 3), "3")
        assert count_of(store, 999) == 3
        assert keys_of(client) == {"{user}:current", "{user}:previous"}
