"""Randomness that is passed in, and that does not depend on the order of things."""

import zlib

import numpy as np

# Every draw and every tie in the project starts from this number unless a caller says otherwise.
DEFAULT_SEED = 42


def generator(seed: int | np.random.Generator, *names: str | int) -> np.random.Generator:
    """Return a numpy generator for ``seed`` and the names of what it is for.

    Different names give independent streams, so that adding a draw in one place does not shift
    the numbers of another. A Generator is handed back as it is.
    """
    if isinstance(seed, np.random.Generator):
        return seed
    words = [zlib.crc32(str(name).encode()) for name in names]
    return np.random.default_rng(np.random.SeedSequence([int(seed), *words]))


def key_hash(*columns, seed: int = DEFAULT_SEED) -> np.ndarray:
    """Hash rows of integer ids to uniform ``uint64``, shape (n,), independent of row order.

    It breaks ties and draws reproducible samples: unlike a generator's stream, the value of a row
    depends on its ids alone.
    """
    mixed = np.full(len(columns[0]), np.uint64(seed & 0xFFFFFFFFFFFFFFFF))
    with np.errstate(over="ignore"):
        for column in columns:
            mixed = mixed + np.asarray(column).astype(np.int64).view(np.uint64)
            mixed = mix64(mixed + np.uint64(0x9E3779B97F4A7C15))
    return mixed


def mix64(values: np.ndarray) -> np.ndarray:
    """Scatter an array of ``uint64``: each bit of a result depends on all bits of its value.

    The finaliser of splitmix64 (Steele, Lea and Flood, 2014).
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
