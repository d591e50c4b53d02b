"""The pictures of notebook 07 and its lab: the network with its numbers, and the leaking split."""

from collections.abc import Sequence

import numpy as np

from recsys_lib.course import style


def draw_forward(
    given: Sequence[tuple[str, np.ndarray]], hidden: Sequence[np.ndarray], probability: float
):
    """Draw what flows through Embedding+MLP for one sample, from its values to the probability.

    Parameters
    ----------
    given : sequence of (text, float array)
        Each value of the sample, and what it becomes: the row of its table, or a number.
    hidden : sequence of float arrays
        What each hidden layer gives.
    probability : float

    Returns
    -------
    matplotlib Figure
    """
    joined = np.concatenate([row for _, row in given])
    high = len(joined) + 0.4
    layers = [joined, *hidden, np.array([probability])]
    names = ["side by side", *(f"hidden {n}" for n in range(1, len(hidden) + 1)), "P(like)"]
    across = np.linspace(5.6, 13.4, len(layers))
    figure, axis = style.canvas(7.2, 3.3, (14.2, high + 1.1))
    places = [high / 2 + (len(layer) - 1) / 2 - np.arange(len(layer)) for layer in layers]
    for x, layer, ys, name in zip(across, layers, places, names, strict=True):
        axis.text(x, high + 0.6, name, ha="center", fontsize=8.5, weight="bold")
        for y, value in zip(ys, layer, strict=True):
            colour = style.TRUTH if name == "P(like)" else style.INK
            style.box(axis, (x, y), f"{value:.2f}", colour, (1.0, 0.72))
    for n in range(len(layers) - 1):
        for a in places[n]:
            for b in places[n + 1]:
                ends = (across[n] + 0.5, across[n + 1] - 0.5)
                axis.plot(ends, (a, b), color="#CCCCCC", lw=0.6, zorder=0)
    axis.text(1.2, high + 0.6, "sample", ha="center", fontsize=8.5, weight="bold")
    at = 0
    for text, row in given:
        ys = places[0][at : at + len(row)]
        vector = len(row) > 1
        style.box(axis, (1.2, ys.mean()), text, style.METHOD if vector else style.INK, (2.2, 0.9))
        label = "row of its table" if vector else ""
        start, end = (2.3, ys.mean()), (across[0] - 0.6, ys.mean())
        style.arrow(axis, start, end, label, style.METHOD if vector else style.INK)
        at += len(row)
    axis.set_title("Categories become vectors, layers mix them, a sigmoid ends it")
    return figure


def draw_take_and_skip(orders: np.ndarray, n_test: int):
    """Draw a pipeline that shuffles anew at every pass, and what it does to its test part.

    All passes but the last train on what ``skip(n_test)`` leaves; the last one is the test, what
    ``take(n_test)`` takes of yet another order.

    Parameters
    ----------
    orders : int array, shape (n_passes, n_rows)
        The rows in the order of each pass.
    n_test : int

    Returns
    -------
    matplotlib Figure
    """
    n_passes, n_rows = orders.shape
    figure, axis = style.canvas(7.2, 0.6 + 0.5 * n_passes, (n_rows + 3.4, n_passes + 0.7))
    seen = np.unique(orders[:-1, n_test:])
    for number, order in enumerate(orders):
        y, last = n_passes - number - 0.6, number == n_passes - 1
        name = "test: take" if last else f"pass {number + 1}: skip"
        axis.text(3.1, y, name, ha="right", va="center", fontsize=8.5)
        for place, row in enumerate(order):
            used = (place < n_test) == last  # tested in the last pass, trained on in the others
            leaked = last and used and row in seen
            colour = style.LOSS if leaked else style.TRUTH if last else style.METHOD
            x = place + 3.8
            style.box(axis, (x, y), str(row), colour if used else style.INK, (0.84, 0.7))
            if not used:
                axis.plot((x - 0.42, x + 0.42), (y - 0.35, y + 0.35), color="#BBBBBB", lw=0.8)
    border = n_test + 3.3
    axis.plot((border, border), (0, n_passes), color=style.INK, lw=1, ls="--")
    n_leaked = np.isin(orders[-1, :n_test], seen).sum()
    axis.set_title(f"{n_leaked} of {n_test} tested rows have been trained on (orange)")
    return figure
