"""Imports run one way, downward, and light packages stay light."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

import recsys_lib
from recsys_lib.course.architecture import GROUND, LAYERS
from recsys_lib.paths import project_root

PACKAGE = Path(recsys_lib.__file__).parent
# Within one layer the data really flows this way.
ALLOWED_SIDEWAYS: set[tuple[str, str]] = set()
# Where a heavy package may be imported at all (a folder or a module below recsys_lib).
HOMES = {
    "pyspark": (
        "spark/",
        "features/distributed/",
        "features/transforms",
        "embeddings/item2vec_spark",
        "embeddings/walks_spark",
    ),
    "tensorflow": (
        "keras_backend.py",
        "ranking/export.py",
        "model_server/",
        "rankers/remote.py",
    ),
    "tensorflow_serving": ("ranking/export.py", "model_server/", "rankers/remote.py"),
    "keras": ("keras_backend.py", "ranking/"),
    "polars": ("features/embedded/",),
    "gensim": ("embeddings/",),
    "papermill": ("experiments/",),
    "typer": ("cli/",),
    "redis": ("stores/", "serving/caching/", "online/stream/source.py"),
    "fastapi": ("serving/service/",),
    "prometheus_client": ("serving/service/",),
    "duckdb": ("data/sorted_rows.py",),
}


@functools.cache
def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full, not relative ones"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or p.stem[0] != "_")
LEVEL = {unit: level for level, units in enumerate([GROUND, *LAYERS]) for unit in units}


def test_the_layers_name_what_is_there_once():
    listed = [*GROUND, *(package for layer in LAYERS for package in layer)]
    assert sorted(listed) == sorted({unit_of(path) for path in MODULES})


def test_the_readme_shows_the_same_layers():
    readme = (project_root() / "README.md").read_text()
    tree = readme[readme.index("recsys_lib/   ") : readme.index("\ndata/")]
    lines = [set(re.findall(r"\b([a-z_]+)/ ", line)) for line in tree.splitlines()[2:]]
    assert lines == [set(layer) for layer in LAYERS]
    assert set(re.findall(r"\w+", tree.splitlines()[1])) == set(GROUND)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downward(path):
    own = unit_of(path)
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "recsys_lib" or len(parts) < 2 or parts[1] in (own, "__version__"):
            continue
        downward = LEVEL[parts[1]] < LEVEL[own] or LEVEL[own] == LEVEL[parts[1]] == 0
        assert downward or (own, parts[1]) in ALLOWED_SIDEWAYS, f"{path} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_stay_at_home(path):
    place = path.relative_to(PACKAGE).as_posix()
    for name in imports_of(path):
        homes = HOMES.get(name.split(".")[0])
        assert homes is None or place.startswith(homes), f"{place} imports {name}"


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("recsys_lib", "numpy pandas pyspark tensorflow gensim matplotlib"),
        ("recsys_lib.cli", "numpy pandas pyspark tensorflow gensim matplotlib papermill nbconvert"),
        ("recsys_lib.recall", "pyspark tensorflow gensim matplotlib"),
        ("recsys_lib.ranking", "pyspark tensorflow gensim matplotlib"),
        ("recsys_lib.serving", "pyspark tensorflow gensim matplotlib"),
        ("recsys_lib.simulation", "pyspark tensorflow gensim matplotlib"),
        ("recsys_lib.online", "pyspark tensorflow gensim matplotlib"),
        ("recsys_lib.rankers", "pyspark tensorflow gensim matplotlib"),
        ("recsys_lib.experiments.worker", "numpy pandas pyspark tensorflow matplotlib"),
        ("recsys_lib.models_registry", "numpy pandas pyspark tensorflow"),
        ("recsys_lib.model_server", "pyspark tensorflow gensim matplotlib"),
        ("recsys_lib.experiments.workspace", "pyspark tensorflow gensim papermill"),
    ],
)
def test_importing_stays_light(module, forbidden):
    code = f"import sys, {module}; print(*sorted(set('{forbidden}'.split()) & set(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == ""
