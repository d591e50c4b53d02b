"""The pictures of notebooks 08: the family, crosses, costs, and a user's history."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from recsys_lib.course import style


def draw_family():
    """Draw which ranking model takes what from which other one.

    Returns
    -------
    matplotlib Figure
    """
    figure, axis = style.canvas(7.2, 3.7, (14.4, 7.4))
    places = {
        "Logistic\nregression": (1.4, 5.0, style.BASELINE),
        "Embedding\n+MLP": (1.4, 1.9, style.BASELINE),
        "FM": (5.2, 6.3, style.METHOD),
        "Wide & Deep": (5.2, 4.5, style.METHOD),
        "NeuralCF": (5.2, 2.95, style.METHOD),
        "Deep Crossing": (5.2, 0.55, style.METHOD),
        "FNN": (9.6, 6.3, style.METHOD),
        "DeepFM": (9.6, 4.5, style.METHOD),
        "DCN-v2": (9.6, 2.2, style.METHOD),
        "DIN": (9.6, 0.7, style.SECOND_RIVAL),
        "DIEN": (13.1, 0.7, style.SECOND_RIVAL),
    }
    for name, (x, y, colour) in places.items():
        style.box(axis, (x, y), name, colour, (2.3, 0.9))

    def link(start, end, text=""):
        (x0, y0, _), (x1, y1, _) = places[start], places[end]
        if x0 == x1:
            side = 0.47 if y1 > y0 else -0.47
            style.arrow(axis, (x0, y0 + side), (x1, y1 - side), text)
        else:
            style.arrow(axis, (x0 + 1.17, y0), (x1 - 1.17, y1), text)

    link("Logistic\nregression", "FM", "all pairs")
    link("Logistic\nregression", "Wide & Deep", "memory")
    link("Embedding\n+MLP", "Wide & Deep")
    link("Embedding\n+MLP", "NeuralCF", "two ids")
    link("Embedding\n+MLP", "Deep Crossing", "shortcuts")
    link("FM", "FNN", "initial\nvalues")
    link("FM", "DeepFM", "pairs")
    link("Wide & Deep", "DeepFM", "two parts")
    link("DIN", "DIEN", "order")
    # Two that pass below and above the others, from the network to the right.
    style.arrow(axis, (2.57, 1.85), (8.43, 2.0), "products as layers")
    style.arrow(axis, (2.57, 1.55), (8.43, 0.75), "attention")
    axis.set_title("Who takes what from whom; grey: known from before, pink: the next lesson")
    return figure


def draw_crosses(strength: np.ndarray, names: Sequence[str], title: str):
    """Draw how strongly each two features are multiplied, as a heat map.

    Parameters
    ----------
    strength : float array, shape (f, f)
        Symmetric, at least 0.
    names : sequence of str, length f
    title : str

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    size = 1.9 + 0.24 * len(names)
    figure, axis = plt.subplots(figsize=(size + 0.7, size))
    shown = axis.imshow(strength, cmap="Blues", vmin=0)
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names)
    axis.grid(False)
    axis.set_title(title)
    figure.colorbar(shown, ax=axis, label="size of the weight", shrink=0.8)
    return figure


def draw_costs(seconds: Mapping, aucs: Mapping, others: Collection[str] = ()):
    """Draw what each model reaches against the seconds that it takes.

    Parameters
    ----------
    seconds, aucs : Series or mapping of name to float
        Duration of a training, and AUC.
    others : collection of str
        Names that get the colour of a rival.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator

    figure, axis = plt.subplots(figsize=(6.4, 3.4))
    names = sorted(aucs.keys(), key=lambda name: aucs[name])
    # Names stand in a column on the right, so that near points do not overwrite each other.
    low, high = min(aucs.values), max(aucs.values)
    heights = np.linspace(low, high, len(names)) if len(names) > 1 else [low]
    right = max(seconds.values) * 1.6
    for name, height in zip(names, heights, strict=True):
        colour = style.RIVAL if name in others else style.METHOD
        axis.plot(seconds[name], aucs[name], "o", color=colour)
        axis.plot((seconds[name], right * 0.97), (aucs[name], height), color="#CCCCCC", lw=0.6)
        axis.text(right, height, name, va="center", fontsize=8, color=colour)
    axis.set(xscale="log", xlabel="seconds of one training", ylabel="test AUC")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.minorticks_off()
    axis.set_xlim(min(seconds.values) * 0.8, right * 3.2)
    return figure


def draw_interests(groups: Mapping[str, np.ndarray], candidate: np.ndarray, weighted: np.ndarray):
    """Draw liked films in the plane, their mean, and a sum weighted by a candidate.

    Parameters
    ----------
    groups : mapping of name to float array, shape (n, 2)
    candidate, weighted : float arrays, shape (2,)

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(5.0, 3.6))
    for (name, films), colour in zip(groups.items(), (style.TRUTH, style.RIVAL), strict=False):
        axis.plot(*films.T, "o", color=colour)
        axis.text(*(films.max(axis=0) + 0.12), name, color=colour)
    mean = np.concatenate(list(groups.values())).mean(axis=0)
    for point, mark, colour, name in (
        (candidate, "*", style.INK, "candidate"),
        (mean, "X", style.LOSS, "mean"),
        (weighted, "P", style.METHOD, "weighted by the candidate"),
    ):
        axis.plot(*point, mark, color=colour, markersize=10)
        axis.text(point[0] + 0.18, point[1], name, color=colour, va="center")
    axis.set(xlim=(0, 6), ylim=(0, 4.6), xlabel="first number of a vector", ylabel="second")
    axis.set_title("The mean of two interests lies where no film is")
    return figure


def draw_attention(panels: Mapping[str, Mapping[str, float]]):
    """Draw the weights of a user's liked films, a panel for each candidate.

    Parameters
    ----------
    panels : mapping of a candidate's title to {liked title: weight}
        The latest like first.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    longest = max(len(weights) for weights in panels.values())
    size = (4.2 * len(panels), 1.0 + 0.24 * longest)
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharex=True, squeeze=False)
    for axis, (title, weights) in zip(axes[0], panels.items(), strict=True):
        places = -np.arange(len(weights))
        colours = [style.METHOD if weight > 0 else style.LOSS for weight in weights.values()]
        axis.barh(places, list(weights.values()), color=colours)
        axis.set_yticks(places, list(weights))
        axis.axvline(0, color=style.INK, lw=0.8)
        axis.set_axisbelow(True)
        axis.set(title=title, xlabel="weight of the liked film")
    return figure
