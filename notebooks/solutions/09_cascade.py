"""Solutions to the exercises of notebook 09, the cascade."""

import numpy as np

# Exercise 1: the ideal list has the like on top, whose gain is 1.
answer_1 = 1 / np.log2(3 + 1)


# Exercise 2: each film has its share of the softmax, each like its share of the target.
def listwise_slope(f: np.ndarray, liked: np.ndarray) -> np.ndarray:
    share = np.exp(f - f.max())
    return share / share.sum() - liked / liked.sum()


# Exercise 3: what follows the hidden likes of a cut does not exist there.
def cut_at(likes: list, j: int) -> tuple[list, list]:
    end = len(likes) - 5 * j
    return likes[: end - 5], likes[end - 5 : end]


# Exercise 4: the likes that were found on top, compared with all of them on top.
def oracle_ndcg(n_found: int, n_hidden: int) -> float:
    gain = 1 / np.log2(np.arange(2, 12))
    return gain[:n_found].sum() / gain[: min(n_hidden, 10)].sum()


# Exercise 5: the count includes the hidden likes, each of which raises its own film. In service the
# likes that are to be predicted have not happened. The test that deletes what lies after a cut would
# have seen the feature change.
