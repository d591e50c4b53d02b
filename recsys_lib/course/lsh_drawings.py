"""The pictures of notebook 06: slices, planes, a query beside an edge, distances to be parted."""

from collections.abc import Sequence

import numpy as np

from recsys_lib.course import style

TINT = "#EAF2F8"  # of every second slice


def draw_slices(axis, points: np.ndarray, direction: np.ndarray, offset: float, width: float):
    """Draw points in the plane, a direction, and the slices that a hash function cuts.

    Parameters
    ----------
    axis : matplotlib Axes
    points : float array, shape (n, 2)
    direction : float array, shape (2,)
        v of the hash function, of any length over 0.
    offset, width : float
        b and w of the hash function.
    """
    length = float(np.linalg.norm(direction))
    along = np.asarray(direction, float) / length
    across = np.array([-along[1], along[0]])
    shown = np.vstack([points, [[0, 0]], 1.2 * along])
    low, high = shown.min(axis=0) - 0.5, shown.max(axis=0) + 0.5
    corners = np.array([(x, y) for x in (low[0], high[0]) for y in (low[1], high[1])])
    place = np.floor((corners @ direction + offset) / width)
    for h in range(int(place.min()), int(place.max()) + 1):
        left, right = ((h + side) * width - offset for side in (0, 1))
        left, right = left / length, right / length  # from dot products to places on the line
        ends = [left * along - 20 * across, left * along + 20 * across]
        ends += [right * along + 20 * across, right * along - 20 * across]
        axis.fill(*np.transpose(ends), color=TINT if h % 2 else style.PAPER, lw=0, zorder=0)
        axis.plot(*np.transpose(ends[:2]), color="#B8CBDA", lw=0.8, zorder=1)
        # The name stands on the middle line of the slice, where it is farthest from all points.
        line = (left + right) / 2 * along + np.linspace(-20, 20, 801)[:, None] * across
        line = line[((line > low + 0.25) & (line < high - 0.25)).all(axis=1)]
        if len(line) > 5:
            free = np.linalg.norm(line[:, None] - shown, axis=2).min(axis=1)
            axis.text(*line[free.argmax()], f"h = {h}", color=style.METHOD, ha="center", fontsize=8)
    arrow = {"arrowstyle": "-|>", "lw": 1.6, "color": style.METHOD, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", along * 1.2, (0, 0), arrowprops=arrow)
    axis.text(*(along * 1.32), "v", color=style.METHOD, fontsize=10)
    axis.plot(*points.T, "o", color=style.INK, zorder=3)
    if len(points) <= 12:
        for number, (x, y) in enumerate(points):
            side = {"ha": "left"} if number % 2 else {"ha": "right"}
            axis.text(x + 0.08 * (1 if number % 2 else -1), y, str(number), va="center", **side)
    axis.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axis.grid(False)


def draw_gap(gap: float, width: float, offsets: Sequence[float]):
    """Draw two points on a line and the edges of three draws of b: one of them falls between.

    Parameters
    ----------
    gap : float
        Of the two projections, under ``width``.
    width : float
    offsets : sequence of float
        The places of an edge, each from 0 up to ``width``, counted from the left point.

    Returns
    -------
    matplotlib Figure
    """
    figure, axis = style.canvas(6.4, 0.7 + 0.55 * len(offsets), (10, 1.3 + len(offsets)))
    unit, left = 2.4, 3.4
    right = left + gap / width * unit
    for row, offset in enumerate(offsets):
        y = len(offsets) - row - 0.2
        axis.plot([0.4, 8.2], [y, y], color=style.BASELINE, lw=1)
        parted = offset < gap
        for number in range(-2, 3):
            x = left + (offset / width + number) * unit
            if 0.4 <= x <= 8.2:
                hit = parted and number == 0
                colour = style.LOSS if hit else "#9BB3C6"
                axis.plot([x, x], [y - 0.28, y + 0.28], color=colour, lw=2 if hit else 1.4)
        axis.plot([left, right], [y, y], "o", color=style.INK, zorder=3)
        text, colour = ("parted", style.LOSS) if parted else ("together", style.TRUTH)
        axis.text(8.5, y, text, va="center", color=colour)
    top = len(offsets) + 0.35
    axis.annotate("", (right, top), (left, top), arrowprops={"arrowstyle": "<->", "lw": 1})
    axis.text((left + right) / 2, top + 0.12, "t", ha="center", color=style.INK)
    axis.annotate("", (left, 0.1), (left - unit, 0.1), arrowprops={"arrowstyle": "<->", "lw": 1})
    axis.text(left - unit / 2, 0.16, "w", ha="center", va="bottom", color=style.INK)
    axis.set_title("An edge falls between them with probability t / w")
    return figure


def draw_plane(angle: float):
    """Draw two vectors, a plane that parts them, and where all planes that part them lie.

    Parameters
    ----------
    angle : float
        Between the vectors, in radians.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Arc, Wedge

    figure, axes = plt.subplots(1, 2, figsize=(6.4, 2.9))
    start = np.pi / 5
    ends = [np.array([np.cos(a), np.sin(a)]) for a in (start, start + angle)]
    degrees = np.degrees([start, start + angle])
    arrow = {"arrowstyle": "-|>", "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    for axis in axes:
        for end, name in zip(ends, "xy", strict=True):
            axis.annotate("", end, (0, 0), arrowprops=arrow | {"color": style.INK})
            axis.text(*(1.12 * end), name, ha="center", va="center", fontsize=10)
        axis.add_patch(Arc((0, 0), 0.6, 0.6, theta1=degrees[0], theta2=degrees[1]))
        middle = start + angle / 2
        axis.text(0.42 * np.cos(middle), 0.42 * np.sin(middle), "θ", ha="center", va="center")
        axis.set(xlim=(-1.3, 1.3), ylim=(-1.15, 1.25), aspect="equal", xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for a, colour, text in (
        (start + 0.6 * angle, style.LOSS, "parts them"),
        (start - 0.9, style.TRUTH, "does not"),
    ):
        line = np.array([np.cos(a), np.sin(a)])
        axes[0].plot(*np.outer([-1.15, 1.15], line).T, color=colour, lw=1.6)
        axes[0].text(*(-line + [0.12, 0.08]), text, color=colour, fontsize=8, ha="left")
    axes[0].set_title("A random line through the origin")
    for turn in (0, 180):
        axes[1].add_patch(Wedge((0, 0), 1, *(degrees + turn), color=style.LOSS, alpha=0.18, lw=0))
    axes[1].set_title("Lines in the wedge part them: θ of π")
    return figure


def draw_probes(position: np.ndarray, order: Sequence[tuple[int, int]], points: np.ndarray):
    """Draw a query in the buckets of a table of two functions, with the order of its probes.

    Parameters
    ----------
    position : float array, shape (2,)
        (x . v + b) / w of the query, before rounding.
    order : sequence of (int, int)
        Buckets from the cheapest on; the first is the query's own.
    points : float array, shape (n, 2)
        The same of the indexed points.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(4.6, 3.6))
    home = np.floor(position)
    for rank, bucket in enumerate(order):
        shade = max(0.06, 0.34 - 0.07 * rank)
        colour = style.METHOD if rank else style.RIVAL
        axis.add_patch(plt.Rectangle(bucket, 1, 1, fc=colour, alpha=shade, lw=0, zorder=0))
        name = "own" if rank == 0 else f"probe {rank}"
        axis.text(bucket[0] + 0.06, bucket[1] + 0.06, name, fontsize=8, color=style.INK)
    axis.plot(*points.T, "o", color=style.INK, label="points")
    axis.plot(*position, "*", ms=13, color=style.LOSS, label="query", zorder=4)
    axis.set(xlim=(home[0] - 1.05, home[0] + 2.05), ylim=(home[1] - 1.05, home[1] + 2.05))
    axis.set(aspect="equal", xlabel="(x·v₁ + b₁) / w", ylabel="(x·v₂ + b₂) / w")
    axis.set_xticks(home[0] + np.arange(-1, 3))
    axis.set_yticks(home[1] + np.arange(-1, 3))
    axis.grid(True, color="#9BB3C6")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def draw_distances(near: np.ndarray, every: np.ndarray, curve):
    """Draw the distances of true neighbours and of all items, and what an index makes of them.

    Parameters
    ----------
    near, every : float array
    curve : function from distances to probabilities
        That an item at a distance is examined.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(5.8, 3.2))
    bins = np.linspace(0, float(np.max(every)), 50)
    kinds = (("true neighbours", near, style.TRUTH), ("all films", every, style.BASELINE))
    for name, distances, colour in kinds:
        count, _ = np.histogram(distances, bins)
        axis.stairs(count / count.max(), bins, fill=True, color=colour, alpha=0.35, label=name)
    fine = np.linspace(1e-3, bins[-1], 300)
    axis.plot(fine, curve(fine), color=style.METHOD, label="p(examined)")
    axis.set(xlabel="Euclidean distance", ylabel="probability; height of histogram", ylim=(0, 1.08))
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
