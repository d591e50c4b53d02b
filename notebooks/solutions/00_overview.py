"""Solutions to the exercises of notebook 00; each takes the place of the function in its cell."""

import numpy as np


def precision_at_k(shown, liked, k):
    """Exercise 1: hits over k."""
    return len(set(shown[:k]) & set(liked)) / k


def reciprocal_rank(shown, liked):
    """Exercise 2: the first hit ends the search."""
    return next((1 / place for place, film in enumerate(shown, 1) if film in liked), 0)


def chance_recall(n, n_seen, k):
    """Exercise 3: each unseen film is shown with the same chance; so is each hidden like."""
    return k / (n - n_seen)


def paired_interval(first, second, n_resamples, rng):
    """Exercise 4: one draw of users serves both."""
    difference = np.asarray(first) - np.asarray(second)
    drawn = rng.integers(0, len(difference), size=(n_resamples, len(difference)))
    return np.quantile(difference[drawn].mean(axis=1), [0.025, 0.975])


def last_like_of_each(rows):
    """Exercise 5: likes in order of time; the last of each user with two or more."""
    likes = rows[rows["like"]].sort_values(["user_id", "timestamp"])
    several = likes.groupby("user_id")["item_id"].transform("size") >= 2
    return likes[several].groupby("user_id")["item_id"].last().tolist()


def coverage_of(lists_of_films, n):
    """Exercise 6: a set keeps each film once."""
    return len({film for shown in lists_of_films for film in shown} - {-1}) / n


# Exercise 7 (open). By time, because an article of tomorrow does not exist today: by last likes, a
# reader's hidden click of Monday would be predicted with clicks of Tuesday on the same article. The
# validation and the test part would be a day or a few hours each, right after the training part,
# and the experiment would be repeated for several cuts. Popularity "over all time" recommends dead
# articles; popularity of the last hour is the baseline. At nine in the morning there is nothing to
# count for an article of five to nine, so its content (section, author, words) has to stand in.
