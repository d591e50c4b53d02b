"""The pictures of notebook 04: one step of node2vec, and whole walks."""

from collections.abc import Mapping, Sequence

import numpy as np

from recsys_lib.course import style


def draw_step(
    places: Mapping[str, tuple[float, float]],
    edges: Sequence[str],
    before: str,
    node: str,
    bias: Mapping[str, str],
):
    """Draw what node2vec multiplies each edge by, at ``node``, coming from ``before``.

    Parameters
    ----------
    places : mapping of node to (x, y)
        x from 0 to 10, y from 0 to 4.
    edges : sequence of two-letter str
        Undirected.
    before, node : str
    bias : mapping of node to str
        What stands at the arrow to each neighbour of ``node``.

    Returns
    -------
    matplotlib Figure
    """
    figure, axis = style.canvas(6.4, 2.5, (10.4, 4))
    for a, b in edges:
        axis.plot(*zip(places[a], places[b], strict=True), color="#C8C8C8", lw=1.2, zorder=0)
    start = np.array(places[node], float)
    for target, text in bias.items():
        end = np.array(places[target], float)
        along = (end - start) / np.linalg.norm(end - start)
        colour = style.LOSS if target == before else style.METHOD
        style.arrow(axis, start + 0.4 * along, end - 0.4 * along, colour=colour)
        x, y = (start + end) / 2
        if target == before:
            y, side = y - 0.5, "center"
        elif abs(along[1]) < 0.1:  # a level arrow has its text above it
            y, side = y + 0.2, "center"
        else:
            x, side = x + 0.15, "left"
        axis.text(x, y, text, color=colour, ha=side)
    names = {before: f"{before} = t, the node before", node: f"{node} = v, here"}
    for name, (x, y) in places.items():
        colour = style.RIVAL if name == node else style.PAPER
        axis.plot([x], [y], "o", ms=17, mfc=colour, mec=style.INK)
        axis.text(x, y, name, ha="center", va="center", fontsize=9)
        if name in names:
            axis.text(x, y - 0.65, names[name], ha="center", fontsize=8, color=style.INK)
    axis.set_title("p decides about going back, q about moving away")
    return figure


def draw_walks(graph, walks: Mapping[str, np.ndarray]):
    """Draw one walk a panel over two halves of a graph, with how often it changes the half.

    Parameters
    ----------
    graph : networkx Graph
        Nodes 0 to n - 1; the first half is drawn as a circle on the left, the rest on the right.
    walks : mapping of title to int array
        Nodes in their order.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    n = len(graph)
    half = n // 2
    # The last node of the left half and the first of the right one look at each other.
    angle = 2 * np.pi * np.arange(half) / half
    left = np.column_stack([-1.6 + np.cos(angle + angle[1]), np.sin(angle + angle[1])])
    right = np.column_stack([1.6 - np.cos(angle), np.sin(angle)])
    place = np.vstack([left, right])
    figure, axes = plt.subplots(1, len(walks), figsize=(7.2, 2.5))
    for axis, (title, walk) in zip(axes, walks.items(), strict=True):
        for a, b in graph.edges:
            axis.plot(*place[[a, b]].T, color="#E2E2E2", lw=0.7, zorder=0)
        steps = np.column_stack([walk[:-1], walk[1:]])
        for a, b in steps:
            axis.plot(*place[[a, b]].T, color=style.METHOD, lw=1.1, alpha=0.7)
        met = np.unique(walk)
        axis.scatter(*place.T, 28, color="#C8C8C8", zorder=2)
        axis.scatter(*place[met].T, 34, color=style.METHOD, zorder=3)
        axis.scatter(*place[walk[0]], 60, color=style.RIVAL, zorder=4)
        crossed = int((steps // half != steps[:, :1] // half).any(axis=1).sum())
        axis.set_title(f"{title}\nnodes: {len(met)}, crossings: {crossed}", fontsize=9)
        axis.set(aspect="equal")
        axis.axis("off")
    return figure
