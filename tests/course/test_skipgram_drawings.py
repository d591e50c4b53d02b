"""The drawings of notebook 03 show the window, the numbers and the curves that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from recsys_lib.course.skipgram_drawings import draw_losses, draw_network, draw_window


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(("centre", "pairs"), [(0, 2), (1, 3), (3, 4), (5, 2)])
def test_an_arrow_stands_for_each_pair_of_the_centre(centre, pairs):
    (axis,) = draw_window(list("abcdef"), centre, 2).axes
    arrows = [text.arrow_patch for text in axis.texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == pairs


def test_the_network_shows_what_goes_in_and_what_comes_out():
    probability = np.array([0.25, 0.125, 0.625])
    (axis,) = draw_network(list("abc"), 1, np.array([0.5, -1.5]), probability).axes
    shown = [text.get_text() for text in axis.texts]
    assert {"0.5", "-1.5", "0.25", "0.12", "0.62"} <= set(shown)
    assert (shown.count("1"), shown.count("0")) == (1, 2)


def test_losses_stand_beside_the_values_of_theory():
    figure = draw_losses({"a": np.array([2.0, 1.0])}, {"a": {"floor": 0.5}})
    curve, line = figure.axes[0].lines
    assert curve.get_ydata().tolist() == [2.0, 1.0]
    assert set(line.get_ydata()) == {0.5}
