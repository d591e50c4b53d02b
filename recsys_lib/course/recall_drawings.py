"""Pictures of notebook 05: the funnel, the two towers, and intervals in panels."""

from collections.abc import Mapping, Sequence

import numpy as np

from recsys_lib.course import style


def draw_funnel(n_items: int, candidates: int, k: int = 10):
    """Draw how a catalogue narrows to the list that a user sees.

    Parameters
    ----------
    n_items, candidates, k : int
        Items in the catalogue, handed to ranking, and shown.

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.patches import Polygon

    figure, axis = style.canvas(7.2, 2.7, (12, 4.5))
    stages = [
        (0.3, 3.9, 1.9, 1.15, style.BASELINE, f"recall\nreads {n_items:,} items"),
        (4.6, 8.2, 1.05, 0.55, style.METHOD, f"ranking\nreads {candidates:,}"),
        (8.9, 11.7, 0.5, 0.32, style.TRUTH, f"shows {k}"),
    ]
    for left, right, wide, narrow, colour, text in stages:
        corners = [(left, 2.3 + wide), (right, 2.3 + narrow), (right, 2.3 - narrow)]
        shape = Polygon([*corners, (left, 2.3 - wide)], fc=colour, alpha=0.15, ec=colour)
        axis.add_patch(shape)
        axis.text((left + right) / 2, 2.3, text, ha="center", va="center", fontsize=9)
    for x in (4.25, 8.55):
        style.arrow(axis, (x - 0.3, 2.3), (x + 0.3, 2.3))
    axis.text(2.1, 0.1, "cheap, wide: must not miss", ha="center", fontsize=8.5)
    axis.text(6.4, 0.1, "expensive, precise: puts in order", ha="center", fontsize=8.5)
    axis.set_title("What recall does not bring, ranking cannot show")
    return figure


def draw_towers(n_recent: int, dim: int):
    """Draw a tower that reads a user, one that reads an item, and the product of their vectors.

    Parameters
    ----------
    n_recent : int
        Likes that the user tower reads.
    dim : int
        Length of the vectors.

    Returns
    -------
    matplotlib Figure
    """
    figure, axis = style.canvas(7.2, 3.6, (12, 6.2))
    towers = (
        (3.2, style.METHOD, [f"last {n_recent} likes", f"mean of embeddings, {dim}"]),
        (8.8, style.RIVAL, ["one item", f"embedding, {dim}"]),
    )
    for x, colour, texts in towers:
        texts = [*texts, f"dense layer, {dim}", "length 1"]
        for level, text in enumerate(texts):
            style.box(axis, (x, 0.6 + 1.2 * level), text, colour, (3.6, 0.75))
            if level:
                style.arrow(axis, (x, 1.2 * level - 0.22), (x, 1.2 * level + 0.22), colour=colour)
    for x, word in ((0.9, "user\ntower"), (11.1, "item\ntower")):
        axis.text(x, 2.4, word, ha="center", va="center", fontsize=9, weight="bold")
    style.box(axis, (6, 5.6), "score = inner product", style.TRUTH, (3.4, 0.8))
    style.arrow(axis, (3.2, 4.6), (4.6, 5.2), "u", style.METHOD)
    style.arrow(axis, (8.8, 4.6), (7.4, 5.2), "v", style.RIVAL)
    axis.set_title("The towers meet only at the top, so item vectors can be stored")
    return figure


def draw_panels(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    label: str,
    title: str,
    *,
    zero: bool = True,
    bold: Sequence[str] = (),
):
    """Draw intervals in panels that share their rows, the first row on top.

    Parameters
    ----------
    panels : mapping of title to {row: (mean, low, high)}
        A row may be missing in a panel.
    label : str
        Of the horizontal axes.
    title : str
        Of the figure: its finding.
    zero : bool
        Whether differences are shown: a line at zero, and intervals that leave it out coloured.
    bold : sequence of str
        Rows in the colour of the method where ``zero`` is false.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    rows = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    size = (7.2, 1.15 + 0.24 * len(rows))
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
    for axis, (name, panel) in zip(axes[0], panels.items(), strict=True):
        if zero:
            axis.axvline(0, color=style.INK, lw=0.8)
        for row, (mean, low, high) in panel.items():
            clear = (low > 0 or high < 0) if zero else row in bold
            colour = style.BASELINE if not clear else style.LOSS if high < 0 else style.METHOD
            y = -rows.index(row)
            axis.plot((low, high), (y, y), color=colour)
            axis.plot([mean], [y], "o", color=colour)
        axis.set_title(name, fontsize=9, weight="normal")
        axis.set_xlabel(label)
        axis.grid(visible=False, axis="y")
        axis.locator_params(axis="x", nbins=6 if len(panels) < 3 else 4)
    axes[0, 0].set_yticks(-np.arange(len(rows)), rows)
    axes[0, 0].set_ylim(-len(rows) + 0.4, 0.6)
    figure.suptitle(title, fontsize=10, weight="bold", x=0.01, ha="left")
    return figure


def draw_grids(grids: Mapping[str, Mapping[str, float]], chosen: Mapping[str, str], label: str):
    """Draw what each setting of each channel is worth, a row a channel.

    Parameters
    ----------
    grids : mapping of channel to {setting: value}
    chosen : mapping of channel to the setting in use
    label : str
        Of the horizontal axis.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    names = sorted(grids, key=lambda name: -max(grids[name].values()))
    figure, axis = plt.subplots(figsize=(7.2, 1.0 + 0.27 * len(names)))
    for y, name in enumerate(names):
        values = np.array(list(grids[name].values()))
        axis.plot(values, np.full(len(values), -y), "|", color=style.BASELINE, ms=9)
        axis.plot([values.max()], [-y], "D", color=style.TRUTH, ms=5)
        axis.plot([grids[name][chosen[name]]], [-y], "o", color=style.METHOD, ms=8, mfc="none")
    axis.set_yticks(-np.arange(len(names)), names)
    axis.set(xlabel=label, ylim=(-len(names) + 0.4, 0.6))
    marks = (
        ("|", style.BASELINE, "tried"),
        ("D", style.TRUTH, "best"),
        ("o", style.METHOD, "used"),
    )
    for mark, colour, text in marks:
        fill = "none" if mark == "o" else colour
        axis.plot([], [], mark, color=colour, mfc=fill, label=text)
    axis.legend(loc="upper left")
    return figure
