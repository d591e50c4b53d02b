"""Solutions to the exercises of notebook 13; each takes the place of the function in its cell."""

import math
from collections import Counter


def shrink(s, n, q, m):
    """Exercise 1: m people who like what the larger group likes join the n."""
    return (s + m * q) / (n + m)


def entropy(stars):
    """Exercise 2: the mean of -log2 of the share of each rating."""
    return -sum(c / len(stars) * math.log2(c / len(stars)) for c in Counter(stars).values())


def walk(node, answers):
    """Exercise 3: a leaf is a list; anything else is a question."""
    while isinstance(node, tuple):
        film, after_like, after_dislike, after_unknown = node
        said = answers.get(film)
        node = after_unknown if said is None else after_like if said else after_dislike
    return node


def join(who, did, n, h):
    """Exercise 4: at n = h both have the same say."""
    score = {film: (h * who.get(film, 0) + n * did.get(film, 0)) / (n + h) for film in {*who, *did}}
    return sorted(score, key=score.get, reverse=True)


def with_quota(films, new, one_in):
    """Exercise 5: each new film makes room for itself; what falls off the end is gone."""
    mixed = list(films)
    for number, film in enumerate(new, start=1):
        if number * one_in <= len(films):
            mixed.insert(number * one_in - 1, film)
    return mixed[: len(films)]


# Exercise 6 (open). Three times "unknown" says that the newcomer does not know what most people
# know: a child, a fan of old films, or somebody from another country. The tree handles that by
# itself, because "unknown" is a branch of its own: its node asks what divides those users. But few
# of them know the same films, so the best split there may still be a film that most do not know.
# One can ask for the largest expected gain a question, which is small where nobody can answer, or
# first ask about groups of films ("anything with subtitles?"), which everybody can answer. Learning
# that needs answers about groups, which ratings give only indirectly, by genre or decade.
