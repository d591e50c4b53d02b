"""Figures of notebook 15: the loop of a bandit, beliefs, regret with bands, estimates and truth."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from recsys_lib.course import style
from recsys_lib.evaluation.intervals import seed_interval
from recsys_lib.online import Played


def draw_loop():
    """Draw what a policy sees of a visit, and what stays unknown."""
    figure, axis = style.canvas(7.2, 2.1, (12, 3.4))
    style.box(axis, (1.3, 2.6), "visitor\nand context", style.INK, (2.0, 1.1))
    style.box(axis, (4.6, 2.6), "policy", style.METHOD, (1.8, 1.1))
    style.box(axis, (8.0, 2.6), "film on the\nfirst place", style.METHOD, (2.2, 1.1))
    style.box(axis, (10.9, 2.6), "like\nor not", style.TRUTH, (1.5, 1.1))
    style.arrow(axis, (2.3, 2.6), (3.7, 2.6))
    style.arrow(axis, (5.5, 2.6), (6.9, 2.6))
    style.arrow(axis, (9.1, 2.6), (10.15, 2.6))
    axis.plot([10.9, 10.9, 4.6], [2.05, 1.1, 1.1], color=style.TRUTH, lw=1.2)
    style.arrow(axis, (4.6, 1.1), (4.6, 2.05), colour=style.TRUTH)
    axis.text(7.7, 1.2, "learns from this one answer", ha="center", color=style.TRUTH, fontsize=8)
    lost = "never seen: what this visitor would have said to the other films"
    axis.text(7.7, 0.35, lost, ha="center", color=style.LOSS, fontsize=8)
    return figure


def draw_beliefs(
    stages: Mapping[str, tuple[np.ndarray, np.ndarray]], truth: np.ndarray, title: str
):
    """Draw the beta distributions of Thompson sampling, one panel a stage.

    Parameters
    ----------
    stages : mapping of str to (pulls, likes)
        Float arrays of shape (arms,); the prior is uniform.
    truth : float array, shape (arms,)
        The true chances, dotted.
    title : str
    """
    import matplotlib.pyplot as plt
    from scipy import stats

    colours = (style.BASELINE, style.RIVAL, style.METHOD)
    figure, axes = plt.subplots(1, len(stages), figsize=(7.2, 2.5))
    grid = np.linspace(0, 1, 400)
    for axis, (name, (pulls, likes)) in zip(axes, stages.items(), strict=True):
        for arm, colour in enumerate(colours[: len(truth)]):
            density = stats.beta.pdf(grid, 1 + likes[arm], 1 + pulls[arm] - likes[arm])
            axis.plot(grid, density, color=colour, label=f"film {arm + 1}: {pulls[arm]:.0f} shows")
            axis.axvline(truth[arm], ymax=0.66, color=colour, ls=":", lw=1)
        axis.set(xlabel="chance of a like", yticks=[], xlim=(0, 1))
        axis.grid(visible=False)
        axis.set_ylim(0, 1.5 * axis.get_ylim()[1])  # room for the legend
        axis.set_title(name, fontweight="normal", fontsize=9)
        axis.legend(fontsize=7, loc="upper left")
    axes[0].set_ylabel("density")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def regret_table(played: Mapping[str, Played]) -> pd.DataFrame:
    """Return regret at the end: mean and 95 % t interval over runs, their spread, the worst run."""
    rows = {}
    for name, each in played.items():
        last = each.regret[:, -1]
        rows[name] = (*seed_interval(last), last.std(ddof=1), last.max())
    columns = ["regret", "low", "high", "sd_of_runs", "worst_run"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def draw_regret(
    played: Mapping[str, Played],
    panels: Mapping[str, Mapping[str, str]],
    title: str,
    *,
    top: float,
):
    """Draw mean regret by visits; the band holds the middle 80 % of runs.

    Parameters
    ----------
    played : mapping by the name of a policy
    panels : mapping of a panel's title to (mapping of a policy to its colour)
        All panels have one scale.
    title : str
    top : float
        Upper end of the axis of regret; what leaves the picture is named at its edge.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(7.6, 3.6), sharey=True)
    for axis, (panel, colours) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        ends = []
        for name, colour in colours.items():
            rounds = np.append(0, played[name].rounds)
            regret = np.pad(played[name].regret, ((0, 0), (1, 0)))  # nothing is lost at first
            low, high = np.quantile(regret, [0.1, 0.9], axis=0)
            mean = regret.mean(axis=0)
            axis.fill_between(rounds, low, high, color=colour, alpha=0.15, lw=0)
            axis.plot(rounds, mean, color=colour)
            ends.append((mean[-1], name, colour))
        # Names stand at the ends of their lines, moved apart where these lie too close.
        least, at = 0.06 * top, -np.inf
        for mean, name, colour in sorted(ends):
            at = max(min(mean, 0.96 * top), at + least)
            note = f"{name} ({mean:,.0f})" if mean > top else name
            axis.text(1.02 * rounds[-1], at, note, color=colour, va="center", fontsize=8)
        axis.set(xlim=(0, 1.75 * rounds[-1]), ylim=(0, top), xlabel="visits")
        ticks = [0, rounds[-1] // 2, rounds[-1]]
        axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axis.set_title(panel, fontweight="normal", fontsize=9)
    np.atleast_1d(axes)[0].set_ylabel("regret: likes lost so far")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def draw_estimates(table: pd.DataFrame, marks: Mapping[str, tuple[float, str]], title: str):
    """Draw estimates with their intervals, one row each, beside known values as lines.

    Parameters
    ----------
    table : DataFrame
        ``value``, ``low``, ``high``, indexed by estimator.
    marks : mapping of str to (value, colour)
        Such as the truth.
    title : str
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.4, 0.9 + 0.32 * len(table)))
    truth = next(iter(marks.values()))[0]
    for place, row in enumerate(table[::-1].itertuples()):
        colour = style.METHOD if row.low <= truth <= row.high else style.LOSS
        axis.plot((row.low, row.high), (place, place), color=colour)
        axis.plot([row.value], [place], "o", color=colour)
    for name, (value, colour) in marks.items():
        axis.axvline(value, color=colour, lw=1.2, ls="--", zorder=0)
        behind = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.5}
        axis.text(
            value, len(table) - 0.35, name, color=colour, ha="center", fontsize=8, bbox=behind
        )
    axis.set_yticks(range(len(table)), table.index[::-1])
    axis.set(xlabel="likes a visit", ylim=(-0.6, len(table) + 0.1))
    axis.set_title(title, pad=10)
    axis.grid(visible=False, axis="y")
    return figure
