"""Parameters given on the command line."""

import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.experiments.assignments import resolve
from recsys_lib.experiments.notebooks import discover

PARAMETERS = """
dataset: str = "ml-100k"  # data set
window: int = 5
rate: float = 0.5
walk: bool = False
sizes: list[int] = [8, 16]
free: list = []
"""


@pytest.fixture
def two(notebooks):
    profiles = '{"quick": {"window": 2}, "full": {"window": 50}}'
    notebooks.write("03_item2vec", parameters=PARAMETERS, profiles=profiles)
    notebooks.write("04_graph", parameters="window: int = 3\nseed: int = 42", profiles=profiles)
    return discover(notebooks.folder)


def test_values_are_read_in_the_declared_type(two):
    given = ["window=7", "rate=1", "walk=yes", "sizes=[1, 2]", "free=['a', 1.5]"]
    assert resolve(two, given) == {
        "03_item2vec": {
            "window": 7,
            "rate": 1.0,
            "walk": True,
            "sizes": [1, 2],
            "free": ["a", 1.5],
        },
        "04_graph": {"window": 7},
    }


def test_only_what_differs_from_the_notebook_is_handed_on(two):
    assert resolve(two, ["window=5"]) == {"03_item2vec": {}, "04_graph": {"window": 5}}


def test_one_notebook_may_be_meant_and_later_values_win_over_the_profile(two):
    given = ["04_graph.window=9", "03.rate=0.1"]
    assert resolve(two, given, profile="quick", dataset="toy") == {
        "03_item2vec": {"window": 2, "rate": 0.1, "dataset": "toy"},
        "04_graph": {"window": 9},
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("windw=5", "Did you mean 'window'"),
        ("04_graph.rate=1", "04_graph has no parameter 'rate'"),
        ("04_grph.window=1", "Did you mean '04_graph'"),
        ("window", "write -p name=value"),
        ("window=five", "type int"),
        ("window=5.0", "type int"),
        ("window=True", "type int"),
        ("window=-5", "The setting window must be a whole number from 1 on, not -5"),
        ("window=__import__('os')", "type int"),
        ("walk=maybe", "type bool"),
        ("sizes=[1, 'a']", r"type list\[int\]"),
        ("sizes=3", r"type list\[int\]"),
        ("dataset=toy", "--dataset"),
    ],
)
def test_what_does_not_fit_is_refused(two, given, said):
    with pytest.raises(RecsysError, match=said):
        resolve(two, [given])


def test_a_misspelt_profile_is_refused(two):
    with pytest.raises(RecsysError, match="Did you mean 'quick'"):
        resolve(two, profile="quik")
