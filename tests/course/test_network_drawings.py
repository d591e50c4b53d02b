"""The figures: they show the networks there are, and can be read."""

import re
from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
from matplotlib.transforms import Bbox

from recsys_lib.course.network_drawings import (
    FIGURES,
    HEIGHT,
    LIFT,
    ROLES,
    arrows,
    draw,
    draw_models,
)
from recsys_lib.errors import DataError
from recsys_lib.ranking import KINDS, config_for
from recsys_lib.ranking.config import HISTORY
from recsys_lib.ranking.fitting import inputs_for
from recsys_lib.ranking.models import kind_called

NOT_DRAWN = {"FieldMeans", "Concatenate", "Flatten", "HiddenIds"}  # the last acts in training only


@pytest.fixture(scope="module")
def network_of(samples, small_config):
    frame = samples.assign(**dict.fromkeys(HISTORY, samples["item_id"]))
    config = replace(small_config, history=HISTORY)

    def build(kind):
        own = config_for(kind, config)
        return kind_called(kind).network(own, inputs_for(own, frame))

    return build


def number_off(name: str) -> str:
    return re.sub(r"_\d+$", "", name)


def layers_of(network) -> tuple[set, set, set]:
    """Return the names on the way to the output, those a figure must show, and who feeds whom."""
    feeds = {}  # operation -> names of what comes before it
    needed = set()

    def before(tensor):
        operation, place, _ = tensor._keras_history
        if operation not in feeds:
            feeds[operation] = set()
            for source in operation._inbound_nodes[place].input_tensors:
                feeds[operation] |= before(source)
            kind = type(operation)
            ours = kind.__module__.startswith("recsys_lib.ranking.")
            if (ours or getattr(operation, "weights", ())) and kind.__name__ not in NOT_DRAWN:
                needed.add(number_off(operation.name))
        return feeds[operation] | {number_off(operation.name)}

    names = before(network.output)
    return names, needed, {(a, number_off(o.name)) for o, some in feeds.items() for a in some}


def paths_of(boxes) -> set[tuple[str, str]]:
    """Return the pairs of boxes with a way from the first to the second."""

    def before(name):
        reads = {read.partition("@")[0] for read in boxes[name].reads.split()}
        return reads.union(*map(before, reads))

    return {(below, name) for name in boxes for below in before(name)}


def test_every_kind_has_a_figure():
    assert set(FIGURES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_arrows_join_boxes_and_all_end_in_the_output(kind):
    boxes = FIGURES[kind]
    assert {read.partition("@")[0] for box in boxes.values() for read in box.reads.split()} == (
        set(boxes) - {"output"}
    )
    assert {name for name, box in boxes.items() if box.role == "input"} == {
        name for name, box in boxes.items() if not box.reads
    }


@pytest.mark.parametrize("kind", KINDS)
def test_figures_have_the_layers_and_the_paths_of_the_network(kind, network_of):
    boxes = {name: box.layers.split() for name, box in FIGURES[kind].items()}
    names, needed, feeds = layers_of(network_of(kind))
    drawn = {layer for layers in boxes.values() for layer in layers}
    assert needed <= drawn <= names
    shown = paths_of(FIGURES[kind])
    between = [(a, b, {(x, y) for x in boxes[a] for y in boxes[b]}) for a, b in shown]
    # No arrow without a connection, and no connection without an arrow.
    assert all(feeds & pairs for _, _, pairs in between if pairs)
    together = {(x, y) for layers in boxes.values() for x in layers for y in layers}
    needed_pairs = {(x, y) for x, y in feeds if x in drawn and y in drawn} - together
    assert needed_pairs <= set().union(*(pairs for _, _, pairs in between))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_highlighted_is_not_in_embedding_mlp(kind, network_of):
    plain, _, _ = layers_of(network_of("embedding_mlp"))
    for box in FIGURES[kind].values():
        if box.role == "special" and box.layers:
            assert set(box.layers.split()) - plain, box.label


@pytest.mark.parametrize("kind", KINDS)
def test_texts_fit_their_boxes_and_nothing_lies_over_another(kind):
    boxes = list(FIGURES[kind].values())
    figure, axis = plt.subplots(figsize=(3.0, 3.6), layout="constrained")
    draw(kind, axis)
    figure.canvas.draw()
    areas = [
        Bbox([(b.left, b.row), (b.right, b.row + HEIGHT + 2 * LIFT * b.stacked)]) for b in boxes
    ]
    labels = [text for text in axis.texts if text.get_text()]
    for box, text in zip(boxes, labels, strict=True):
        assert text.get_text() == box.label
        inside = axis.transData.transform([(box.left, box.row), (box.right, box.row + HEIGHT)])
        extent = text.get_window_extent()
        assert (inside[0] + 1 < extent.min).all(), box.label
        assert (extent.max < inside[1] - 1).all(), box.label
        assert box.role in ROLES
    for place, area in enumerate(areas):
        assert not any(area.overlaps(other) for other in areas[:place])
    for (x0, y0), (x1, y1) in arrows(FIGURES[kind]):
        # A shade shorter than the arrow: its ends touch the two boxes that it joins.
        shaft = Bbox([(x0, y0 + 0.01), (x1, y1 - 0.01)]) if x0 == x1 else None
        assert y0 < y1 or (y0 == y1 and x0 < x1)
        assert shaft is None or not any(area.overlaps(shaft) for area in areas)
    plt.close(figure)


def test_models_are_drawn_side_by_side_with_a_legend():
    figure = draw_models(["fm", "din", "dcn_v2", "fnn"])
    assert [axis.get_title() for axis in figure.axes] == ["FM", "DIN", "DCN-v2", "FNN"]
    assert len(figure.legends[0].get_patches()) == len(ROLES)
    plt.close(figure)


def test_an_unknown_kind_is_named():
    with pytest.raises(DataError, match=r"'deep_fm'.*deepfm"):
        draw("deep_fm", None)
