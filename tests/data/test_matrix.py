import numpy as np
import pandas as pd
import pytest

from recsys_lib.data.matrix import InteractionMatrix, index_of


def test_matrix_by_hand_and_the_latest_rating_wins():
    rows = [(7, 100, 3, 1), (5, 300, 4, 2), (7, 100, 5, 3)]
    matrix = InteractionMatrix.from_frame(
        pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
    )
    assert matrix.user_ids.tolist() == [5, 7]
    assert matrix.item_ids.tolist() == [100, 300]
    assert matrix.ratings.toarray().tolist() == [[0, 4], [5, 0]]
    assert matrix.users_of([7, 6, 5]).tolist() == [1, -1, 0]
    assert matrix.items_of([300, 1]).tolist() == [1, -1]


def test_index_of_an_empty_list():
    assert index_of(np.array([], dtype=np.int64), [1, 2]).tolist() == [-1, -1]
    assert index_of(np.array([3]), []).tolist() == []


@pytest.mark.parametrize("most", [100, 2**62], ids=["ids close together", "ids far apart"])
def test_index_of_is_where_the_id_stands(most):
    """Many ids close together are looked up in a table, others by bisection."""
    random = np.random.default_rng(0)
    ends = [-(2**63), -1, 0, 2**63 - 1]
    ids = np.unique(random.integers(-most, most, 60))
    wanted = np.array([*ids, *(ids + 1), *random.integers(-2 * most, 2 * most - 1, 400), *ends])
    place = {each: at for at, each in enumerate(ids.tolist())}
    assert index_of(ids, wanted).tolist() == [place.get(each, -1) for each in wanted.tolist()]
