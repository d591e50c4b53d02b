"""The shapes of the house style show what they are given, and can be read."""

from itertools import pairwise

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_rgba

from recsys_lib.course import style
from recsys_lib.course.style import draw_differences


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_only_a_difference_off_zero_is_coloured():
    figure = draw_differences({"a": (1, 0.5, 2), "b": (0.1, -1, 1), "c": (-1, -2, -0.5)}, "x")
    colours = [to_rgba(bar.lines[0].get_color()) for bar in figure.axes[0].containers]
    off, none = to_rgba(style.METHOD), to_rgba(style.BASELINE)
    assert colours == [off, none, off]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["a", "b", "c"]


def test_numbers_below_a_narrow_axis_do_not_touch():
    wide = {"later events, second third of the cuts": (0.0014, -0.0137, 0.0156)}
    with style.house_style():
        figure = draw_differences({"all": (0.0148, 0.0086, 0.021), **wide}, "lost")
        figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].get_xticklabels()]
    seen = [box for box in boxes if figure.axes[0].bbox.x0 <= box.x0 + box.width / 2]
    assert len(seen) > 2
    gaps = [right.x0 - left.x1 for left, right in pairwise(seen)]
    assert min(gaps) > max(box.height for box in seen)
