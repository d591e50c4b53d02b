"""The form every notebook keeps, so that the runner, nbval and readers can rely on it."""

import ast
import re
from functools import cache

import nbformat
import pytest

from recsys_lib import paths
from recsys_lib.experiments.graph import dependencies
from recsys_lib.experiments.metrics import MAX_METRICS
from recsys_lib.experiments.notebooks import Notebook, discover

# The notebooks the course has promised; metrics are addressed by these names.
NAMES = {
    "00_overview",
    "01_feature_engineering",
    "01_lab_features",
    "02_lab_training_samples",
    "02_training_samples",
    "03_item2vec",
    "03_lab_item2vec",
    "04_graph_embedding",
    "04_lab_graph_embedding",
    "05_lab_recall",
    "05_recall",
    "06_lab_lsh",
    "06_lsh",
    "07_embedding_mlp",
    "07_lab_embedding_mlp",
    "08_lab_ranking_models",
    "08_ranking_models",
    "08_user_history",
    "09_cascade",
    "09_lab_cascade",
    "10_feature_store",
    "10_lab_feature_store",
    "11_lab_model_serving",
    "11_model_serving",
    "12_lab_ab_test",
    "12_lab_cluster",
    "12_online_serving",
    "13_cold_start",
    "13_lab_cold_start",
    "14_lab_streams",
    "14_online_learning",
    "15_bandits",
    "15_lab_bandits",
}
MAX_BYTES = 1_000_000
MAX_LINES = 20
MAX_CELLS_WITHOUT_PROSE = 3
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.:/])/(?:home|Users|root|tmp|work|opt|mnt|var|usr)/\w",
    "a path of Windows": r"\b[A-Z]:\\\\?[A-Za-z]",
    "a local address": r"file://|localhost:\d|127\.0\.0\.1",
    "a package index": r"index-url|/simple/|pypi\.org|mirror\w*\.\w+\.\w+/",
    "a memory address": r"\bat 0x[0-9a-f]{6,}",
}
FILES = sorted(path.stem for path in paths.notebooks_dir().glob("*.ipynb"))


@cache
def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(paths.notebooks_dir() / f"{name}.ipynb", as_version=4)


@cache
def notebooks() -> dict[str, Notebook]:
    return {each.name: each for each in discover()}


def code_cells(name: str) -> list:
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def outputs(name: str) -> list:
    return [output for cell in code_cells(name) for output in cell.outputs]


def texts(name: str) -> list[str]:
    """Return all that a reader sees of a notebook as text: sources and textual outputs."""
    shown = [cell.source for cell in read(name).cells]
    for output in outputs(name):
        data = output.get("data", {})
        shown.append(output.get("text", ""))
        shown += [value for kind, value in data.items() if kind.startswith("text/")]
    return shown


def tree(name: str) -> ast.Module:
    return ast.parse("\n".join(cell.source for cell in code_cells(name)))


def only_imports(cell) -> bool:
    return all(
        isinstance(each, ast.Import | ast.ImportFrom) for each in ast.parse(cell.source).body
    )


def calls_of_run(name: str, method: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "run"
    ]


def test_all_promised_notebooks_are_there():
    assert set(FILES) >= NAMES


def test_what_is_read_and_written_fits_together():
    assert set(dependencies(list(notebooks().values()))) == set(FILES)
    written = {name for each in notebooks().values() for name in each.writes}
    assert {name for each in notebooks().values() for name in each.reads} <= written


@pytest.mark.parametrize("name", FILES)
class TestStyle:
    def test_is_a_valid_notebook_of_moderate_size(self, name):
        nbformat.validate(read(name))
        assert read(name).metadata.kernelspec.name == "python3"
        assert (paths.notebooks_dir() / f"{name}.ipynb").stat().st_size < MAX_BYTES

    def test_begins_with_its_title_and_number(self, name):
        first = read(name).cells[0]
        assert first.cell_type == "markdown"
        assert re.match(rf"# {name[:2]}\b", first.source)

    def test_profiles_come_before_parameters_and_name_quick_and_full(self, name):
        order = [tag for cell in code_cells(name) for tag in tags(cell)]
        assert order.index("profiles") < order.index("parameters")
        assert {"quick", "full"} <= set(notebooks()[name].profiles)

    def test_parameters_are_annotated_explained_and_used(self, name):
        parameters = notebooks()[name].parameters
        assert {"dataset", "seed"} <= set(parameters)
        assert [each.name for each in parameters.values() if not each.help] == []
        cells = code_cells(name)
        (at,) = [i for i, cell in enumerate(cells) if "parameters" in tags(cell)]
        declared = ast.parse(cells[at].source).body
        assert all(isinstance(statement, ast.AnnAssign) for statement in declared)
        later = ast.parse("\n".join(cell.source for cell in cells[at + 1 :]))
        used = {node.id for node in ast.walk(later) if isinstance(node, ast.Name)}
        assert set(parameters) - used == set()

    def test_the_last_code_cell_records_once(self, name):
        assert len(calls_of_run(name, "record")) == 1
        assert "run.record(" in code_cells(name)[-1].source

    def test_records_a_few_metrics_that_say_what_they_mean_and_the_rest_as_tables(self, name):
        (metrics,) = calls_of_run(name, "record")[0].args
        assert all(isinstance(key, ast.Constant) for key in metrics.keys)
        assert 3 <= len(metrics.keys) <= MAX_METRICS
        for _, unit, meaning in (entry.elts for entry in metrics.values):
            assert isinstance(unit, ast.Constant)
            assert ast.unparse(meaning).rstrip("'\"").endswith(".")
        assert calls_of_run(name, "table")

    def test_it_opens_its_run_under_its_own_name(self, name):
        starts = [
            node.args[0].value
            for node in ast.walk(tree(name))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "start"
        ]
        assert starts == [name]

    def test_was_executed_in_order_from_a_fresh_kernel(self, name):
        counts = [cell.execution_count for cell in code_cells(name)]
        assert counts == list(range(1, len(counts) + 1))

    def test_shows_no_error_no_stderr_no_widget(self, name):
        kinds = {output.output_type for output in outputs(name)}
        assert "error" not in kinds
        assert [out.text for out in outputs(name) if out.get("name") == "stderr"] == []
        assert "widgets" not in read(name).metadata
        assert not [out for out in outputs(name) if "widget" in " ".join(out.get("data", {}))]

    def test_carries_no_mark_of_papermill(self, name):
        assert "papermill" not in read(name).metadata
        for cell in read(name).cells:
            assert "papermill" not in cell.metadata
            assert "injected-parameters" not in tags(cell)

    def test_cells_are_short(self, name):
        long = [
            cell.source.splitlines()[0]
            for cell in code_cells(name)[:-1]  # the last one is the list of what is recorded
            if len(cell.source.strip().splitlines()) > MAX_LINES and not only_imports(cell)
        ]
        assert long == []

    def test_prose_stands_between_the_cells(self, name):
        cells = read(name).cells
        # Imports, profiles and parameters open every notebook; the opening text speaks for them.
        (at,) = [i for i, cell in enumerate(cells) if "parameters" in tags(cell)]
        kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in cells[at + 1 :])
        assert "c" * (MAX_CELLS_WITHOUT_PROSE + 1) not in kinds

    def test_cells_that_are_not_compared_say_why(self, name):
        silent = [
            cell.source
            for cell in code_cells(name)
            if "nbval-ignore-output" in tags(cell) and "#" not in cell.source
        ]
        assert silent == []

    def test_exercises_pass_untouched_and_have_a_hint(self, name):
        exercises = [cell for cell in code_cells(name) if "exercise" in tags(cell)]
        assert exercises
        for cell in exercises:
            checks = [each for each in ast.parse(cell.source).body if isinstance(each, ast.Assert)]
            assert checks
            assert all(check.msg is not None for check in checks)
            assert re.search(r"\bis None or\b", cell.source)

    @pytest.mark.parametrize("what", FORBIDDEN)
    def test_names_no_machine(self, name, what):
        found = [re.search(FORBIDDEN[what], text) for text in texts(name)]
        assert [match.group() for match in found if match] == []
