"""What the library builds when a notebook is opened alone is what the notebooks' defaults train."""

import ast
import dataclasses
import json

import pytest

from recsys_lib import paths
from recsys_lib.embeddings.graph_embedding import DEEPWALK, NODE2VEC, WALK_TRAINING
from recsys_lib.embeddings.item2vec import Item2vecConfig


def parameters_of(notebook: str) -> dict:
    cells = json.loads((paths.notebooks_dir() / f"{notebook}.ipynb").read_text())["cells"]
    (cell,) = (c for c in cells if "parameters" in c["metadata"].get("tags", []))
    lines = ast.parse("".join(cell["source"])).body
    return {line.target.id: ast.literal_eval(line.value) for line in lines}


@pytest.mark.parametrize(
    ("notebook", "config"),
    [
        ("03_item2vec", Item2vecConfig()),
        ("04_graph_embedding", WALK_TRAINING),
        ("04_graph_embedding", NODE2VEC),
    ],
)
def test_the_notebooks_default_parameters_are_the_librarys(notebook, config):
    parameters = parameters_of(notebook)
    for name, value in dataclasses.asdict(config).items():
        default = Item2vecConfig if isinstance(config, Item2vecConfig) else type(DEEPWALK)
        assert parameters.get(name, getattr(default(), name)) == value, name


def test_deepwalk_is_node2vec_without_memory():
    parameters = parameters_of("04_graph_embedding")
    assert (DEEPWALK.p, DEEPWALK.q) == (1.0, 1.0)
    assert DEEPWALK.walk_length == parameters["walk_length"]
    assert DEEPWALK.walks_per_node == parameters["walks_per_node"]
