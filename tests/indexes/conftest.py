"""Points for the indexes."""

import numpy as np
import pytest

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.seeding import generator


@pytest.fixture(scope="session")
def points() -> EmbeddingTable:
    """2,000 points for the indexes, around 100 centres, lengths from .5 to 2."""
    rng = generator(7, "index points")
    centres = rng.standard_normal((100, 16))
    vectors = centres[rng.integers(0, 100, 2_000)] + 0.3 * rng.standard_normal((2_000, 16))
    vectors *= rng.uniform(0.5, 2, (2_000, 1)) / np.linalg.norm(vectors, axis=1, keepdims=True)
    return EmbeddingTable(np.arange(2_000) * 3 + 1, vectors)


@pytest.fixture(scope="session")
def queries() -> np.ndarray:
    return generator(7, "index queries").standard_normal((50, 16)).astype(np.float32)
