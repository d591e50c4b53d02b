"""The drawings of notebook 04 show the walks and differences that they are given."""

from itertools import pairwise

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from recsys_lib.course import style
from recsys_lib.course.style import draw_differences
from recsys_lib.course.walk_drawings import draw_step, draw_walks


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_crossings_and_nodes_of_a_walk_are_counted():
    graph = nx.barbell_graph(3, 0)  # nodes 0 to 2 and 3 to 5; the bridge joins 2 and 3
    figure = draw_walks(graph, {"there and back": np.array([0, 2, 3, 2, 1]), "at home": [0, 1, 0]})
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["there and back\nnodes: 4, crossings: 2", "at home\nnodes: 2, crossings: 0"]


def test_the_bridge_is_the_shortest_way_between_the_halves():
    graph = nx.barbell_graph(4, 0)
    figure = draw_walks(graph, {"a": np.array([0, 1]), "b": np.array([0, 1])})
    places = np.asarray(figure.axes[0].collections[0].get_offsets())
    gaps = np.linalg.norm(places[:4, None] - places[None, 4:], axis=2)
    assert np.unravel_index(gaps.argmin(), gaps.shape) == (3, 0)


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


def test_a_step_names_the_node_before_and_the_biases():
    places = {"A": (1, 3), "B": (4, 2), "C": (3, 4)}
    figure = draw_step(places, ["AB", "BC"], "A", "B", {"A": "back", "C": "near"})
    assert {"A = t, the node before", "B = v, here", "back", "near"} <= {
        t.get_text() for t in figure.axes[0].texts
    }
