"""The drawings of notebook 01 show the numbers that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from recsys_lib.course.feature_drawings import (
    draw_normal_plots,
    draw_normalizer,
    draw_quantile_cuts,
)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def points(axis, label):
    (found,) = [each for each in axis.collections if each.get_label() == label]
    return np.asarray(found.get_offsets())


def test_equal_cuts_are_drawn_as_merged():
    # Quarters of eight values: the first two cuts are 1, so one of them is merged.
    figure = draw_quantile_cuts([1, 1, 1, 1, 1, 2, 3, 4], 4)
    whole, start = figure.axes
    assert points(whole, "kept").tolist() == [[1, 0.25], [2, 0.75]]
    assert points(whole, "merged").tolist() == [[1, 0.5]]
    assert whole.get_title() == "3 cuts, 2 of them different"
    assert [text.get_text() for text in start.texts] == ["bucket 0:\nempty"]


def test_no_bucket_is_called_empty_where_the_first_cut_is_not_the_smallest_value():
    figure = draw_quantile_cuts(np.arange(1, 101), 4)
    start = figure.axes[1]
    assert len(start.texts) == 0
    assert start.get_xlim()[1] > 75  # the cuts lie far from the smallest value, and are shown


def test_rows_lie_on_the_curve_of_their_norm():
    rows = np.array([[3.0, 4.0], [1.0, 0.0]])
    table = pd.DataFrame(rows, columns=["ratings", "stars"], index=["Heat", "Emma"])
    norms = {p: rows / (rows**p).sum(axis=1, keepdims=True) ** (1 / p) for p in (1, 2)}
    right = draw_normalizer(table, norms).axes[1]
    assert np.allclose(points(right, "L1").sum(axis=1), 1)
    assert np.allclose(np.linalg.norm(points(right, "L2"), axis=1), 1)
    assert [text.get_text() for text in right.texts] == ["Heat", "Emma"]


def test_normal_data_lie_on_the_line_and_skewed_ones_do_not():
    drawn = np.random.default_rng(0).normal(5, 2, size=4_000)
    figure = draw_normal_plots({"normal": drawn, "skewed": np.exp(drawn)}, "skewed")
    off = []
    for axis in figure.axes:
        dots = np.asarray(axis.collections[0].get_offsets())
        line = np.interp(dots[:, 0], *axis.lines[0].get_data())
        off.append(np.abs(dots[:, 1] - line).max() / dots[:, 1].std())
    assert off[0] < 0.5 < off[1]
