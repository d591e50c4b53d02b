"""Figures of notebook 13: paired differences, curves with intervals, and the tree of questions."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from recsys_lib.course import style
from recsys_lib.evaluation import Interval, mean_difference, mean_interval
from recsys_lib.recall import Interview
from recsys_lib.recall.cold_start.interview import DISLIKE, LEAF, LIKE, UNKNOWN


def differences(figures: pd.DataFrame, anchor) -> pd.DataFrame:
    """Return each column less the anchor, paired by user.

    Parameters
    ----------
    figures : DataFrame
        A row a user, a column a method.
    anchor : label of a column

    Returns
    -------
    DataFrame
        A row a method: ``mean``, ``difference``, ``low`` and ``high`` (of its 95 % interval).
    """
    rows = {
        name: (figures[name].mean(), *mean_difference(figures[name], figures[anchor]))
        for name in figures
    }
    columns = ["mean", "difference", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def draw_differences(table: pd.DataFrame, anchor, title: str, label: str):
    """Draw a forest plot of what :func:`differences` returns; the anchor's row is left out."""
    import matplotlib.pyplot as plt

    rows = table.drop(index=anchor).iloc[::-1]
    figure, axis = plt.subplots(figsize=(5.6, 0.9 + 0.32 * len(rows)))
    for place, row in enumerate(rows.itertuples()):
        sure = row.low > 0 or row.high < 0
        colour = style.METHOD if row.low > 0 else style.LOSS if sure else style.BASELINE
        axis.plot((row.low, row.high), (place, place), color=colour)
        axis.plot([row.difference], [place], "o", color=colour)
    axis.axvline(0, color=style.INK, lw=1)
    axis.locator_params(axis="x", nbins=7)
    axis.set_yticks(range(len(rows)), rows.index)
    axis.set(xlabel=label, title=title, ylim=(-0.6, len(rows) - 0.4))
    axis.grid(visible=False, axis="y")
    return figure


def draw_curves(
    curves: Mapping[str, Mapping[float, pd.Series]],
    colours: Mapping[str, str],
    title: str,
    xlabel: str,
    levels: Mapping[str, pd.Series] | None = None,
):
    """Draw means over users with 95 % intervals, a line a method, at evenly spaced places.

    Parameters
    ----------
    curves : mapping
        By method, by the count on the x axis: nDCG@10 of each user.
    colours : mapping
    title, xlabel : str
    levels : mapping, optional
        Drawn as dashed lines over the whole width.
    """
    import matplotlib.pyplot as plt

    counts = sorted({count for by_count in curves.values() for count in by_count})
    figure, axis = plt.subplots()
    ends = {}
    for name, by_count in curves.items():
        some = sorted(by_count)
        at = np.array([counts.index(count) for count in some])
        mean, low, high = np.array([mean_interval(by_count[count]) for count in some]).T
        axis.fill_between(at, low, high, color=colours[name], alpha=0.15, lw=0)
        axis.plot(at, mean, "o-", color=colours[name])
        ends[name] = mean[-1]
    for name, values in (levels or {}).items():
        ends[name] = values.mean()
        span = (-0.3, len(counts) - 0.95)
        axis.plot(span, (ends[name],) * 2, color=colours[name], ls="--", lw=1.2)
    low, high = axis.get_ylim()
    place, apart = -np.inf, 0.055 * (high - low)
    for name in sorted(ends, key=ends.get):  # the names do not overlap
        place = max(ends[name], place + apart)
        axis.text(len(counts) - 0.88, place, name, color=colours[name], va="center", fontsize=8.5)
    axis.set_xticks(range(len(counts)), counts)
    axis.set(xlabel=xlabel, ylabel="nDCG@10", title=title, xlim=(-0.3, len(counts) + 1.1))
    return figure


def draw_tree(tree: Interview, titles: pd.Series, depth: int = 2):
    """Draw the first questions of an interview with the users who reach each."""
    with_levels = [(0, 0, 0.5, 1.0, "")]
    figure, axis = style.canvas(7.2, 3.4, (10, 4.4))
    boxes = []
    while with_levels:
        node, level, centre, width, said = with_levels.pop()
        asked = int(tree.questions_[node])
        boxes.append((node, level, centre, said))
        if asked == LEAF or level == depth:
            continue
        answers = ((LIKE, "likes it"), (UNKNOWN, "does not know it"), (DISLIKE, "does not like it"))
        for place, (answer, words) in enumerate(answers):
            child = int(tree.children_[node, answer])
            at = centre + (place - 1) * width / 3
            start = (10 * centre, 3.9 - 1.55 * level - 0.35)
            end = (10 * at, 3.9 - 1.55 * (level + 1) + 0.36)
            style.arrow(axis, start, end, words if level == 0 else "", style.BASELINE)
            with_levels.append((child, level + 1, at, width / 3, words))
    for node, level, centre, _ in boxes:
        asked, size = int(tree.questions_[node]), tree.node_sizes_[node]
        text = "a list"
        if asked != LEAF:
            title = str(titles.get(int(tree.matrix_.item_ids[asked]), "?"))
            text = _wrapped(title + "?", 22 if level < 2 else 11)
        colour = style.METHOD if asked != LEAF else style.TRUTH
        size_of_box = (2.6, 0.7) if level == 0 else (2.4, 0.7) if level == 1 else (1.02, 0.85)
        where = (10 * centre, 3.9 - 1.55 * level)
        style.box(
            axis, where, f"{text}\n{size:,} users" if level < 2 else text, colour, size_of_box
        )
    return figure


def _wrapped(text: str, width: int) -> str:
    import textwrap

    return textwrap.fill(text, width, max_lines=3, placeholder=" ...")


def takeover(personal: Mapping[float, pd.Series], newcomer: pd.Series) -> float | None:
    """Return the first count at which the personal model is clearly ahead of the newcomer's list.

    From there on the 95 % interval of the paired difference stays above zero; None if nowhere.
    """
    ahead = None
    for count in sorted(personal):
        sure = mean_difference(personal[count], newcomer).low > 0
        ahead = (count if ahead is None else ahead) if sure else None
    return ahead


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of :func:`differences` in words of three digits."""
    shown = [str(Interval(*row)) for row in table[["difference", "low", "high"]].to_numpy()]
    return pd.DataFrame({"nDCG@10": table["mean"].round(3), "less the anchor": shown}, table.index)
