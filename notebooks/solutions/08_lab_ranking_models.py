"""Solution to the exercise of the lab of ranking models; it takes the place of the function."""


def answer_1(g):
    """Exercise 1: g of ten; one of the ten decides, so the count tells a tenth of the cause."""
    return g / 10
