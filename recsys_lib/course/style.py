"""The house style of the pictures: colours of one meaning each, and the shapes of drawings.

Colours are those of Okabe and Ito (2008), which colour-blind readers tell apart. A picture names
its lines at the line where it can; a legend is for where that fails.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

# What a colour means, in every chapter.
METHOD = "#0072B2"  # what the chapter is about
RIVAL = "#E69F00"  # what it is compared with
TRUTH = "#009E73"  # the known answer, what is kept or right
LOSS = "#D55E00"  # what is lost, wrong or seen too early
BASELINE = "#7F7F7F"  # popularity, chance, the simplest thing that works
SECOND_RIVAL = "#CC79A7"  # one more, where three are compared

INK, PAPER = "#333333", "#FFFFFF"
SETTINGS = {
    "figure.dpi": 150,
    "figure.figsize": (5.6, 3.4),
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw what is in the block in the house style; matplotlib's own settings stay as they are."""
    import matplotlib.pyplot as plt

    with plt.rc_context(SETTINGS):
        yield


def canvas(width: float = 7.0, height: float = 2.6, units: tuple[float, float] = (10.0, 4.0)):
    """Return a figure and an axis without frame for a drawing of boxes and arrows.

    Parameters
    ----------
    width, height : float
        In inches.
    units : (float, float)
        The drawing's own width and height: x from 0 to the first, y from 0 to the second.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(width, height))
    axis.set(xlim=(0, units[0]), ylim=(0, units[1]))
    axis.axis("off")
    return figure, axis


def box(axis, centre: tuple[float, float], text: str, colour: str = INK, size=(2.0, 0.9)) -> None:
    """Draw a rounded box around a text; its edge and a light tint of it have the colour."""
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    (x, y), (width, height) = centre, size
    corner = (x - width / 2, y - height / 2)
    shape = FancyBboxPatch(
        corner, width, height, boxstyle="round,pad=0,rounding_size=0.1", lw=1.2, ec=colour
    )
    shape.set_facecolor(PAPER if colour == INK else to_rgba(colour, 0.12))
    axis.add_patch(shape)
    axis.text(x, y, text, ha="center", va="center", fontsize=8.5, color=INK, linespacing=1.2)


def arrow(axis, start, end, text: str = "", colour: str = INK) -> None:
    """Draw an arrow, with a text on its middle."""
    style = {"arrowstyle": "-|>", "lw": 1.2, "color": colour, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", end, start, arrowprops=style)
    if text:
        x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
        axis.text(x, y, text, ha="center", va="center", fontsize=8, color=colour, bbox=behind)


def time_line(
    axis,
    y: float,
    name: str,
    events: Sequence[tuple[float, str, str]],
    span: tuple[float, float],
    *,
    below: bool = False,
) -> None:
    """Draw a line of time with a dot for each event.

    Parameters
    ----------
    axis : matplotlib Axes
    y : float
        Height of the line.
    name : str
        Stands at its left end.
    events : sequence of (x, text, colour)
    span : (float, float)
        Where the line begins and ends.
    below : bool
        Whether the texts stand under the dots; else they stand over them.
    """
    axis.plot(span, (y, y), color=BASELINE, lw=1.2, zorder=1)
    axis.text(span[0] - 0.1, y, name, ha="right", va="center", fontsize=8.5, color=INK)
    place, side = (y - 0.18, "top") if below else (y + 0.18, "bottom")
    for x, text, colour in events:
        axis.plot([x], [y], "o", color=colour, zorder=2)
        axis.text(x, place, text, ha="center", va=side, fontsize=8, color=colour)


def draw_differences(differences: Mapping[str, Sequence[float]], label: str):
    """Draw intervals around zero, one a line, the first on top (a forest plot).

    Those that leave zero out are coloured.

    Parameters
    ----------
    differences : mapping of name to (mean, low, high)
    label : str
        Of the axis.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.4, 0.8 + 0.34 * len(differences)))
    axis.axvline(0, color=INK, lw=0.8)
    for y, (mean, low, high) in enumerate(differences.values()):
        colour = METHOD if low > 0 or high < 0 else BASELINE
        axis.errorbar(mean, -y, xerr=[[mean - low], [high - mean]], fmt="o", c=colour, capsize=3)
    axis.set_yticks([-y for y in range(len(differences))], list(differences))
    axis.set(xlabel=label, ylim=(-len(differences) + 0.5, 0.5))
    # Long names leave a narrow axis, on which more numbers with signs would touch.
    axis.locator_params(axis="x", nbins=5)
    return figure
