"""The drawings of notebook 04 show the walks that they are given."""

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pytest

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


def test_a_step_names_the_node_before_and_the_biases():
    places = {"A": (1, 3), "B": (4, 2), "C": (3, 4)}
    figure = draw_step(places, ["AB", "BC"], "A", "B", {"A": "back", "C": "near"})
    assert {"A = t, the node before", "B = v, here", "back", "near"} <= {
        t.get_text() for t in figure.axes[0].texts
    }
