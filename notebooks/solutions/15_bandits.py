"""Solutions to the exercises of notebook 15; each takes the place of the function in its cell."""

import numpy as np


def regret(chances, shown):
    """Exercise 1: what the best film would have brought more, visit by visit."""
    return sum(max(chances) - chances[film] for film in shown)


def ucb_choice(shows, likes, c):
    """Exercise 2: a film never shown has a bound without limit."""
    shows, likes = np.array(shows, float), np.array(likes, float)
    if (shows == 0).any():
        return int(np.argmin(shows))
    return int(np.argmax(likes / shows + c * np.sqrt(2 * np.log(shows.sum()) / shows)))


def thompson_choice(shows, likes, rng):
    """Exercise 3: one draw a film, and the largest wins."""
    shows, likes = np.array(shows), np.array(likes)
    return int(np.argmax(rng.beta(1 + likes, 1 + shows - likes)))


def sherman_morrison(inverse, x):
    """Exercise 4: one matrix times a vector, and one outer product."""
    moved = inverse @ x
    return inverse - np.outer(moved, moved) / (1 + x @ moved)


def replay_value(wanted, shown, rewards):
    """Exercise 5: the visits in which both agree."""
    return rewards[wanted == shown].mean()


def worth_of(weights):
    """Exercise 6: Kish's formula."""
    return weights.sum() ** 2 / (weights**2).sum()


# Exercise 7 (open). If the places are drawn one by one, the weight of a list is the product of ten
# ratios, each of which may be twenty: up to 20 ** 10, about ten million million. Practically no
# list of the log is one that the new policy would show, and the estimate rests on nothing. Slate
# estimators assume that the reward of a list is a sum over its places, so that each place has a
# weight of its own (Swaminathan and others, 2017). Likes break the assumption when places compete:
# the second of two similar films is liked less because the first was there, and a film at place
# nine is not seen at all if the first one was clicked.
