"""The drawings of notebook 02 show the numbers that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recsys_lib.course.sample_drawings import (
    draw_drift,
    draw_false_alarms,
    draw_frames,
    draw_ladder,
    draw_outlets,
)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def places(axis, label):
    (found,) = [each for each in axis.collections if each.get_label() == label]
    return np.asarray(found.get_offsets())[:, 0].tolist()


def test_rows_hand_over_the_burst_and_range_does_not():
    rows, by_time = draw_frames([10, 20, 20, 20, 30], sample=3).axes
    assert places(rows, "known at the moment") == [10]
    assert places(rows, "seen too early") == [20, 20]
    assert places(rows, "not in the window") == [30]
    assert places(by_time, "known at the moment") == [10]
    assert places(by_time, "seen too early") == []
    assert places(by_time, "not in the window") == [20, 20, 30]


def test_all_three_outlets_are_drawn():
    texts = " ".join(text.get_text() for text in draw_outlets().axes[0].texts)
    for outlet in ("training samples", "serving features", "monitoring"):
        assert outlet in texts


def test_the_first_bar_of_each_group_is_the_honest_one():
    ladder = pd.DataFrame(
        [("film", "before", 0.6, 0.5, 0.7), ("film", "all", 0.8, 0.7, 0.9),
         ("user", "before", 0.55, 0.5, 0.6), ("user", "rows", 0.65, 0.6, 0.7)],
        columns=["group", "rung", "auc", "low", "high"],
    )  # fmt: skip
    (axis,) = draw_ladder(ladder).axes
    assert [bar.get_x() + bar.get_width() for bar in axis.patches] == pytest.approx(
        ladder["auc"].tolist()
    )
    colours = [bar.get_facecolor()[:3] for bar in axis.patches]
    assert colours[0] == colours[2] != colours[1] == colours[3]
    heights = [bar.get_y() for bar in axis.patches]
    assert heights == sorted(heights, reverse=True)
    assert [label.get_text() for label in axis.get_yticklabels()] == ladder["rung"].tolist()


def test_false_alarms_lie_beside_the_formula():
    shares = pd.DataFrame({0.1: [0.8, 0.4]}, index=[100, 200])
    (axis,) = draw_false_alarms(shares, n_bins=10, n_draws=400).axes
    sizes, line = axis.lines[0].get_data()
    assert line[0] == pytest.approx(stats.chi2.sf(5, 9))
    assert line[-1] == pytest.approx(stats.chi2.sf(10, 9))
    (dots,) = [each for each in axis.lines if each.get_marker() == "o"]
    assert sizes[0] == 100
    assert dots.get_ydata().tolist() == [0.8, 0.4]


def test_drift_within_chance_is_not_coloured():
    table = pd.DataFrame(
        {"drift": [0.5, 0.05], "without drift": [0.1, 0.2]}, index=["moved", "still"]
    )
    (axis,) = draw_drift(table, {".1": 0.1}).axes
    assert places(axis, "drift") == [0.5]
    assert places(axis, "within chance") == [0.05]
    bars = {round(bar.get_x() + bar.get_width(), 6) for bar in axis.patches}
    assert bars == {0.1, 0.2}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("moved", [0.5, 0.0])
def test_a_column_that_has_not_moved_at_all_is_drawn_on_the_logarithmic_axis(moved):
    table = pd.DataFrame(
        {"drift": [moved, 0.0], "without drift": [0.2 * moved, 0.0]}, index=["some", "constant"]
    )
    figure = draw_drift(table, {".1": 0.1})
    figure.canvas.draw()
    (axis,) = figure.axes
    assert axis.get_xscale() == "log"
    assert axis.get_xlim()[0] == pytest.approx(0.1 * moved or 0.05)
