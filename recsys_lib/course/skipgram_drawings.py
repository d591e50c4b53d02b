"""The pictures of notebook 03: the sliding window, the network, and loss curves."""

from collections.abc import Mapping, Sequence

import numpy as np

from recsys_lib.course import style


def draw_window(items: Sequence[str], centre: int, window: int):
    """Draw a list with the window around one item: each arrow is a (centre, context) pair.

    Parameters
    ----------
    items : sequence of str
        A list in the order of time, of about seven items.
    centre : int
        Place of the item in the middle of the window.
    window : int
        Largest distance of a context, in places.

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.patches import Rectangle

    n = len(items)
    figure, axis = style.canvas(7.2, 1.9, (n, 3.2))
    left, right = max(0, centre - window), min(n - 1, centre + window)
    frame = Rectangle((left + 0.03, 0.55), right - left + 0.94, 1.3, fc="#F4F4F4", ec=style.INK)
    axis.add_patch(frame)
    axis.text((left + right + 1) / 2, 0.2, f"window {window}", ha="center", fontsize=8.5)
    for place, item in enumerate(items):
        if place == centre:
            colour = style.METHOD
        else:
            colour = style.TRUTH if left <= place <= right else style.BASELINE
        style.box(axis, (place + 0.5, 1.2), item, colour, (0.86, 0.8))
        if left <= place <= right and place != centre:
            bend = 0.35 * (1 if place < centre else -1)
            arrow = {"arrowstyle": "-|>", "color": style.TRUTH, "lw": 1.2}
            arrow["connectionstyle"] = f"arc3,rad={bend}"
            axis.annotate("", (place + 0.5, 1.62), (centre + 0.5, 1.62), arrowprops=arrow)
    axis.set_title("The window slides: each film in it is a context of the film in the middle")
    return figure


def draw_network(items: Sequence[str], centre: int, hidden: np.ndarray, probability: np.ndarray):
    """Draw skip-gram's three layers for one centre, with the numbers that flow through them.

    Parameters
    ----------
    items : sequence of str, length V
    centre : int
        The item that goes in.
    hidden : float array, shape (N,)
        Its row of ``W``.
    probability : float array, shape (V,)
        What comes out.

    Returns
    -------
    matplotlib Figure
    """
    n, width = len(items), len(hidden)
    figure, axis = style.canvas(7.2, 3.3, (14, n + 1.2))
    height = n - np.arange(n) - 0.2
    middle = height.mean() + (width - 1) / 2 - np.arange(width)
    for x, texts, ys, name in (
        (3.4, np.eye(n, dtype=int)[centre].astype(str), height, "one-hot, V"),
        (7.2, [f"{value:.1f}" for value in hidden], middle, "hidden, N"),
        (11.0, [f"{value:.2f}" for value in probability], height, "P(context), V"),
    ):
        axis.text(x, n + 0.75, name, ha="center", fontsize=8.5, weight="bold")
        for place, (text, y) in enumerate(zip(texts, ys, strict=True)):
            lit = x == 7.2 or (x == 3.4 and place == centre)
            style.box(axis, (x, y), text, style.METHOD if lit else style.INK, (0.9, 0.7))
    for y, item in zip(height, items, strict=True):
        axis.text(2.7, y, item, ha="right", va="center", fontsize=8.5)
        axis.text(11.7, y, item, ha="left", va="center", fontsize=8.5)
    for a in height:
        for b in middle:
            bright = a == height[centre]
            colour = style.METHOD if bright else "#DDDDDD"
            axis.plot((3.85, 6.75), (a, b), color=colour, lw=1.2 if bright else 0.5, zorder=0)
            axis.plot((7.65, 10.55), (b, a), color="#BBBBBB", lw=0.5, zorder=0)
    behind = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.5}
    for x, text in ((5.3, "W: V x N"), (9.1, "C: V x N,\nthen softmax")):
        axis.text(x, 0.35, text, ha="center", va="center", fontsize=8.5, bbox=behind)
    axis.set_title(f"{items[centre]} goes in: its row of W is the hidden layer")
    return figure


def draw_losses(curves: Mapping[str, np.ndarray], lines: Mapping[str, Mapping[str, float]]):
    """Draw a loss curve a panel, with horizontal lines at the values that theory gives.

    Parameters
    ----------
    curves : mapping of title to float array, shape (steps,)
        In nats per pair.
    lines : mapping of the same titles to {name: value}

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(curves), figsize=(7.2, 2.6), squeeze=False)
    for axis, (title, losses) in zip(axes[0], curves.items(), strict=True):
        axis.plot(losses, color=style.METHOD)
        for name, value in lines[title].items():
            axis.axhline(value, color=style.TRUTH, lw=1, ls="--")
            axis.text(len(losses), value, name, color=style.TRUTH, ha="right", va="bottom")
        axis.set(title=title, xlabel="step", ylim=(0, 1.12 * losses.max()))
    axes[0, 0].set_ylabel("loss, nats a pair")
    return figure
