"""Reading notebooks without running them."""

import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.experiments.graph import dependencies, ordered_subgraph
from recsys_lib.experiments.notebooks import discover, select


def test_a_notebook_is_read_with_its_parameters_artefacts_and_title(notebooks):
    notebooks.write(
        "03_item2vec",
        'run.save("item2vec", 1)',
        parameters='window: int = 5  # items on each side\nnames: list[str] = ["a"]\nrate = 0.5',
        profiles='{"quick": {"window": 2, "rate": 1}}',
    )
    (found,) = discover(notebooks.folder)
    assert (found.name, found.title) == ("03_item2vec", "03_item2vec title")
    assert [(p.name, p.type, p.default, p.help) for p in found.parameters.values()] == [
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
        ({"profiles": "make()"}, "all of it literal"),
        ({"profiles": "{}\nreads = []"}, "may hold only profiles"),
    ],
)
def test_a_malformed_notebook_is_refused_with_its_name_and_the_reason(notebooks, changes, said):
    notebooks.write("03_item2vec", **changes)
    with pytest.raises(RecsysError, match=r"03_item2vec\.ipynb") as caught:
        discover(notebooks.folder)
    assert said in str(caught.value)


def test_a_notebook_without_its_tagged_cells_or_not_a_notebook_is_refused(notebooks):
    path = notebooks.write("03_item2vec")
    path.write_text(path.read_text().replace('"profiles"', '"profils"'))
    with pytest.raises(RecsysError, match="exactly one code cell must be tagged 'profiles'"):
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
    notebooks.write("01_last", 'run.load("b")')
    notebooks.write("02_first", 'run.save("a", 1)')
    notebooks.write("03_middle", 'run.save("b", run.load("a"))')
    found = discover(notebooks.folder)
    needs = dependencies(found)
    assert needs == {"01_last": {"03_middle"}, "02_first": set(), "03_middle": {"02_first"}}
    assert list(ordered_subgraph(needs, found)) == ["02_first", "03_middle", "01_last"]
    assert ordered_subgraph(needs, select(found, ["01", "02"])) == {
        "01_last": set(),
        "02_first": set(),
    }


def test_reads_and_writes_are_found_in_the_code(notebooks):
    notebooks.write(
        "03_item2vec",
        'tables = {"a": run.load("a"), "again": run.load("a")}\n%matplotlib inline',
        'run.save("own", tables, config={"window": window})\nrun.load("own")',
        'def late():\n    return run.load("b")["x"]\nother.load("c")',
    )
    (found,) = discover(notebooks.folder)
    assert (found.reads, found.writes) == (("a", "b"), ("own",))


@pytest.mark.parametrize(
    "hidden",
    [
        "for name in ('a', 'b'): run.load(name)",
        "run.load(f'{window}')",
        "run.save(name='a', value=1)",
        "run.load()",
        "load = run.load",
        "list(map(run.load, ['a']))",
    ],
)
def test_a_name_that_the_code_hides_is_refused_with_its_cell(notebooks, hidden):
    notebooks.write("03_item2vec", "1 + 1", hidden)
    with pytest.raises(RecsysError, match=r"03_item2vec\.ipynb: cell 6: write run\.(load|save)"):
        discover(notebooks.folder)


def test_a_cell_that_is_not_python_is_refused_with_its_number(notebooks):
    notebooks.write("03_item2vec", "1 +")
    with pytest.raises(RecsysError, match=r"03_item2vec\.ipynb: cell 5: "):
        discover(notebooks.folder)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ('run.save("a", 1)', 'run.save("a", 2)', "Two notebooks write the artefact 'a'"),
        ('run.save("item2vec", 1)', 'run.load("itm2vec")', "Did you mean 'item2vec'"),
        (
            'run.save("a", run.load("b"))',
            'x = run.load("a")\nrun.save("b", x)',
            "wait for one another",
        ),
        ('run.save("a", run.load("a"))', "1", "wait for one another"),
    ],
)
def test_notebooks_that_do_not_fit_together_are_refused(notebooks, first, second, said):
    notebooks.write("01_one", first)
    notebooks.write("02_two", second)
    with pytest.raises(RecsysError, match=said):
        dependencies(discover(notebooks.folder))


def test_numbers_and_no_names_stand_for_lessons_or_for_labs(notebooks):
    for name in ("01_one", "01_lab_one", "02_two"):
        notebooks.write(name)
    found = discover(notebooks.folder)

    def names(*wanted: str, labs: bool = False) -> list[str]:
        return [each.name for each in select(found, wanted, labs)]

    assert names() == ["01_one", "02_two"]
    assert names(labs=True) == ["01_lab_one"]
    assert (names("01"), names("01", labs=True)) == (["01_one"], ["01_lab_one"])
    assert names("02", "01_lab_one") == ["01_lab_one", "02_two"]
    with pytest.raises(RecsysError, match="No lab '02'"):
        names("02", labs=True)
