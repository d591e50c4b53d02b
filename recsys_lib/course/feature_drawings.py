"""The pictures of notebook 01: rows and columns, quantile cuts, normal plots."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtri

from recsys_lib.course import style


def draw_normalizer(table: pd.DataFrame, normalized: Mapping[float, np.ndarray]):
    """Draw which way a scaler and the Normalizer work, and where the Normalizer puts the rows.

    Parameters
    ----------
    table : DataFrame
        Two columns of numbers, not negative, indexed by the names of the rows.
    normalized : mapping of p to float array, shape (n_rows, 2)
        The rows divided by their p-norms; of the largest p the points get names.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.9), width_ratios=(1.1, 1))
    left.set(xlim=(0, 1), ylim=(0, 1), title="Two directions in one table")
    left.axis("off")
    left.table(
        table.astype(str).to_numpy(),
        rowLabels=table.index,
        colLabels=table.columns,
        bbox=(0.22, 0.12, 0.5, 0.72),
    )
    left.annotate("", (0.3, 0.1), (0.3, 0.71), arrowprops=_arrow(style.METHOD))
    left.annotate("", (0.98, 0.66), (0.73, 0.66), arrowprops=_arrow(style.RIVAL))
    left.text(0.3, 0.0, "scaler: down a column", color=style.METHOD, ha="center")
    left.text(0.75, 0.72, "Normalizer:\nalong a row", color=style.RIVAL)
    quarter = np.linspace(0, np.pi / 2, 99)
    circle = np.column_stack([np.cos(quarter), np.sin(quarter)])
    colours = (style.BASELINE, style.RIVAL, style.SECOND_RIVAL)
    for (p, points), colour in zip(normalized.items(), colours, strict=False):
        right.scatter(*points.T, color=colour, zorder=2, label=f"L{p:g}")
        right.plot(*(circle / (circle**p).sum(axis=1, keepdims=True) ** (1 / p)).T, c=colour, lw=1)
    named = normalized[max(normalized)]
    for name, (x, y) in zip(table.index, named, strict=True):
        above = (named[:, 1] > y) & (named[:, 1] < y + 0.1)  # leave room for that one's name
        place = (6, -7) if above.any() else (5, 3)
        right.annotate(name, (x, y), xytext=place, textcoords="offset points", fontsize=8)
    right.set(xlim=(0, 1.3), ylim=(0, 1.15), aspect="equal", title="The direction is what stays")
    right.set(xlabel=f"{table.columns[0]} / norm", ylabel=f"{table.columns[1]} / norm")
    right.legend(loc="lower left")
    return figure


def draw_quantile_cuts(values, n_buckets: int):
    """Draw quantile cuts on the cumulative curve: those that fall on one value become one cut.

    Parameters
    ----------
    values : float array, shape (n,)
        Positive.
    n_buckets : int
        At least 2.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    values = np.sort(np.asarray(values, np.float64))
    levels = np.arange(1, n_buckets) / n_buckets
    cuts = np.quantile(values, levels, method="inverted_cdf")
    first = np.append(True, cuts[1:] != cuts[:-1])
    on_smallest = int((cuts == values[0]).sum())
    figure, (whole, start) = plt.subplots(1, 2, figsize=(7.2, 2.9))
    for axis in (whole, start):
        heights = np.arange(1, len(values) + 1) / len(values)
        axis.step(values, heights, where="post", color=style.INK, lw=1)
        for chosen, colour, what in ((first, style.TRUTH, "kept"), (~first, style.LOSS, "merged")):
            axis.scatter(cuts[chosen], levels[chosen], 12, color=colour, label=what, zorder=3)
        axis.set(xlabel="ratings of the film", ylabel="share of the films")
    whole.set(xscale="log", title=f"{n_buckets - 1} cuts, {first.sum()} of them different")
    reach = cuts[first][:8][-1] + 0.5  # to the eighth cut, whatever the counts
    margin = 0.24 * (reach - values[0])
    top = min(1.0, np.searchsorted(values, reach, side="right") / len(values) + 0.05)
    start.set(xlim=(values[0] - margin, reach), ylim=(0, top))
    start.set_title(f"Cuts on the smallest count: {on_smallest}")
    if on_smallest:
        start.axvspan(values[0] - margin, values[0], color=style.BASELINE, alpha=0.15, lw=0)
        start.text(values[0] - margin / 2, top / 2, "bucket 0:\nempty", fontsize=8, ha="center")
    start.legend(loc="lower right")
    return figure


def draw_normal_plots(forms: Mapping[str, np.ndarray], highlighted: str):
    """Draw each form of a number against the normal distribution; normal data lie on the line.

    Parameters
    ----------
    forms : mapping of name to float array, shape (n,)
    highlighted : str
        The form in another colour.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(forms), figsize=(7.2, 2.6))
    for axis, (name, values) in zip(axes, forms.items(), strict=True):
        values = np.sort(np.asarray(values, np.float64))
        z = ndtri((np.arange(len(values)) + 0.5) / len(values))
        axis.plot(z, values.mean() + values.std() * z, color=style.BASELINE, lw=1, ls="--")
        axis.scatter(z, values, 4, color=style.TRUTH if name == highlighted else style.METHOD)
        axis.set(title=name, xlabel="normal quantile")
    axes[0].set_ylabel("rating count of the film")
    return figure


def _arrow(colour: str) -> dict:
    return {"arrowstyle": "-|>", "color": colour, "lw": 1.4}
