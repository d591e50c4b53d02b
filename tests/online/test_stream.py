"""The stream's sink on a real Redis: what counts, in which order, and what a kill leaves."""

import json
import multiprocessing
import signal

import numpy as np
import pandas as pd
import pytest
import streams

from recsys_lib.errors import DataError
from recsys_lib.features import serving_features
from recsys_lib.online.stream import REASONS, StreamUserFeatures, drain, send, write_events
from recsys_lib.stores import RedisServer

AFTER = streams.events().query("timestamp >= @streams.CUT")


@pytest.fixture(scope="module")
def server():
    with RedisServer() as started:
        yield started


@pytest.fixture
def sink(server, tmp_path):
    client = server.client(timeout_s=10)
    client.flushdb()
    made = streams.sink_on(client, tmp_path)
    streams.publish(made)
    return made


def test_the_table_is_what_the_batch_engine_computes():
    frame = streams.events().query("kind == 'rating'")
    features = StreamUserFeatures(streams.items())
    table = features.table(frame).to_pandas().set_index("user_id")
    events = frame[["user_id", "item_id", "rating", "timestamp"]]
    users, _ = serving_features(events, streams.items())
    users = users.set_index("user_id")
    for column in users.columns:
        there = table[column].reindex(users.index)
        assert there.isna().equals(users[column].isna()), column
        known = users[column].notna()
        assert (there[known].to_numpy() == users.loc[known, column].to_numpy()).all(), column


@pytest.mark.parametrize("seed", range(3))
def test_every_order_and_every_cut_into_batches_gives_the_batch_to_the_byte(sink, seed):
    rng = np.random.default_rng(seed)
    lines = rng.permutation(streams.as_lines(AFTER)).tolist()
    assert streams.rows_of(sink) != streams.recomputed(sink, streams.events())
    for batch, some in enumerate(np.array_split(lines, rng.integers(1, 8))):
        assert sink.apply(some.tolist(), batch, "q")
    assert streams.rows_of(sink) == streams.recomputed(sink, streams.events())
    assert sink.counts() == {"accepted": len(AFTER), **dict.fromkeys(REASONS, 0)}


def test_a_batch_that_comes_again_changes_nothing(sink):
    lines = streams.as_lines(AFTER)
    assert sink.apply(lines, 0, "q")
    rows = streams.rows_of(sink)
    assert not sink.apply(lines, 0, "q")
    assert streams.rows_of(sink) == rows
    assert sink.counts()["repeated"] == 0


def event(**changes) -> str:
    usual = {"event_id": "x", "kind": "rating", "user_id": 1, "item_id": 2, "rating": 4.0}
    return json.dumps(usual | {"timestamp": streams.CUT + 5} | changes)


MALFORMED = [
    "",
    "{",
    "[]",
    "null",
    "7",
    "[" * 100_000,
    event(rating=None),
    event(rating="4"),
    event(rating=True),
    event(rating=float("nan")),
    event(rating=-1),
    event(user_id="1"),
    event(user_id=1.5),
    event(user_id=2**63),
    event(item_id=None),
    event(timestamp="now"),
    event(kind="like"),
    event(event_id=""),
    event(event_id=7),
]


def set_aside(sink) -> list[tuple[str, str]]:
    entries = [
        json.loads(line)
        for path in sorted(sink.set_aside.glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [(entry["reason"], entry["line"]) for entry in entries]


def test_what_does_not_count_is_counted_and_set_aside_with_its_reason(sink):
    good = event(event_id="good")
    unknown, future = event(item_id=99), event(timestamp=streams.CUT + 561)
    late = event(timestamp=streams.CUT - 1)
    others = [unknown, future, late, good]
    sink.apply([*MALFORMED, *others, good], 0, "q")
    expected = {"accepted": 1, "malformed": len(MALFORMED)}
    assert sink.counts() == {**expected, **dict.fromkeys(REASONS[1:], 1)}
    reasons = [("unknown", unknown), ("future", future), ("late", late), ("repeated", good)]
    assert sorted(set_aside(sink)) == sorted([*(("malformed", m) for m in MALFORMED), *reasons])
    sink.apply([good], 1, "q")  # sent again later
    assert sink.counts()["repeated"] == 2


def test_an_event_at_the_watermark_is_late_and_one_after_it_is_not(server, tmp_path):
    client = server.client()
    client.flushdb()
    sink = streams.sink_on(client, tmp_path, delay_s=10.0)
    streams.publish(sink)
    sink.apply([event(event_id="a", timestamp=streams.CUT + 100)], 0, "q")
    assert sink.watermark() == streams.CUT + 90
    at, after = (event(event_id=n, timestamp=streams.CUT + t) for n, t in (("b", 90), ("c", 91)))
    sink.apply([at, after], 1, "q")
    assert (sink.counts()["late"], sink.counts()["accepted"]) == (1, 2)
    # Ids are kept for as long as they can be mistaken, and no longer.
    sink.apply([event(event_id="d", timestamp=streams.CUT + 500)], 2, "q")
    assert client.zrange("{user}:stream:ids", 0, -1) == [b"d"]
    sink.apply([event(event_id="a", timestamp=streams.CUT + 100)], 3, "q")
    assert sink.counts()["late"] == 2


def test_a_checkpoint_and_a_redis_that_do_not_belong_together_are_refused(sink):
    lines = streams.as_lines(AFTER)
    with pytest.raises(DataError, match="batch 3, but Redis knows of none after -1"):
        sink.apply(lines, 3, "q")
    sink.apply(lines, 0, "q")
    with pytest.raises(DataError, match="by the stream q, and this is other"):
        sink.apply(lines, 0, "other")
    streams.publish(sink, "next-night")
    with pytest.raises(DataError, match="has taken the place of 'night'"):
        sink.apply(lines, 1, "q")


def _feed(socket, folder, kill_at, lines):
    mortal = streams.mortal_sink(socket, folder, kill_at)
    for batch, some in enumerate(np.array_split(lines, 3)):
        mortal.apply(some.tolist(), batch, "q")


@pytest.mark.parametrize("batch", [0, 2])
@pytest.mark.parametrize("where", ["before", "aside", "in", "after"])
def test_a_killed_sink_that_starts_again_ends_at_the_batch(sink, server, tmp_path, where, batch):
    lines = [*streams.as_lines(AFTER), "no event"]
    context = multiprocessing.get_context("fork")
    for kill_at, code in ((f"{where} {batch}", -signal.SIGKILL), ("", 0)):
        arguments = (str(server.socket_), tmp_path, kill_at, lines)
        process = context.Process(target=_feed, args=arguments)
        process.start()
        process.join(60)
        assert process.exitcode == code
        done = batch + (where == "after") - 1 if kill_at else 2
        noted = sink.store.client.hget("{user}:stream", "batch")
        assert int(noted or -1) == done
    assert streams.rows_of(sink) == streams.recomputed(sink, streams.events())
    assert sink.counts() == {"accepted": len(AFTER), **dict.fromkeys(REASONS, 0), "malformed": 1}
    assert set_aside(sink) == [("malformed", "no event")]


def test_a_redis_stream_is_drained_once_and_in_order(server, tmp_path):
    client = server.client()
    client.flushdb()
    folder = tmp_path / "source"
    send(client, "clicks", [{"event_id": str(i)} for i in range(25)])
    moved = []
    while moved[-1:] != [0]:  # each call looks at the files alone, as after a restart
        moved.append(drain(client, "clicks", folder, at_most=10, block_ms=1))
    assert moved == [10, 10, 5, 0]
    send(client, "clicks", ["no\nevent"])
    assert drain(client, "clicks", folder, block_ms=1) == 1
    texts = [path.read_text().splitlines() for path in sorted(folder.glob("*.jsonl"))]
    lines = [line for text in texts for line in text]
    assert [json.loads(line)["event_id"] for line in lines[:-1]] == [str(i) for i in range(25)]
    assert lines[-1] == "no event"


def test_a_file_of_events_is_there_whole_or_not_at_all(tmp_path):
    path = write_events(tmp_path, "one", [{"a": 1}, "text"])
    assert path.read_text() == '{"a": 1}\ntext\n'
    with pytest.raises(TypeError):
        write_events(tmp_path, "two", [{"a": 1}, {"b": object()}])
    assert [p.name for p in tmp_path.iterdir()] == ["one.jsonl"]


def test_likes_that_come_late_stand_where_they_belong():
    features = StreamUserFeatures(streams.items(), history=8)
    rating = {"user_id": 1, "rating": 5.0, "kind": "rating"}
    row = {"user_id": 1}
    for item, moment in ((3, 30), (1, 10), (2, 20)):
        (row,) = features.fold([row], [rating | {"item_id": item, "timestamp": moment}])
    assert features.liked(row).tolist() == [3, 2, 1]
    assert features.liked(None).tolist() == []
    assert pd.Series(row)["user_liked_item_1"] == 3
