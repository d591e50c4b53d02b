"""The order of a user's events within one second, the same in every engine.

It is a hash of user and item. The order of the rows means nothing, and the order of the ids would
leak the age of films. The hash is the one that Spark computes: XXH64 (Collet, 2012) of a seed, the
user and the item, each hashed with the hash before it as its seed.
"""

import numpy as np

from recsys_lib.schema import ITEM, USER
from recsys_lib.seeding import DEFAULT_SEED

TIE_BREAK = f"xxhash64({DEFAULT_SEED}, {USER}, {ITEM})"  # Spark SQL
_SPARK_SEED = 42  # of its function `xxhash64`, whatever it hashes

_P1, _P2, _P3, _P4, _P5 = (
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)


def tie_break(user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
    """Return what orders the events of one second: int64 (n,), as :data:`TIE_BREAK` in Spark.

    Parameters
    ----------
    user_ids, item_ids : numpy.ndarray of int64, shape (n,)
    """
    with np.errstate(over="ignore"):
        hashed = _xxh64_of_4_bytes(np.uint64(DEFAULT_SEED), np.uint64(_SPARK_SEED))
        for ids in (user_ids, item_ids):
            hashed = _xxh64_of_8_bytes(ids.view(np.uint64), hashed)
    return hashed.view(np.int64)


def _xxh64_of_4_bytes(value: np.uint64, seed: np.uint64) -> np.uint64:
    hashed = (seed + _P5 + np.uint64(4)) ^ (value * _P1)
    return _avalanche(_rotated(hashed, 23) * _P2 + _P3)


def _xxh64_of_8_bytes(values: np.ndarray, seed: np.ndarray | np.uint64) -> np.ndarray:
    hashed = (seed + _P5 + np.uint64(8)) ^ (_rotated(values * _P2, 31) * _P1)
    return _avalanche(_rotated(hashed, 27) * _P1 + _P4)


def _rotated(bits, n: int):
    return (bits << np.uint64(n)) | (bits >> np.uint64(64 - n))


def _avalanche(hashed):
    hashed = (hashed ^ (hashed >> np.uint64(33))) * _P2
    hashed = (hashed ^ (hashed >> np.uint64(29))) * _P3
    return hashed ^ (hashed >> np.uint64(32))
