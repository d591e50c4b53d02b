"""Long histories: they begin with the registry's, and see nothing of the event's own second."""

import numpy as np
import pandas as pd

from recsys_lib.features.long_history import liked_before
from recsys_lib.ranking.config import HISTORY
from recsys_lib.seeding import generator


def test_by_hand():
    events = pd.DataFrame(
        {
            "user_id": [1, 2, 1, 1, 1, 1],
            "item_id": [10, 99, 20, 30, 40, 50],
            "timestamp": [1, 1, 2, 3, 4, 4],
            "label": [1, 1, 0, 1, 1, 0],
        },
        index=[5, 4, 3, 2, 1, 0],
    ).iloc[::-1]
    found = liked_before(events, 1)
    assert {row: list(items) for row, items in found.items()} == {
        5: [], 4: [], 3: [10], 2: [10], 1: [30], 0: [30],
    }  # fmt: skip
    assert list(liked_before(events, 5)[0]) == [30, 10]
    assert list(found.index) == list(events.index)
    assert len(liked_before(events[:0], 5)) == 0


def test_it_begins_with_the_registrys_last_likes():
    from recsys_lib.features import training_samples

    rng = generator(4, "long history")
    n = 2_000
    events = pd.DataFrame(
        {
            "user_id": rng.integers(1, 20, n),
            "item_id": rng.integers(1, 400, n),
            "rating": rng.integers(1, 6, n).astype(np.float32),
            "timestamp": rng.integers(0, 700, n),  # several events of a user share a second
        }
    ).drop_duplicates(["user_id", "item_id"])
    items = pd.DataFrame({"item_id": np.arange(1, 400)})
    samples = training_samples(
        events, items, columns=["user_id", "item_id", "timestamp", "label", *HISTORY]
    )
    lists = liked_before(samples, 30)
    for place, column in enumerate(HISTORY):
        of_list = lists.map(lambda x, k=place: x[k] if len(x) > k else -1)
        expected = samples[column].fillna(-1).astype(int)
        assert (of_list == expected).all()
    assert lists.map(len).max() == 30
