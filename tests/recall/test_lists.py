"""Lists as arrays and as a table."""

import numpy as np
import pandas as pd

from recsys_lib.recall import Lists


def test_of_arrays_by_hand():
    lists = Lists.of([[7, 3, -1]], [[0.5, 0.25, -np.inf]], user_ids=[40], name="ease")
    assert lists.channels.tolist() == [["ease", "ease", ""]]
    assert lists.listed.tolist() == [[True, True, False]]
    expected = pd.DataFrame(
        {
            "user_id": [40, 40],
            "item_id": [7, 3],
            "score": np.array([0.5, 0.25], np.float32),
            "rank": [1, 2],
            "channel": ["ease", "ease"],
        }
    )
    pd.testing.assert_frame_equal(lists.to_frame(), expected)


def test_head_and_concatenation():
    one = Lists.of([[1, 2]], [[2.0, 1.0]], user_ids=[5])
    two = Lists.of([[3, -1]], [[9.0, -np.inf]], user_ids=[6])
    both = Lists.concatenate([one, two])
    assert both.user_ids.tolist() == [5, 6]
    assert both.head(1).item_ids.tolist() == [[1], [3]]
    assert len(both.to_frame()) == 3
    assert len(both) == 2


def test_nothing_but_padding():
    lists = Lists.empty([1, 2], 3, ["a"])
    assert (lists.item_ids == -1).all()
    assert np.isneginf(lists.scores).all()
    assert (lists.channels == "").all()
    assert lists.to_frame().empty
