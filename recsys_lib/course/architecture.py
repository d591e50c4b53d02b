"""The library drawn from its own imports."""

import ast
from pathlib import Path

import recsys_lib

# From the ground up; tests/test_layers.py holds the imports to it.
ROWS = (
    ("data",),
    ("features", "embeddings", "recall", "ranking", "evaluation"),
    ("serving",),
    ("experiments",),
    ("cli",),
)
JOBS = {
    "data": "fetch, check, store, split",
    "features": "Spark transforms,\npoint-in-time samples",
    "embeddings": "skip-gram, item graph,\nrandom walks",
    "recall": "channels, merging,\nLSH",
    "ranking": "model inputs,\nEmbedding+MLP",
    "evaluation": "metrics,\nintervals",
    "serving": "feature store, cascade, cache, degradation",
    "experiments": "notebook graph, runner, records, report",
    "cli": "the recsys command",
}


def package_imports() -> dict[str, dict]:
    """Return for each package its lines of code and the packages it imports.

    Returns
    -------
    dict
        ``{package: {"lines": int, "imports": sorted list of packages}}``
    """
    root = Path(recsys_lib.__file__).parent
    packages = {}
    for package in JOBS:
        lines, imports = 0, set()
        for path in sorted((root / package).glob("*.py")):
            source = path.read_text(encoding="utf-8")
            lines += len(source.splitlines())
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.ImportFrom) and node.module:
                    parts = node.module.split(".")
                    if parts[0] == "recsys_lib" and len(parts) > 1 and parts[1] in JOBS:
                        imports.add(parts[1])
        packages[package] = {"lines": lines, "imports": sorted(imports - {package})}
    return packages


def draw_architecture(packages: dict[str, dict]):
    """Draw the packages as boxes, layer on layer; each names the packages it imports.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(11, 6))
    for level, row in enumerate(ROWS):
        wide = 1 / len(row)
        for place, package in enumerate(row):
            left, middle = place * wide + 0.005, (place + 0.5) * wide
            colour = "#EAF2F8" if level % 2 else "#FDF3E3"
            box = plt.Rectangle((left, level), wide - 0.01, 0.86, fc=colour, ec="#444444", lw=1)
            axis.add_patch(box)
            below = ", ".join(packages[package]["imports"]) or "no other package"
            lines = packages[package]["lines"]
            axis.text(middle, level + 0.67, package, ha="center", va="center", weight="bold")
            axis.text(middle, level + 0.4, JOBS[package], ha="center", va="center", fontsize=8.5)
            note = f"builds on {below}" + ("\n" if len(row) > 1 else "; ") + f"{lines:,} lines"
            axis.text(
                middle, level + 0.12, note, ha="center", va="center", fontsize=7.5, color="#555"
            )
    axis.set(xlim=(0, 1), ylim=(-0.05, len(ROWS)))
    axis.axis("off")
    axis.set_title("No package builds on one above it")
    figure.tight_layout()
    return figure
