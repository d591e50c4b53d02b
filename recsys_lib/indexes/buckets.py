"""Hash tables as sorted arrays: what a bucket holds is one contiguous run."""

from typing import NamedTuple

import numpy as np


class Buckets(NamedTuple):
    """The buckets of several hash tables over the same rows.

    Attributes
    ----------
    keys : uint64 (n_buckets,), ascending within each table, table after table
    starts : int64 (n_buckets + 1,), where each bucket begins in ``members``
    members : int32 (n_tables * n,), row numbers, ascending within a bucket
    directory : int32 (n_tables, 2^bits + 1)
        The keys of table t whose first ``bits`` bits are s lie in ``keys`` from
        ``directory[t, s]`` up to ``directory[t, s + 1]``: one or two of them, keys being random.
    shift : uint64, 64 - bits
    """

    keys: np.ndarray
    starts: np.ndarray
    members: np.ndarray
    directory: np.ndarray
    shift: np.uint64


def make_buckets(keys: np.ndarray, first: int) -> Buckets:
    """Put rows ``first``, ``first + 1``, ... with keys uint64 (n, n_tables) into buckets."""
    n, n_tables = keys.shape
    members = np.empty((n_tables, n), dtype=np.int32)
    bucket_keys, starts = [], []
    for table, of_table in enumerate(keys.T):
        order = np.argsort(of_table, kind="stable")
        ordered = of_table[order]
        members[table] = order + first
        begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[:n])
        bucket_keys.append(ordered[begins])
        starts.append(begins + table * n)
    bits = np.uint64(max(1, *(len(part).bit_length() for part in bucket_keys)))
    shift = np.uint64(64) - bits
    slots = np.arange(2 ** int(bits) + 1, dtype=np.uint64)
    offsets = np.cumsum([0, *map(len, bucket_keys)])
    directory = [
        offset + np.searchsorted(part >> shift, slots)
        for offset, part in zip(offsets, bucket_keys, strict=False)
    ]
    return Buckets(
        np.concatenate(bucket_keys),
        np.concatenate([*starts, [n_tables * n]]),
        members.ravel(),
        np.array(directory, dtype=np.int32),
        shift,
    )
