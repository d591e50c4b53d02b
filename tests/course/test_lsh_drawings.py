"""The drawings of notebook 06 show the buckets that the hash functions make."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from recsys_lib.course import style
from recsys_lib.course.lsh_drawings import draw_distances, draw_gap, draw_plane, draw_slices


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_each_point_lies_in_the_slice_of_its_hash_value():
    rng = np.random.default_rng(5)
    points, v, b, w = rng.normal(size=(30, 2)), np.array([0.8, -1.7]), 0.4, 1.3
    _, axis = plt.subplots()
    draw_slices(axis, points, v, b, w)
    slices = axis.patches
    first = np.floor(((np.mean(slices[0].get_xy()[:4], axis=0)) @ v + b) / w)
    for point in points:
        (found,) = [i for i, each in enumerate(slices) if each.get_path().contains_point(point)]
        assert first + found == np.floor((point @ v + b) / w)


def test_an_edge_in_the_gap_parts_and_another_does_not():
    figure = draw_gap(0.4, 1.0, [0.15, 0.39, 0.41, 0.9])
    texts = [each.get_text() for each in figure.axes[0].texts]
    assert [each for each in texts if each in ("parted", "together")] == [
        *("parted", "parted", "together", "together")
    ]


def test_the_wedge_of_lines_that_part_is_as_wide_as_the_angle():
    wedges = draw_plane(np.radians(50)).axes[1].patches[1:]
    assert [each.theta2 - each.theta1 for each in wedges] == pytest.approx([50, 50])


def test_distances_and_their_curve_are_drawn_as_given():
    near, every = np.array([0.1, 0.2]), np.linspace(0, 2, 50)
    axis = draw_distances(near, every, lambda c: np.exp(-c)).axes[0]
    x, y = axis.lines[0].get_data()
    assert np.allclose(y, np.exp(-x))
    assert to_hex(axis.patches[0].get_facecolor()) == style.TRUTH.lower()
    assert axis.patches[0].get_data().edges[-1] == 2
