"""Sequences with known neighbours, and small tables, for the tests of this folder."""

import numpy as np
import pandas as pd

from recsys_lib.embeddings import Item2vecConfig

SMALL = Item2vecConfig(embedding_dim=8, window=20, epochs=20, downsample_above=0.0)


def planted_sequences(n_tastes=3, items_a_taste=10, n_users=120, length=8, seed=0):
    """Users of one taste each; item i belongs to taste ``i // items_a_taste``."""
    rng = np.random.default_rng(seed)
    return [
        user % n_tastes * items_a_taste + rng.permutation(items_a_taste)[:length]
        for user in range(n_users)
    ]


def interactions(rows):
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
    types = {"user_id": "int64", "item_id": "int64", "rating": "float32", "timestamp": "int64"}
    return frame.astype(types)
