"""The picture of the library: it shows the real imports, and it can be read."""

from itertools import combinations

import matplotlib.pyplot as plt
import networkx
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, Rectangle

from recsys_lib.course import architecture
from recsys_lib.course.architecture import LAYERS, draw_architecture, package_imports


@pytest.fixture(scope="module")
def packages():
    return package_imports()


@pytest.fixture(scope="module")
def picture(packages):
    figure = draw_architecture(packages)
    figure.canvas.draw()
    yield figure.axes[0]
    plt.close(figure)


def reachable(edges) -> set:
    graph = networkx.DiGraph(edges)
    return {(node, other) for node in graph for other in networkx.descendants(graph, node)}


def test_imports_are_read_from_the_code(packages):
    assert set(packages) == {package for layer in LAYERS for package in layer}
    assert "experiments" in packages["cli"]["imports"]
    assert "evaluation" in packages["recall"]["imports"]  # also from modules in folders below
    assert packages["cli"]["lines"] > 500


def test_every_arrow_is_an_import_and_every_import_is_drawn(packages):
    edges = {(package, other) for package, each in packages.items() for other in each["imports"]}
    drawn = architecture._direct_imports(packages)
    assert set(drawn) <= edges
    assert reachable(drawn) == reachable(edges)


def test_no_text_leaves_its_box_and_no_two_boxes_meet(picture):
    boxes = [patch.get_window_extent() for patch in picture.patches if isinstance(patch, Rectangle)]
    assert len(boxes) == sum(map(len, LAYERS)) + 1
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    for text in picture.texts:
        extent = text.get_window_extent()
        (box,) = [box for box in boxes if box.overlaps(extent)]
        assert box.x0 < extent.x0
        assert extent.x1 < box.x1
        assert box.y0 <= extent.y0
        assert extent.y1 <= box.y1


def test_no_arrow_runs_through_a_box(picture):
    boxes = [patch.get_bbox() for patch in picture.patches if isinstance(patch, Rectangle)]
    arrows = [patch for patch in picture.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) > 10
    for arrow in arrows:
        curve = arrow._path_original.interpolated(20)
        inside = [
            (box.x0 < curve.vertices[:, 0])
            & (curve.vertices[:, 0] < box.x1)
            & (box.y0 + 1e-9 < curve.vertices[:, 1])
            & (curve.vertices[:, 1] < box.y1 - 1e-9)
            for box in boxes
        ]
        assert not np.any(inside)
