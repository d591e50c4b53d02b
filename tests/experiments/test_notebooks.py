"""Reading notebooks without running them."""

import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.experiments.graph import dependencies, within
from recsys_lib.experiments.notebooks import discover, select


def test_a_notebook_tells_its_parameters_contract_and_title(notebooks):
    notebooks.write(
        "03_item2vec",
        parameters='window: int = 5  # items on each side\nnames: list[str] = ["a"]\nrate = 0.5',
        writes=("item2vec",),
        profiles='{"quick": {"window": 2, "rate": 1}}',
    )
    (found,) = discover(notebooks.folder)
    assert (found.name, found.title) == ("03_item2vec", "03_item2vec title")
    told = [(p.name, p.type, p.default, p.help) for p in found.parameters.values()]
    assert told == [
        ("window", "int", 5, "items on each side"),
        ("names", "list[str]", ["a"], ""),
        ("rate", "float", 0.5, ""),
    ]
    assert (found.reads, found.writes) == ((), ("item2vec",))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parameters": "window: int = 2 + 3"}, "literal"),
        ({"parameters": "import os"}, "import os"),
        ({"parameters": "window: int = 'five'"}, "type int"),
        ({"parameters": "window: dict = {}"}, "type dict"),
        ({"parameters": "window: int ="}, "not Python"),
        ({"profiles": "{'quick': {'windw': 2}}"}, "Did you mean 'window'"),
        ({"profiles": "{'quick': {'window': 'two'}}"}, "type int"),
        ({"profiles": "['quick']"}, "dict of dicts"),
        ({"profiles": "make()"}, "literals"),
    ],
)
def test_a_malformed_notebook_is_refused_with_its_name_and_the_reason(notebooks, changes, said):
    notebooks.write("03_item2vec", **changes)
    with pytest.raises(RecsysError, match=r"03_item2vec\.ipynb") as caught:
        discover(notebooks.folder)
    assert said in str(caught.value)


def test_a_notebook_without_its_tagged_cells_or_not_a_notebook_is_refused(notebooks):
    path = notebooks.write("03_item2vec")
    path.write_text(path.read_text().replace('"contract"', '"contrct"'))
    with pytest.raises(RecsysError, match="exactly one code cell must be tagged 'contract'"):
        discover(notebooks.folder)
    path.write_text("[1, 2]")
    with pytest.raises(RecsysError, match="not a notebook"):
        discover(notebooks.folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(RecsysError, match="No numbered notebooks"):
        discover(tmp_path)


def test_notebooks_are_chosen_by_name_number_or_all(notebooks):
    for name in ("03_item2vec", "04_graph", "11_serving"):
        notebooks.write(name)
    found = discover(notebooks.folder)
    assert [each.name for each in select(found, [])] == ["03_item2vec", "04_graph", "11_serving"]
    chosen = select(found, ["11", "03_item2vec", "notebooks/11_serving.ipynb"])
    assert [each.name for each in chosen] == ["03_item2vec", "11_serving"]
    with pytest.raises(RecsysError, match="Did you mean '03_item2vec'"):
        select(found, ["03_itm2vec"])


def test_the_graph_follows_reads_and_writes(notebooks):
    notebooks.write("01_last", reads=("b",))
    notebooks.write("02_first", writes=("a",))
    notebooks.write("03_middle", reads=("a",), writes=("b",))
    found = discover(notebooks.folder)
    needs = dependencies(found)
    assert needs == {"01_last": {"03_middle"}, "02_first": set(), "03_middle": {"02_first"}}
    assert list(within(needs, found)) == ["02_first", "03_middle", "01_last"]
    assert within(needs, select(found, ["01", "02"])) == {"01_last": set(), "02_first": set()}


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"writes": ("a",)}, {"writes": ("a",)}, "Two notebooks write the artefact 'a'"),
        ({"writes": ("item2vec",)}, {"reads": ("itm2vec",)}, "Did you mean 'item2vec'"),
        (
            {"reads": ("b",), "writes": ("a",)},
            {"reads": ("a",), "writes": ("b",)},
            "wait for one another",
        ),
        ({"reads": ("a",), "writes": ("a",)}, {}, "wait for one another"),
    ],
)
def test_contracts_that_do_not_fit_together_are_refused(notebooks, first, second, said):
    notebooks.write("01_one", **first)
    notebooks.write("02_two", **second)
    with pytest.raises(RecsysError, match=said):
        dependencies(discover(notebooks.folder))
