"""The layers of the library, and a picture of them drawn from its own imports.

:data:`GROUND` and :data:`LAYERS` are the one list of the layers: ``tests/test_layers.py`` holds
every import to it, and the README to its packages.
"""

import ast
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import recsys_lib

# Single modules that everything may import.
GROUND = (
    "errors",
    "paths",
    "files",
    "file_list",
    "sockets",
    "seeding",
    "schema",
    "settings",
    "native_log",
    "keras_backend",
    "adam",
)
# From the ground up, packages with what they do. A package imports only from layers below its own.
LAYERS: tuple[dict[str, str], ...] = (
    {"spark": "session, Java,\nshared by all", "data": "tables, validation,\nstore, splits"},
    {
        "features": "registry, transforms,\npoint-in-time samples",
        "embeddings": "skip-gram, item2vec,\nitem graph, walks",
        "evaluation": "metrics, intervals,\nprotocols, A/B tests",
    },
    {
        "indexes": "exact search,\nLSH of two kinds",
        "ranking": "network inputs, models,\ntraining, leaderboard",
        "stores": "feature store,\nRedis server",
    },
    {"recall": "channels, merging,\ntuning"},
    {
        "rankers": "models that score\none request",
        "models_registry": "versions, lineage,\npromotion",
    },
    {
        "serving": "cascade, caches,\ndegradation, balancing",
        "model_server": "TensorFlow Serving's\nprotocol",
    },
    {
        "simulation": "a cluster and\nits users",
        "online": "event streams, learners,\ndrift, bandits",
    },
    {"course": "figures and toys\nof the notebooks", "experiments": "runs, artefacts,\nreport"},
    {"cli": "the `recsys`\ncommand"},
)
_JOBS = {package: job for layer in LAYERS for package, job in layer.items()}
_LEVEL = {package: level for level, layer in enumerate(LAYERS) for package in layer}
_WIDTH, _HEIGHT = 0.21, 0.66  # of a box, where the picture is 1 wide and layers are 1 apart
_BEND = 0.03  # room for an arrow that passes between boxes
_COLOURS = ("#EAF2F8", "#FDF3E3")


def package_imports() -> dict[str, dict]:
    """Return for each package its lines of code and the packages that it imports.

    Returns
    -------
    dict
        ``{package: {"lines": int, "imports": sorted list of packages}}``; the ground is left out.
    """
    root = Path(recsys_lib.__file__).parent
    packages = {}
    for package in _JOBS:
        sources = [path.read_text(encoding="utf-8") for path in (root / package).rglob("*.py")]
        imported = {name for source in sources for name in _imported(source)}
        packages[package] = {
            "lines": sum(len(source.splitlines()) for source in sources),
            "imports": sorted(imported & set(_JOBS) - {package}),
        }
    return packages


def _imported(source: str) -> Iterable[str]:
    """Yield the package or module below ``recsys_lib`` that each import of a module leads to."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            top, *below = name.split(".")
            if top == "recsys_lib" and below:
                yield below[0]


def draw_architecture(packages: dict[str, dict]):
    """Draw the packages as boxes, layer on layer, with arrows to what they import.

    An import that other arrows lead to as well is left out, so that the picture stays readable.

    Parameters
    ----------
    packages : dict
        As :func:`package_imports` returns it.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import FancyArrowPatch, Rectangle
    from matplotlib.path import Path as Curve

    paths = [_through_the_layers(*edge) for edge in _direct_imports(packages)]
    place = _places(paths)
    figure, axis = plt.subplots(figsize=(11, 1.05 * len(LAYERS) + 1.2))
    for path in paths:
        corners, codes = _curve([place[node] for node in path])
        axis.add_patch(
            FancyArrowPatch(
                path=Curve(corners, codes), arrowstyle="-|>", mutation_scale=11, color="#777777"
            )
        )
    for package, level in _LEVEL.items():
        x = place[package][0]
        axis.add_patch(
            Rectangle(
                (x - _WIDTH / 2, level), _WIDTH, _HEIGHT, fc=_COLOURS[level % 2], ec="#444444"
            )
        )
        lines = f"{packages[package]['lines']:,} lines"
        for text, y, style in (
            (package, 0.54, {"weight": "bold", "fontsize": 11.5}),
            (_JOBS[package].replace("`", ""), 0.3, {"fontsize": 9.5, "linespacing": 1.1}),
            (lines, 0.08, {"fontsize": 8.5, "color": "#555555"}),
        ):
            axis.text(x, level + y, text, ha="center", va="center", **style)
    axis.add_patch(Rectangle((0, -0.75), 1, 0.4, fc="#EEEEEE", ec="#444444"))
    ground = f"Every package may import the ground: {', '.join(GROUND)}"
    axis.text(0.5, -0.55, ground, ha="center", va="center", fontsize=9.5)
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.85, len(LAYERS) - 1 + _HEIGHT + 0.1))
    axis.axis("off")
    axis.set_title("Every import leads down: no package builds on one above it", fontsize=13)
    figure.tight_layout()
    return figure


def _direct_imports(packages: dict[str, dict]) -> list[tuple[str, str]]:
    """Return the imports that do not follow from others (the transitive reduction)."""
    import networkx

    graph = networkx.DiGraph(
        (package, other) for package, each in packages.items() for other in each["imports"]
    )
    return sorted(networkx.transitive_reduction(graph).edges)


def _through_the_layers(upper: str, lower: str) -> list:
    """Return an arrow as its two packages and, between them, a place in each layer it crosses."""
    between = range(_LEVEL[upper] - 1, _LEVEL[lower], -1)
    return [upper, *((upper, lower, level) for level in between), lower]


def _places(paths: list[list]) -> dict:
    """Return (x, level) of every package and of every place where an arrow crosses a layer.

    Each layer is sorted by the mean place of what its members are joined to, in turns from the
    top and from the bottom (the barycentre method; Sugiyama, Tagawa and Toda, 1981).
    """
    level = _LEVEL | {node: node[2] for path in paths for node in path if isinstance(node, tuple)}
    joined: dict = {node: [] for node in level}
    for path in paths:
        for upper, lower in pairwise(path):
            joined[upper].append(lower)
            joined[lower].append(upper)
    rows = [[node for node in level if level[node] == row] for row in range(len(LAYERS))]
    x = {node: place for row in rows for node, place in _spread(row).items()}
    for turn in range(12):
        for number in range(len(rows)) if turn % 2 else reversed(range(len(rows))):
            before = -1 if turn % 2 else 1
            wanted = {
                node: [x[other] for other in joined[node] if level[other] == number + before]
                for node in rows[number]
            }
            rows[number].sort(
                key=lambda node, wanted=wanted: (
                    sum(wanted[node]) / len(wanted[node]) if wanted[node] else x[node]
                )
            )
            x |= _spread(rows[number])
    return {node: (x[node], level[node]) for node in level}


def _spread(row: list) -> dict:
    """Return the x of each member of a layer, side by side over the whole width."""
    widths = [_BEND if isinstance(node, tuple) else _WIDTH for node in row]
    gap = (1 - sum(widths)) / (len(row) + 1)
    places, left = {}, gap
    for node, width in zip(row, widths, strict=True):
        places[node] = left + width / 2
        left += width + gap
    return places


def _curve(places: list[tuple[float, int]]) -> tuple[list, list]:
    """Return corners and codes of a curve from the foot of one box to the head of another.

    Between two layers it is a Bezier curve that starts and ends upright; past a box it is a line.
    """
    from matplotlib.path import Path as Curve

    corners, codes = [(places[0][0], places[0][1])], [Curve.MOVETO]
    for (x, level), (next_x, next_level) in pairwise(places):
        top = next_level + _HEIGHT
        middle = (level + top) / 2
        corners += [(x, middle), (next_x, middle), (next_x, top)]
        codes += [Curve.CURVE4] * 3
        if (next_x, next_level) != places[-1]:
            corners.append((next_x, next_level))
            codes.append(Curve.LINETO)
    return corners, codes
