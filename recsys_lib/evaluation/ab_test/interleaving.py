"""Team-draft interleaving: both rankers on one list, so that every user compares them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation.intervals import Interval, mean_interval
from recsys_lib.seeding import DEFAULT_SEED


class Interleaved(NamedTuple):
    """A list made of two.

    Attributes
    ----------
    item_ids : tuple of int
        Best first.
    teams : tuple of int
        0 if the first ranker has placed the item, 1 if the second.
    """

    item_ids: tuple[int, ...]
    teams: tuple[int, ...]

    def credit(self, liked) -> tuple[int, int]:
        """Return how many of the liked items each ranker has placed."""
        found = [
            team for item, team in zip(self.item_ids, self.teams, strict=True) if item in liked
        ]
        return found.count(0), found.count(1)


def team_draft(
    first: Sequence[int], second: Sequence[int], k: int, rng: np.random.Generator
) -> Interleaved:
    """Interleave two lists (Radlinski, Kurup and Joachims, 2008).

    As captains choose teams: in each round a coin decides who goes first, and each takes its best
    item that is still there.

    Parameters
    ----------
    first, second : sequences of int
        Best first.
    k : int
        Length of the list; it is shorter where both run out.
    rng : Generator
    """
    lists, places = (first, second), [0, 0]
    items: list[int] = []
    teams: list[int] = []
    taken: set[int] = set()
    while len(items) < k:
        before = len(items)
        start = int(rng.integers(2))
        for team in (start, 1 - start):
            while places[team] < len(lists[team]) and lists[team][places[team]] in taken:
                places[team] += 1
            if places[team] < len(lists[team]) and len(items) < k:
                item = int(lists[team][places[team]])
                taken.add(item)
                items.append(item)
                teams.append(team)
        if len(items) == before:
            break
    return Interleaved(tuple(items), tuple(teams))


def preference(first, second, seed: int = DEFAULT_SEED) -> tuple[Interval, float]:
    """Return how much more users prefer the second ranker, and the p-value of no preference.

    Parameters
    ----------
    first, second : arrays of int, shape (n,)
        Credit of both rankers, summed over all lists of a user: a user has one vote.
    seed : int
        Of the bootstrap.

    Returns
    -------
    preference : Interval
        Share of users who prefer the second, less the share who prefer the first.
    p_value : float
        Of the sign test, over users who prefer one.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or first.ndim != 1:
        raise RecsysError(
            f"Credits of shapes {first.shape} and {second.shape} are not of one kind."
        )
    votes = np.sign(second - first)
    decided = int((votes != 0).sum())
    p_value = stats.binomtest(int((votes > 0).sum()), decided).pvalue if decided else 1.0
    return mean_interval(votes, seed), float(p_value)
