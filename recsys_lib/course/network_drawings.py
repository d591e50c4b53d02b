"""The ranking models drawn: inputs at the bottom, the sigmoid at the top, one look for all.

Each figure is made from that of Embedding+MLP by what it replaces and adds, so that a reader sees
what differs. ``tests/course/test_network_drawings.py`` compares each with its Keras network.
"""

from collections.abc import Sequence
from typing import NamedTuple

from recsys_lib.ranking.models import kind_called

# Role -> (name in the legend, fill, edge). The edges are colours of Okabe and Ito (2008), which
# colour-blind readers tell apart; what sets a model apart is bold and has a thick edge besides.
ROLES = {
    "input": ("inputs", "#FFFFFF", "#555555"),
    "vectors": ("embeddings", "#CCE5F5", "#0072B2"),
    "special": ("not in Embedding+MLP", "#FFDFA3", "#D55E00"),
    "hidden": ("joining and hidden layers", "#E6E6E6", "#555555"),
    "output": ("probability of a like", "#CDEBE0", "#009E73"),
}
ARROW = {"arrowstyle": "-|>", "lw": 0.8, "color": "#444444", "shrinkA": 0, "shrinkB": 0}
HEIGHT, LIFT = 0.64, 0.06  # of a box, rows being 1 apart; from a sheet of a stack to the next


class Box(NamedTuple):
    """A box of a figure.

    Attributes
    ----------
    label : str
    role : str
        A key of :data:`ROLES`.
    left, right : float
        Its sides, from 0 to 1.
    row : int
        From 0, the inputs, to 6, the output.
    layers : str
        The layers of the Keras network that it stands for, without their numbers: ``hidden`` for
        ``hidden_1`` and ``hidden_2``. Joining takes none.
    reads : str
        The boxes that arrows come from. ``name@0.3`` puts the arrow at 0.3.
    stacked : bool
        Whether it stands for several layers, one after the other.
    """

    label: str
    role: str
    left: float
    right: float
    row: int
    layers: str = ""
    reads: str = ""
    stacked: bool = False


BASE = {
    "categories": Box("categories", "input", 0.0, 0.66, 0, "categories"),
    "numbers": Box("numbers", "input", 0.74, 1.0, 0, "numbers"),
    "embeddings": Box("embeddings", "vectors", 0.0, 0.66, 1, "embeddings", "categories"),
    "together": Box("concatenate", "hidden", 0.0, 1.0, 4, "", "embeddings numbers"),
    "hidden": Box("hidden layers", "hidden", 0.2, 0.8, 5, "hidden", "together", stacked=True),
    "output": Box("1 unit, sigmoid", "output", 0.0, 1.0, 6, "like", "hidden"),
}
TWO_BRANCHES = BASE["hidden"]._replace(left=0.54, right=1.0)

# The factorisation machine and its kin treat categories and numbers alike.
WEIGHTS = Box("a weight each", "special", 0.0, 0.46, 1, "first_order linear", "fields")
FM = {
    "fields": Box("categories, numbers", "input", 0.0, 1.0, 0, "categories numbers"),
    "weights": WEIGHTS,
    "vectors": Box("a vector each", "vectors", 0.54, 1.0, 1, "embeddings number_vectors", "fields"),
    "pairs": Box("inner products\nof all pairs", "special", 0.54, 1.0, 3, "pairs", "vectors"),
    "output": Box("sum, sigmoid", "output", 0.0, 1.0, 6, "", "weights pairs"),
}

# DIN and DIEN make an interest of the history; what else there is goes as in Embedding+MLP.
INTEREST = BASE | {
    "candidate": Box("candidate", "input", 0.0, 0.2, 0, "categories"),
    "liked": Box("liked items", "input", 0.22, 0.46, 0, "categories"),
    "categories": Box("other\ncategories", "input", 0.48, 0.72, 0, "categories"),
    "numbers": BASE["numbers"]._replace(left=0.78),
    "embeddings": BASE["embeddings"]._replace(right=0.72, reads="candidate liked categories"),
    "together": BASE["together"]._replace(reads="interest embeddings@0.6 numbers"),
}

FIGURES = {
    "embedding_mlp": BASE,
    "logistic_regression": {
        "fields": FM["fields"],
        "weights": WEIGHTS._replace(left=0.2, right=0.8),
        "output": FM["output"]._replace(reads="weights"),
    },
    "fm": FM,
    "fnn": BASE
    | {
        "weights": Box("weights\nof an FM", "special", 0.0, 0.3, 1, "first_order", "categories"),
        "embeddings": Box("vectors\nof an FM", "special", 0.36, 0.84, 1)._replace(
            layers="embeddings number_vectors", reads="categories numbers"
        ),
        "together": BASE["together"]._replace(reads="weights embeddings numbers@0.92"),
    },
    "wide_deep": {
        "wide": Box("categories, numbers,\ncandidate × liked", "input", 0.0, 0.41, 0)._replace(
            layers="categories numbers"
        ),
        "weights": Box(
            "a weight each", "special", 0.0, 0.41, 1, "first_order linear pairs", "wide"
        ),
        "categories": BASE["categories"]._replace(left=0.46, right=0.73),
        "numbers": BASE["numbers"]._replace(left=0.77),
        "embeddings": BASE["embeddings"]._replace(left=0.46, right=0.73),
        "together": BASE["together"]._replace(left=0.46),
        "hidden": Box("hidden layers, 1 unit", "hidden", 0.46, 1.0, 5)._replace(
            layers="hidden deep", reads="together", stacked=True
        ),
        "output": FM["output"]._replace(reads="weights hidden"),
    },
    "deep_crossing": BASE
    | {
        "hidden": Box(
            "residual units\n$\\mathrm{relu}(x + f(x))$", "special", 0.2, 0.8, 5
        )._replace(layers="residual", reads="together", stacked=True),
    },
    "neural_cf": {
        "ids": Box("user, item", "input", 0.0, 1.0, 0, "categories"),
        "factors": Box("embeddings", "vectors", 0.0, 0.46, 1, "factors", "ids"),
        "embeddings": Box("other embeddings", "vectors", 0.54, 1.0, 1, "embeddings", "ids"),
        "product": Box("product,\nplace by place", "special", 0.0, 0.46, 3, "multiply", "factors"),
        "together": BASE["together"]._replace(left=0.54, reads="embeddings"),
        "hidden": TWO_BRANCHES,
        "output": BASE["output"]._replace(reads="product hidden"),
    },
    "deepfm": FM
    | {
        "weights": WEIGHTS._replace(label="a weight\neach", right=0.24),
        "vectors": FM["vectors"]._replace(left=0.3),
        "pairs": FM["pairs"]._replace(left=0.3, right=0.65),
        "hidden": Box("hidden layers,\n1 unit", "hidden", 0.7, 1.0, 5)._replace(
            layers="hidden deep", reads="vectors", stacked=True
        ),
        "output": FM["output"]._replace(reads="weights pairs hidden"),
    },
    "din": INTEREST
    | {
        "attention": Box("attention", "special", 0.0, 0.34, 2)._replace(
            layers="attention", reads="embeddings@0.1 embeddings@0.27"
        ),
        "interest": Box("weighted sum", "special", 0.12, 0.5, 3)._replace(
            reads="attention embeddings@0.42"
        ),
    },
    "dien": INTEREST
    | {
        "interests": Box("GRU, with a\nnext-item loss", "special", 0.18, 0.54, 2)._replace(
            layers="interests auxiliary", reads="embeddings@0.34"
        ),
        "attention": Box("attention", "special", 0.0, 0.26, 3)._replace(
            layers="attention", reads="embeddings@0.1 interests"
        ),
        "interest": Box("AUGRU", "special", 0.34, 0.54, 3)._replace(
            layers="evolution", reads="attention interests"
        ),
    },
    "dcn_v2": BASE
    | {
        "cross": Box("cross layers\n$x_0 \\odot (Wx + b) + x$", "special", 0.0, 0.5, 5)._replace(
            layers="cross", reads="together", stacked=True
        ),
        "hidden": TWO_BRANCHES._replace(left=0.56),
        "output": BASE["output"]._replace(reads="cross hidden"),
    },
}


def draw(kind: str, axis) -> None:
    """Draw the architecture of a kind of model.

    Parameters
    ----------
    kind : str
        A key of :data:`recsys_lib.ranking.KINDS`.
    axis : matplotlib Axes
        In one of at least 3.0 x 3.6 inches the texts fit their boxes.

    Raises
    ------
    DataError
        There is no such kind.
    """
    title = kind_called(kind).title  # says what is wrong with an unknown kind
    for box in FIGURES[kind].values():
        _draw_box(box, axis)
    for start, end in arrows(FIGURES[kind]):
        axis.annotate("", end, start, arrowprops=ARROW)
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.1, 6.1 + HEIGHT))
    axis.set_title(title, fontsize=10, weight="bold")
    axis.axis("off")


def draw_models(kinds: Sequence[str], n_columns: int = 3):
    """Draw some kinds of model side by side, with a legend of the colours.

    Returns
    -------
    matplotlib Figure
        With a panel of about 3.1 x 3.7 inches for each kind.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    n_rows = -(-len(kinds) // n_columns)
    figure = plt.figure(figsize=(3.2 * n_columns, 3.9 * n_rows + 0.3), layout="constrained")
    for place, kind in enumerate(kinds, start=1):
        draw(kind, figure.add_subplot(n_rows, n_columns, place))
    figure.get_layout_engine().set(hspace=0.06, wspace=0.06)
    colours = [Patch(fc=fill, ec=edge, label=name) for name, fill, edge in ROLES.values()]
    figure.legend(
        handles=colours, loc="outside lower center", ncols=len(ROLES), fontsize=8.5, frameon=False
    )
    return figure


def arrows(boxes: dict[str, Box]) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return where each arrow of a figure starts and ends, as (x, y)."""
    found = []
    for box in boxes.values():
        for read in box.reads.split():
            name, _, at = read.partition("@")
            source = boxes[name]
            if source.row == box.row:
                middle = box.row + HEIGHT / 2
                found.append(((source.right, middle), (box.left, middle)))
            else:  # upright, in the middle of where one box is over the other
                both = max(source.left, box.left) + min(source.right, box.right)
                x = float(at) if at else both / 2
                top = source.row + HEIGHT + 2 * LIFT * source.stacked
                found.append(((x, top), (x, box.row)))
    return found


def _draw_box(box: Box, axis) -> None:
    from matplotlib.patches import FancyBboxPatch

    _, fill, edge = ROLES[box.role]
    special = box.role == "special"
    corners = "square,pad=0" if box.role == "input" else "round,pad=0,rounding_size=0.025"
    for sheet in (2, 1, 0) if box.stacked else (0,):
        left, width = box.left + sheet * 0.012, box.right - box.left - sheet * 0.024
        patch = FancyBboxPatch(
            (left, box.row + sheet * LIFT), width, HEIGHT, boxstyle=corners, mutation_aspect=6
        )
        patch.set(fc=fill, ec=edge, lw=1.6 if special else 0.9)
        axis.add_patch(patch)
    x, y = (box.left + box.right) / 2, box.row + HEIGHT / 2
    text = axis.text(x, y, box.label, ha="center", va="center", fontsize=7.5, linespacing=1.15)
    text.set_weight("bold" if special else "normal")
