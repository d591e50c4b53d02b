"""The pictures of notebook 02: frames of a window, outlets, the ladder of leaks, drift."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from recsys_lib.course import style

CHANCE = 0.5  # AUC of a score that knows nothing


def draw_frames(seconds: Sequence[int], sample: int):
    """Draw which events of a history a ROWS window and a RANGE window hand to a sample.

    Parameters
    ----------
    seconds : sequence of int
        Times of the events of one user, in the order in which they are sorted.
    sample : int
        The place of the sample's own event.

    Returns
    -------
    matplotlib Figure
        Both windows end before the sample: ROWS one row above it, RANGE one second earlier.
    """
    import matplotlib.pyplot as plt

    seconds, places = np.asarray(seconds), np.arange(len(seconds))
    # Events of one second stand above each other.
    height = places - np.searchsorted(seconds, seconds)
    frames = {
        "ROWS: all rows above": places < sample,
        "RANGE: up to one second earlier": seconds < seconds[sample],
    }
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.3), sharey=True)
    for axis, (title, inside) in zip(axes, frames.items(), strict=True):
        early = inside & (seconds >= seconds[sample])
        kinds = {
            "known at the moment": (inside & ~early, style.TRUTH),
            "seen too early": (early, style.LOSS),
            "not in the window": (~inside & (places != sample), "#C8C8C8"),
        }
        for label, (chosen, colour) in kinds.items():
            axis.scatter(seconds[chosen], height[chosen], 70, color=colour, label=label, zorder=3)
        axis.scatter(
            seconds[sample], height[sample], 110, fc=style.PAPER, ec=style.INK, lw=1.8, zorder=3
        )
        axis.annotate(
            "the sample", (seconds[sample], height[sample]), (9, 9), textcoords="offset points"
        )
        axis.set(title=title, xlabel="second", yticks=[], ylim=(-0.6, height.max() + 1.4))
        axis.set_xlim(seconds.min() - 4, seconds.max() + 4)
        axis.spines["left"].set_visible(False)
        axis.grid(visible=False, axis="y")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def draw_outlets():
    """Draw one definition of a feature and the three products that are made of it."""
    figure, axis = style.canvas(7.2, 2.9, (14, 6))
    style.box(axis, (1.8, 3), "events\nuser, film,\nstars, second", style.BASELINE, (2.8, 1.9))
    style.box(
        axis, (6.2, 3), "one definition\n\nmean = sum / count\nof earlier events", style.METHOD,
        (3.4, 2.3),
    )  # fmt: skip
    style.arrow(axis, (3.2, 3), (4.5, 3))
    outlets = {
        5: "training samples\none row before each event",
        3: "serving features\none row after the last event",
        1: "monitoring\nshares of values by month",
    }
    for y, text in outlets.items():
        style.arrow(axis, (7.9, 3 + (y - 3) * 0.3), (9.4, y), colour=style.METHOD)
        style.box(axis, (11.6, y), text, style.TRUTH, (4.4, 1.3))
    axis.set_title("Three outlets, and nothing is defined twice")
    return figure


def draw_ladder(ladder: pd.DataFrame):
    """Draw AUCs with their intervals, group by group, from honest to leaking.

    Parameters
    ----------
    ladder : DataFrame
        A row a bar, from top to bottom: ``group``, ``rung``, ``auc``, ``low``, ``high``. The first
        row of a group is the honest one.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(ladder["group"]))
    group = ladder["group"].map(names.index).to_numpy()
    honest = ~ladder["group"].duplicated().to_numpy()
    y = -(np.arange(len(ladder)) + 1.1 * group)
    figure, axis = plt.subplots(figsize=(7.2, 0.9 + 0.3 * len(ladder) + 0.3 * len(names)))
    colours = np.where(honest, style.TRUTH, style.LOSS)
    error = [ladder["auc"] - ladder["low"], ladder["high"] - ladder["auc"]]
    axis.barh(y, ladder["auc"] - CHANCE, left=CHANCE, height=0.72, color=colours, alpha=0.75)
    axis.errorbar(ladder["auc"], y, xerr=error, fmt="none", color=style.INK, capsize=2.5, lw=1.1)
    for place, high, value in zip(y, ladder["high"], ladder["auc"], strict=True):
        axis.text(high + 0.006, place, f"{value:.3f}", va="center", fontsize=8)
    for i, name in enumerate(names):
        axis.text(CHANCE, y[group == i][0] + 0.75, name, va="center", weight="bold", fontsize=8.5)
    axis.set_yticks(y, ladder["rung"])
    axis.tick_params(axis="y", length=0)
    right = max(ladder["high"].max() + 0.05, 0.7)
    axis.set(xlim=(min(CHANCE, ladder["low"].min() - 0.01), right), ylim=(y.min() - 0.6, 1.2))
    axis.set_xlabel("AUC on the test rows (95 % interval over users); 0.5 is chance")
    axis.grid(visible=False, axis="y")
    axis.set_axisbelow(True)
    return figure


def draw_false_alarms(shares: pd.DataFrame, n_bins: int, n_draws: int):
    """Draw how often PSI passes a threshold though nothing drifts: simulated, and by the formula.

    Parameters
    ----------
    shares : DataFrame
        The simulated share of alarms; a row for each size of both samples, a column for each
        threshold (a number).
    n_bins, n_draws : int
        Of the simulation.

    Returns
    -------
    matplotlib Figure
        Bars are two standard errors of a share of ``n_draws`` draws.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(5.6, 3.2))
    sizes = np.geomspace(min(shares.index), max(shares.index), 200)
    for threshold, colour in zip(shares, (style.LOSS, style.METHOD), strict=False):
        by_formula = chdtrc(n_bins - 1, threshold / (2 / sizes))
        axis.plot(sizes, by_formula, color=colour, lw=1.2)
        share = shares[threshold]
        error = 2 * np.sqrt(share * (1 - share) / n_draws)
        axis.errorbar(
            share.index, share, yerr=error, fmt="o", c=colour, capsize=2, label=f"PSI > {threshold}"
        )
    axis.set(xscale="log", xlabel="rows in each sample", ylabel="share of false alarms")
    axis.set_xticks(shares.index, [f"{size:,}" for size in shares.index])
    axis.minorticks_off()
    axis.legend(title="dots: simulated, lines: formula")
    return figure


def draw_drift(table: pd.DataFrame, thresholds: Mapping[str, float]):
    """Draw what each column has drifted, beside what shuffled users give without any drift.

    Parameters
    ----------
    table : DataFrame
        A row a column: ``drift`` and ``without drift``, the 95 % quantile of shuffled users.
    thresholds : mapping of name to float
        Drawn as lines.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    table = table.sort_values("drift")
    y = np.arange(len(table))
    values = table[["drift", "without drift"]].to_numpy()
    # Where nothing has moved at all there is a zero, which has no place on a logarithmic axis.
    left = min(values[values > 0], default=min(thresholds.values())) / 2
    figure, axis = plt.subplots(figsize=(6.4, 0.9 + 0.3 * len(table)))
    axis.barh(
        y, table["without drift"] - left, left=left, height=0.7, color="#D8D8D8",
        label="95 % of shuffled users stay in here",
    )  # fmt: skip
    sure = table["drift"] > table["without drift"]
    for chosen, colour, label in (
        (sure, style.LOSS, "drift"),
        (~sure, style.BASELINE, "within chance"),
    ):
        axis.scatter(table["drift"][chosen], y[chosen], 34, color=colour, label=label, zorder=3)
    axis.set(xscale="log", xlim=(left, None), ylim=(-0.6, len(table) + 0.3))
    axis.set_yticks(y, table.index)
    for name, value in thresholds.items():
        axis.axvline(value, color=style.INK, lw=0.9, ls=":")
        axis.text(value, len(table) - 0.15, f" {name}", fontsize=7.5, color=style.INK)
    axis.set_xlabel("PSI of the last month against the first")
    axis.grid(visible=False, axis="y")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.xaxis.set_minor_formatter("")
    figure.legend(loc="outside lower center", ncols=3)
    return figure
