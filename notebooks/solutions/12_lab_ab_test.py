"""Solutions to the exercises of the lab of A/B tests; each takes the place of its function."""


def users_with_cuped(rho):
    """Exercise 1: users are proportional to the variance, which falls by rho squared."""
    return 1 - rho**2


def any_alarm(tests):
    """Exercise 2: the opposite of no alarm in any of them."""
    return 1 - 0.95**tests
