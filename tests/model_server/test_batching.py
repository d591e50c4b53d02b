"""Requests run together get what they would get alone."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.model_server import BatchingConfig, StatusError
from recsys_lib.model_server.batching import Batcher


def doubled(values):
    (rows,) = values
    if (rows < 0).any():
        raise StatusError("INVALID_ARGUMENT", "negative")
    return [rows * 2, rows.sum(axis=tuple(range(1, rows.ndim)))]


def together(batcher, requests, key="k"):
    """Start all requests at once; return their results, errors included."""
    start = threading.Barrier(len(requests))

    def one(rows):
        start.wait()
        try:
            return batcher.run(key, [rows], doubled)
        except StatusError as error:
            return error

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(one, requests))


def test_together_equals_alone():
    batcher = Batcher(BatchingConfig(batch_timeout_s=0.3))
    requests = [np.arange(n * 2.0).reshape(n, 2) + n for n in range(1, 9)]
    for rows, (twice, sums) in zip(requests, together(batcher, requests), strict=True):
        assert (twice == rows * 2).all()
        assert (sums == rows.sum(axis=1)).all()
    assert batcher.n_calls < len(requests)


def test_a_full_batch_does_not_wait():
    batcher = Batcher(BatchingConfig(max_batch_size=4, batch_timeout_s=60))
    results = together(batcher, [np.ones((1, 1))] * 8)
    assert len(results) == 8
    assert batcher.n_calls == 2


def test_one_bad_request_does_not_spoil_the_others():
    batcher = Batcher(BatchingConfig(max_batch_size=3, batch_timeout_s=60))
    good, bad, other = together(batcher, [np.ones((1, 1)), -np.ones((1, 1)), np.ones((1, 1))])
    assert good[0] == other[0] == 2
    assert isinstance(bad, StatusError)


def test_requests_of_other_shapes_or_keys_are_not_mixed():
    batcher = Batcher(BatchingConfig(batch_timeout_s=0.1))
    wide, narrow = together(batcher, [np.ones((2, 3)), np.ones((2, 5))])
    assert wide[0].shape == (2, 3)
    assert narrow[0].shape == (2, 5)
    assert batcher.n_calls == 2


def test_an_oversize_request_is_refused():
    batcher = Batcher(BatchingConfig(max_batch_size=4))
    with pytest.raises(StatusError, match="size 5 is larger than maximum input batch size 4"):
        batcher.run("k", [np.ones((5, 1))], doubled)
    with pytest.raises(StatusError, match="equal 0th-dimension"):
        batcher.run("k", [np.ones((2, 1)), np.ones((3, 1))], doubled)


def test_a_full_queue_refuses_and_recovers():
    batcher = Batcher(BatchingConfig(max_enqueued_batches=1, batch_timeout_s=0))
    running, go_on = threading.Event(), threading.Event()

    def held(values):
        running.set()
        go_on.wait()
        return values

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(batcher.run, "k", [np.ones((1, 1))], held)
        running.wait()
        with pytest.raises(StatusError, match="queue to which this task was submitted is full"):
            batcher.run("k", [np.ones((1, 1))], doubled)
        go_on.set()
        first.result()
    assert batcher.run("k", [np.ones((1, 1))], doubled)[0] == 2


def test_outputs_that_cannot_be_split():
    batcher = Batcher(BatchingConfig(max_batch_size=2, batch_timeout_s=60))
    with ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(batcher.run, "k", [np.ones((1, 1))], lambda values: [values[0].sum()])
            for _ in range(2)
        ]
        errors = [future.exception() for future in futures]
    assert [error.code for error in errors] == ["FAILED_PRECONDITION"] * 2


def test_wrong_settings_are_refused():
    with pytest.raises(RecsysError, match="must be positive"):
        BatchingConfig(max_batch_size=0)


def test_nobody_waits_for_ever():
    """Many threads, small batches: every request comes back."""
    batcher = Batcher(BatchingConfig(max_batch_size=3, batch_timeout_s=0.001))
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        rows = [np.full((1 + n % 3, 1), n) for n in range(300)]
        results = list(pool.map(lambda r: batcher.run("k", [r], doubled), rows))
    assert all((r[0] == 2 * x).all() for r, x in zip(results, rows, strict=True))
    assert time.monotonic() - started < 60
