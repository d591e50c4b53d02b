"""Pictures of the labs of chapter 12: settings with their intervals, lines beside their laws."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from recsys_lib.course import style


def draw_settings(
    axis,
    summary: pd.DataFrame,
    by: str,
    figure: str,
    *,
    laws: Mapping[str, float] | None = None,
    colours: Mapping[str, str] | None = None,
) -> None:
    """Draw a figure of each setting as a dot with its interval, the first setting on top.

    Parameters
    ----------
    axis : matplotlib Axes
    summary : DataFrame
        As ``over_seeds`` makes it: ``x`` beside ``x_low`` and ``x_high``.
    by : str
        Column with the names of the settings.
    figure : str
        Column to draw.
    laws : mapping of str to float, optional
        What theory says of a setting, drawn as a tick behind its dot.
    colours : mapping of str to str, optional
        Of settings; the others are drawn in the colour of a rival.
    """
    names = summary[by].tolist()
    for place, row in enumerate(summary.to_dict("records")):
        colour = (colours or {}).get(row[by], style.RIVAL)
        ends = [row[f"{figure}_low"], row[f"{figure}_high"]]
        axis.plot(ends, [place, place], color=colour, lw=2)
        axis.plot([row[figure]], [place], "o", color=colour)
        if laws and row[by] in laws:
            axis.plot([laws[row[by]]], [place], "|", color=style.TRUTH, ms=16, mew=2, zorder=0)
    axis.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)


def draw_lines(
    axis,
    summary: pd.DataFrame,
    by: str,
    x: str,
    y: str,
    colours: Mapping,
    *,
    names: Mapping | None = None,
) -> None:
    """Draw a line with error bars for each setting, with its name at its right end.

    Parameters
    ----------
    axis : matplotlib Axes
    summary : DataFrame
        As ``over_seeds`` makes it by ``[by, x]``.
    by, x, y : str
        Columns: the settings, and what goes along the axes.
    colours, names : mappings from a setting
        Its colour and its name in the picture.
    """
    for setting, line in summary.groupby(by, sort=False):
        spread = np.abs(line[[f"{y}_low", f"{y}_high"]].to_numpy().T - line[y].to_numpy())
        axis.errorbar(line[x], line[y], spread, fmt="-o", color=colours[setting], capsize=2)
        name = (names or {}).get(setting, setting)
        at = (line[x].iloc[-1], line[y].iloc[-1])
        axis.annotate(f"  {name}", at, color=colours[setting], va="center", annotation_clip=False)
