"""The drawings of notebooks 08 show the numbers that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from recsys_lib.course import style
from recsys_lib.course.ranking_drawings import (
    draw_attention,
    draw_costs,
    draw_crosses,
    draw_family,
    draw_interests,
)
from recsys_lib.ranking import KINDS


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_every_kind_of_model_is_in_the_family():
    drawn = {
        text.get_text().replace("\n", " ").replace(" +", "+")
        for text in draw_family().axes[0].texts
    }
    assert {kind.title for kind in KINDS.values()} <= drawn


def test_the_heat_map_shows_the_matrix_under_its_names():
    strength = np.array([[0.0, 2.0], [2.0, 1.0]])
    axis = draw_crosses(strength, ["a", "b"], "title").axes[0]
    assert np.array_equal(axis.images[0].get_array(), strength)
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]


def test_costs_put_each_model_at_its_seconds_and_auc():
    seconds, aucs = pd.Series({"a": 1.0, "b": 4.0}), pd.Series({"a": 0.7, "b": 0.6})
    axis = draw_costs(seconds, aucs, {"b"}).axes[0]
    points = {
        line.get_xydata()[0].tolist()[0]: line for line in axis.lines if len(line.get_xdata()) == 1
    }
    assert {x: line.get_ydata()[0] for x, line in points.items()} == {1.0: 0.7, 4.0: 0.6}
    assert points[4.0].get_color() == style.RIVAL


def test_the_mean_of_two_interests_lies_between_them():
    groups = {"a": np.array([[0.0, 0.0]]), "b": np.array([[2.0, 2.0]])}
    axis = draw_interests(groups, np.zeros(2), np.array([0.1, 0.1])).axes[0]
    (mean,) = [line for line in axis.lines if line.get_marker() == "X"]
    assert mean.get_xydata().tolist() == [[1.0, 1.0]]


def test_a_negative_weight_has_another_colour():
    axis = draw_attention({"candidate": {"x": 0.5, "y": -0.25}}).axes[0]
    assert [bar.get_width() for bar in axis.patches] == [0.5, -0.25]
    assert axis.patches[1].get_facecolor() == to_rgba(style.LOSS)
