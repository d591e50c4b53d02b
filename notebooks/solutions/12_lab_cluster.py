"""Solutions to the exercises of the lab of the cluster; each takes the place of its function."""


def points_for(spread):
    """Exercise 1: the spread is one by the root of the points."""
    return round(spread**-2)


def lifetime_s(rate, hit):
    """Exercise 2: rate * T / (1 + rate * T) = hit, solved for T."""
    return hit / (1 - hit) / rate
