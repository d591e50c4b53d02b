"""The drawings of notebook 07 show the numbers and the leak that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from recsys_lib.course import style
from recsys_lib.course.mlp_drawings import draw_forward, draw_take_and_skip


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_network_shows_each_number_and_joins_each_pair_of_units():
    given = [("film 50", np.array([0.25, -0.75])), ("mean 4.0", np.array([1.5]))]
    (axis,) = draw_forward(given, [np.array([0.0, 3.25])], 0.625).axes
    shown = [text.get_text() for text in axis.texts]
    assert {"0.25", "-0.75", "1.50", "0.00", "3.25", "0.62", "film 50", "mean 4.0"} <= set(shown)
    assert shown.count("row of its table") == 1  # a number has no table
    assert len(axis.lines) == 3 * 2 + 2 * 1


@pytest.mark.parametrize(
    ("orders", "leaked"),
    [
        ([[0, 1, 2, 3], [0, 1, 2, 3]], 0),  # never shuffled: no leak
        ([[0, 1, 2, 3], [2, 1, 0, 3]], 1),
        ([[0, 1, 2, 3], [3, 2, 1, 0], [0, 1, 2, 3]], 2),
    ],
)
def test_the_tested_rows_that_were_trained_on_are_marked_and_counted(orders, leaked):
    (axis,) = draw_take_and_skip(np.array(orders), 2).axes
    edges = [to_rgb(patch.get_edgecolor()) for patch in axis.patches]
    assert edges.count(to_rgb(style.LOSS)) == leaked
    assert edges.count(to_rgb(style.TRUTH)) == 2 - leaked
    assert axis.get_title().startswith(f"{leaked} of 2 ")
