"""Trials of feature stores: torn answers while versions are published, and the time of a read.

Every row of version ``i`` holds the number ``i``, so a torn answer shows: a row is missing, or the
numbers differ. The obvious store, which tears, is the control: a trial that finds nothing there
could not have found anything.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from recsys_lib.course import style
from recsys_lib.stores import RedisFeatureStore
from recsys_lib.stores.redis_server import RemoteRedis

KEY, NUMBER = "user_id", "user_rating_count"
N_ROWS, ROWS_A_READ = 200, 5


class PointerStore:
    """The obvious way: a pointer to the version, a key for each row, the old keys are removed."""

    def __init__(self, client, prefix: str = "pointer"):
        self.client = client
        self.prefix = prefix

    def publish(self, number: int) -> None:
        """Write a version whose rows all hold its number."""
        old = self.client.get(f"{self.prefix}:version")
        with self.client.pipeline(transaction=False) as trip:
            for row in range(N_ROWS):
                trip.set(f"{self.prefix}:{number}:{row}", number)
            trip.set(f"{self.prefix}:version", number)
            if old is not None:
                trip.unlink(*(f"{self.prefix}:{int(old)}:{row}" for row in range(N_ROWS)))
            trip.execute()

    def read(self, rows: np.ndarray) -> list[int | None]:
        """Return the numbers of some rows: each is read with the version of its moment."""
        numbers = []
        for row in rows.tolist():
            version = self.client.get(f"{self.prefix}:version")
            found = self.client.get(f"{self.prefix}:{int(version)}:{row}")
            numbers.append(None if found is None else int(found))
        return numbers


class RenamedStore:
    """The library's store, asked in the same way."""

    def __init__(self, client, prefix: str = "renamed"):
        self.store = RedisFeatureStore(client, prefix=prefix)

    def publish(self, number: int) -> None:
        """Write a version whose rows all hold its number."""
        rows = pd.DataFrame({KEY: np.arange(N_ROWS), NUMBER: np.full(N_ROWS, number, np.int32)})
        self.store.publish(rows, str(number))

    def read(self, rows: np.ndarray) -> list[int | None]:
        """Return the numbers of some rows."""
        return [row and row[NUMBER] for row in self.store.read_many(rows).rows]


STORES = {"pointer": PointerStore, "renamed": RenamedStore}


def publish_under_load(socket: str, kind: str, n_publishes: int, n_readers: int) -> dict[str, int]:
    """Publish versions while processes read, and count what the readers saw.

    Parameters
    ----------
    socket : str
        Of a Redis server.
    kind : str
        A key of :data:`STORES`.
    n_publishes, n_readers : int

    Returns
    -------
    dict
        ``reads``; ``with_nothing``, reads of known rows that missed one; ``mixed``, reads whose
        rows were of several versions.
    """
    store = STORES[kind](RemoteRedis(f"unix://{socket}").client(timeout_s=10))
    store.publish(0)
    command = [sys.executable, "-m", "recsys_lib.course.store_trials", socket, kind]
    readers = [
        subprocess.Popen([*command, str(n_publishes)], stdout=subprocess.PIPE, text=True)
        for _ in range(n_readers)
    ]
    for reader in readers:
        reader.stdout.readline()  # it is about to read
    for number in range(1, n_publishes + 1):
        store.publish(number)
    counts = np.array([reader.communicate(timeout=120)[0].split() for reader in readers], int)
    reads, with_nothing, mixed = counts.sum(axis=0).tolist()
    return {"reads": reads, "with_nothing": with_nothing, "mixed": mixed}


def time_reads(
    readers: Mapping[str, Callable], ids: np.ndarray, sizes: Sequence[int], n_reads: int, rng
) -> pd.DataFrame:
    """Time reads of random rows.

    Parameters
    ----------
    readers : mapping of str to function
        By name of the store, what reads the rows of an array of ids.
    ids : int64 array
    sizes : sequence of int
        Numbers of rows in one read.
    n_reads : int
        Reads timed for each store and size.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        ``store``, ``rows``, and the percentiles ``p50``, ``p95``, ``p99`` in µs.
    """
    timed = []
    for name, read in readers.items():
        for size in sizes:
            taken = []
            for _ in range(n_reads):
                keys = rng.choice(ids, size)
                begun = time.perf_counter()
                read(keys)
                taken.append(1e6 * (time.perf_counter() - begun))
            timed.append((name, size, *np.percentile(taken, [50, 95, 99])))
    return pd.DataFrame(timed, columns=["store", "rows", "p50", "p95", "p99"])


LOOKS = {
    "Parquet": (style.BASELINE, "s"),
    "Redis": (style.METHOD, "o"),
    "memory": (style.RIVAL, "^"),
    "memory, as a table": (style.SECOND_RIVAL, "D"),
}


def draw_read_times(times: pd.DataFrame, title: str):
    """Draw what :func:`time_reads` returned: a line a store, bars up to the 99th percentile.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    with style.house_style():
        figure, axis = plt.subplots()
        for name, (colour, marker) in LOOKS.items():
            line = times[times["store"] == name]
            bars = [np.zeros(len(line)), line["p99"] - line["p50"]]
            if len(line):
                axis.errorbar(
                    line["rows"], line["p50"], bars, c=colour, marker=marker, capsize=2, label=name
                )
        axis.set(xscale="log", yscale="log", title=title)
        axis.set(xlabel="rows in one read", ylabel="µs a read (median, bar to p99)")
        axis.set_xticks(times["rows"].unique(), times["rows"].unique())
        axis.yaxis.set_major_formatter("{x:,.0f}")
        figure.legend(loc="outside right center")
    return figure


def _read(socket: str, kind: str, last: str) -> None:
    store = STORES[kind](RemoteRedis(f"unix://{socket}").client(timeout_s=10))
    rng = np.random.default_rng()
    reads = with_nothing = mixed = 0
    print("ready", flush=True)
    while True:
        numbers = store.read(rng.integers(0, N_ROWS, ROWS_A_READ))
        reads += 1
        with_nothing += None in numbers
        mixed += len(set(numbers) - {None}) > 1
        if int(last) in numbers:
            break
    print(reads, with_nothing, mixed)


if __name__ == "__main__":
    _read(*sys.argv[1:])
