"""Runs on disk: where they lie, what they recorded, and what a later run may reuse.

A notebook's folder holds ``record.json`` once, and only if, the notebook ended well.
"""

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from recsys_lib import files, paths
from recsys_lib.errors import RecsysError, nearest
from recsys_lib.experiments.plan import Plan, Step
from recsys_lib.experiments.results import METRICS, TABLES

_RUN_NAME = re.compile(r"\d{8}-\d{6}-.+")


def new_run_folder(plan: Plan) -> Path:
    """Make and return ``outputs/<date>-<time>-<dataset>-<profile>/``."""
    outputs = paths.outputs_dir()
    outputs.mkdir(parents=True, exist_ok=True)
    while True:
        name = "-".join([time.strftime("%Y%m%d-%H%M%S"), plan.dataset or "no-data", plan.profile])
        with contextlib.suppress(FileExistsError):
            (outputs / name).mkdir()
            return outputs / name
        time.sleep(0.2)


def runs() -> list[Path]:
    """Return all run folders, the newest first."""
    outputs = paths.outputs_dir()
    found = outputs.iterdir() if outputs.is_dir() else []
    return sorted((each for each in found if _RUN_NAME.fullmatch(each.name)), reverse=True)


def find_run(name: str | None = None) -> Path:
    """Return a run's folder by its name under the outputs or its path; default: the latest.

    Raises
    ------
    RecsysError
        There is no such run.
    """
    outputs = paths.outputs_dir()
    for candidate in (outputs / (name or "latest"), Path(name or "latest")):
        if (candidate / METRICS).is_file():
            return candidate.resolve()
    if name is None:
        raise RecsysError(
            f"No run has ended well in {paths.shown(outputs)} yet. Start one with `recsys run`."
        )
    known = [each.name for each in runs()]
    raise RecsysError(f"There is no run {name!r} in {paths.shown(outputs)}.{nearest(name, known)}")


def point_latest(run: Path) -> None:
    """Let ``outputs/latest`` be a link to ``run``, at once, unless something else is called so."""
    latest = run.parent / "latest"
    if latest.exists() and not latest.is_symlink():
        return
    with tempfile.TemporaryDirectory(prefix=".latest.", dir=run.parent) as holder:
        link = Path(holder) / "latest"
        link.symlink_to(run.name, target_is_directory=True)
        os.replace(link, latest)


def read_record(run: Path, notebook: str) -> dict[str, Any] | None:
    """Return what is recorded of a notebook that ended well in ``run``, else None."""
    try:
        return files.read_json(run / notebook / "record.json")
    except (OSError, ValueError):
        return None


def find_reusable(step: Step) -> Path | None:
    """Return the newest run in which this very step ended well and left all that it writes."""
    for run in runs():
        record = read_record(run, step.notebook.name)
        if record and record["fingerprint"] == step.fingerprint:
            left = (run / "artifacts" / name / "artifact.json" for name in step.notebook.writes)
            if all(path.is_file() for path in left):
                return run
    return None


def find_identical(plan: Plan) -> Path | None:
    """Return the newest complete run of exactly this plan."""
    wanted = {name: step.fingerprint for name, step in plan.steps.items()}
    for run in runs():
        try:
            description = files.read_json(run / "run.json")
        except (OSError, ValueError):
            continue
        notebooks = description["notebooks"].items()
        made = {name: each["fingerprint"] for name, each in notebooks}
        kind = tuple(description[key] for key in ("status", "dataset", "profile"))
        if made == wanted and kind == ("complete", plan.dataset, plan.profile):
            return run
    return None


def reuse(step: Step, source: Path, run: Path) -> None:
    """Put into ``run`` what ``step`` left in ``source``, as hard links or, failing that, copies.

    Nothing ever writes into a finished file (all writing is by rename), so sharing is safe.
    """
    link_artifacts(step, source, run)
    _link_tree(source / step.notebook.name, run / step.notebook.name)


def link_artifacts(step: Step, source: Path, run: Path) -> None:
    """Put into ``run`` the artefacts alone that ``step`` wrote in ``source``."""
    for name in step.notebook.writes:
        _link_tree(source / "artifacts" / name, run / "artifacts" / name)


def _link_tree(source: Path, target: Path) -> None:
    def link(old: str, new: str) -> None:
        try:
            os.link(old, new)
        except OSError:
            shutil.copy2(old, new)

    with files.atomic_folder(target, ours=True) as fresh:  # within the run's own folder
        shutil.copytree(source, fresh, copy_function=link, dirs_exist_ok=True)


def collect_metrics(run: Path, notebooks: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return ``{"<notebook>.<metric>": what it recorded}`` of finished notebooks."""
    return {
        f"{notebook}.{name}": metric
        for notebook in sorted(notebooks)
        if read_record(run, notebook) and (run / notebook / METRICS).is_file()
        for name, metric in files.read_json(run / notebook / METRICS).items()
    }


def find_tables(run: Path) -> dict[str, dict[str, Any]]:
    """Return ``{"<notebook>.<table>": {"path", "caption", "rows", "columns"}}`` of a run."""
    found = {}
    for listing in sorted(run.glob(f"*/{TABLES}")):
        notebook = listing.parent.parent.name
        for about in files.read_json(listing):
            path = listing.parent / about.pop("file")
            found[f"{notebook}.{path.stem}"] = {"path": path, **about}
    return found
