"""Requests that arrive together are run together: one pass of a graph costs less than many.

The first request of a batch waits a moment for others, then runs the batch for all of them; no
thread of its own is needed. (Olston et al.: TensorFlow-Serving, 2017, section 3.2.)
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.model_server.status import StatusError, invalid


@dataclass(frozen=True)
class BatchingConfig:
    """How requests are put together.

    Attributes
    ----------
    max_batch_size : int
        Rows a batch can hold; a larger request is refused.
    batch_timeout_s : float
        How long the first request of a batch waits for others.
    max_enqueued_batches : int
        Batches that may wait or run at a time; what comes on top is refused.
    """

    max_batch_size: int = 1_000
    batch_timeout_s: float = 0.001
    max_enqueued_batches: int = 100

    def __post_init__(self):
        if min(self.max_batch_size, self.max_enqueued_batches) < 1 or self.batch_timeout_s < 0:
            raise RecsysError(
                "max_batch_size and max_enqueued_batches must be positive and batch_timeout_s not "
                f"negative, not {self.max_batch_size}, {self.max_enqueued_batches} and "
                f"{self.batch_timeout_s}."
            )


@dataclass
class _Batch:
    tasks: list[list[np.ndarray]] = field(default_factory=list)
    n_rows: int = 0
    full: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    # For each task its outputs, or its error.
    results: list = field(default_factory=list)


class Batcher:
    """Runs calls in batches.

    Parameters
    ----------
    config : BatchingConfig

    Attributes
    ----------
    n_calls : int
        Calls made so far, for tests and monitoring.
    """

    def __init__(self, config: BatchingConfig):
        self.config = config
        self.n_calls = 0
        self._lock = threading.Lock()
        self._open: dict[Hashable, _Batch] = {}  # batches that can still be joined
        self._n_enqueued = 0

    def run(
        self,
        key: Hashable,
        values: list[np.ndarray],
        call: Callable[[list[np.ndarray]], list[np.ndarray]],
    ) -> list[np.ndarray]:
        """Return what ``call(values)`` returns, perhaps as a part of a larger call.

        Parameters
        ----------
        key : hashable
            Only requests of one key are put together, and of these only such whose arrays have
            the same shapes but for the first dimension.
        values : list of arrays
            Rows along the first dimension.
        call : function
            Gives arrays with a row for each row.

        Raises
        ------
        StatusError
            INVALID_ARGUMENT: more rows than a batch holds, or inputs of unequal length.
            UNAVAILABLE: too many batches wait.
        """
        if any(array.ndim == 0 or len(array) != len(values[0]) for array in values):
            raise invalid("Batching input tensors must all have equal 0th-dimension size")
        n_rows = len(values[0])
        if n_rows > self.config.max_batch_size:
            raise invalid(
                f"Task size {n_rows} is larger than maximum input batch size "
                f"{self.config.max_batch_size}"
            )
        key = (key, *(array.shape[1:] for array in values))
        batch, place = self._join(key, values, n_rows)
        if place == 0:
            batch.full.wait(self.config.batch_timeout_s)
            self._close(key, batch)
            try:
                batch.results = self._run_together(batch.tasks, call)
            finally:
                with self._lock:
                    self._n_enqueued -= 1
                batch.done.set()
        batch.done.wait()
        result = batch.results[place]
        if isinstance(result, Exception):
            raise result
        return result

    def _join(self, key: Hashable, values: list[np.ndarray], n_rows: int) -> tuple[_Batch, int]:
        with self._lock:
            batch = self._open.get(key)
            if batch is None or batch.n_rows + n_rows > self.config.max_batch_size:
                if self._n_enqueued >= self.config.max_enqueued_batches:
                    raise StatusError(
                        "UNAVAILABLE",
                        "The batch scheduling queue to which this task was submitted is full",
                    )
                if batch is not None:
                    batch.full.set()
                self._n_enqueued += 1
                batch = self._open[key] = _Batch()
            batch.tasks.append(values)
            batch.n_rows += n_rows
            if batch.n_rows == self.config.max_batch_size:
                batch.full.set()
            return batch, len(batch.tasks) - 1

    def _close(self, key: Hashable, batch: _Batch) -> None:
        with self._lock:
            if self._open.get(key) is batch:
                del self._open[key]

    def _run_together(self, tasks: list[list[np.ndarray]], call) -> list:
        if len(tasks) > 1:
            joined = [np.concatenate(arrays) for arrays in zip(*tasks, strict=True)]
            ends = np.cumsum([len(task[0]) for task in tasks])
            self.n_calls += 1
            try:
                outputs = call(joined)
            except Exception:
                # One request may have spoilt it for all: each is run alone.
                return [result for task in tasks for result in self._run_together([task], call)]
            if any(output.ndim == 0 or len(output) != ends[-1] for output in outputs):
                error = StatusError(
                    "FAILED_PRECONDITION",
                    "Batched output tensor's 0th dimension does not equal the sum of the 0th "
                    "dimension sizes of the input tensors",
                )
                return [error] * len(tasks)
            parts = [np.split(output, ends[:-1]) for output in outputs]
            return [list(each) for each in zip(*parts, strict=True)]
        self.n_calls += 1
        try:
            return [call(tasks[0])]
        except Exception as error:
            return [error]
