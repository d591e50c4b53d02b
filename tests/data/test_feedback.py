"""Clicks are likes wherever the library asks what somebody likes."""

import numpy as np
import pandas as pd

from recsys_lib.data.feedback import are_likes, stars_of
from recsys_lib.data.likes import likes_in_time, likes_of
from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.data.splits import last_likes
from recsys_lib.evaluation import evaluate
from recsys_lib.recall import Popular

CLICKS = pd.DataFrame(
    [
        (user, item, 100 + (user * 7 + item) % 20)  # each user meets them from another one on
        for user in range(3)
        for item in range(20)
        if item % 3 != user
    ],
    columns=["user_id", "item_id", "timestamp"],
)
RATED = CLICKS.assign(rating=np.float32(5))


def test_by_hand():
    stars = pd.DataFrame({"rating": [3.0, 3.5, 5.0]})
    assert are_likes(stars).tolist() == [False, True, True]
    assert are_likes(stars, None).tolist() == [True, True, True]
    assert are_likes(CLICKS).all()
    assert (stars_of(CLICKS) == 5).all()


def test_clicks_go_where_ratings_go():
    pd.testing.assert_frame_equal(
        likes_in_time(CLICKS), likes_in_time(RATED).drop(columns="rating")
    )
    matrices = [InteractionMatrix.from_frame(each) for each in (CLICKS, RATED)]
    assert (likes_of(matrices[0]) != likes_of(matrices[1])).nnz == 0
    splits = [last_likes(each, 2, 2, 2) for each in (CLICKS, RATED)]
    for part in ("train", "validation", "test"):
        clicks, rated = (split.part(part) for split in splits)
        pd.testing.assert_frame_equal(clicks, rated.drop(columns="rating"))
        assert len(splits[0].likes(part)) == len(splits[1].likes(part))
    scores = []
    for split in splits:
        train, test = split.train_test()
        scores.append(evaluate(Popular().fit(train), train, test).mean("recall_at_10"))
    assert scores[0] == scores[1] > 0
