"""One command's run: reuse what is there, execute the rest, write down what came out."""

import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from recsys_lib import files, paths
from recsys_lib.experiments import records
from recsys_lib.experiments.plan import Plan
from recsys_lib.experiments.progress import TerminalProgress
from recsys_lib.experiments.provenance import command_line, provenance
from recsys_lib.experiments.report import write_report
from recsys_lib.experiments.scheduler import Outcome, Scheduler, default_jobs


@dataclass(frozen=True)
class Result:
    """What a command came to.

    Attributes
    ----------
    folder : Path
        The folder of the run.
    unchanged : bool
        Whether it is an earlier run, because nothing has changed since.
    outcomes : dict
        By the notebook's name, how it ended.
    """

    folder: Path
    unchanged: bool
    outcomes: dict[str, Outcome]

    @property
    def failed(self) -> list[str]:
        """Names of the notebooks that ought to have results and have none."""
        well = ("ok", "reused", "left out")
        return [n for n, each in self.outcomes.items() if each.status not in well]

    @property
    def left_out(self) -> dict[str, str]:
        """Why the data set leaves a notebook nothing to judge, by the notebook's name."""
        return {n: each.reason for n, each in self.outcomes.items() if each.status == "left out"}


def run(plan: Plan, jobs: int | None = None, fresh: bool = False) -> Result:
    """Carry out a plan in a new folder under the outputs.

    A step that ended well in an earlier run with the same fingerprint is reused from there. If a
    complete earlier run is the same in everything, nothing is made and that run is the result.

    Parameters
    ----------
    plan : Plan
    jobs : int, optional
        Notebooks at a time; default: what cores and memory allow.
    fresh : bool
        Execute everything, whatever earlier runs left.

    Raises
    ------
    KeyboardInterrupt
        After the state is written, so that the same command goes on where this one stopped.
    """
    same = None if fresh else records.find_identical(plan)
    if same:
        records.point_latest(same)
        outcomes = {name: Outcome("reused", source=same.name) for name in plan.steps}
        return Result(same, True, outcomes)
    folder = records.new_run_folder(plan)
    began = datetime.now().astimezone()
    outcomes: dict[str, Outcome] = {}
    start = time.monotonic()
    with TerminalProgress(folder) as progress:
        progress.print_line(f"Run {paths.shown(folder)}")
        if not fresh:
            outcomes.update(_reuse(plan, folder, progress))
        _lend(plan, folder, progress)
        try:
            scheduler = Scheduler(plan.steps, folder, jobs or default_jobs(), progress, outcomes)
            scheduler.run()
        finally:
            result = Result(folder, False, {name: outcomes[name] for name in plan.steps})
            _write_down(plan, result, began, time.monotonic() - start)
    return result


def _reuse(plan: Plan, folder: Path, progress: TerminalProgress) -> dict[str, Outcome]:
    reused = {}
    for name, step in plan.steps.items():
        source = records.find_reusable(step)
        if source:
            records.reuse(step, source, folder)
            record = records.read_record(folder, name)
            reused[name] = Outcome("reused", record["seconds"], source=record["run"])
            progress.ended(name, reused[name])
    return reused


def _lend(plan: Plan, folder: Path, progress: TerminalProgress) -> None:
    for name, (step, source) in plan.lent.items():
        records.link_artifacts(step, source, folder)
        progress.print_line(f"{name}: what it wrote is read from {source.name}")


def _write_down(plan: Plan, result: Result, began: datetime, seconds: float) -> None:
    without = {*result.failed, *result.left_out}
    finished = [name for name in result.outcomes if name not in without]
    files.write_json(
        result.folder / "metrics.json", records.collect_metrics(result.folder, finished)
    )
    files.write_json(result.folder / "run.json", _description(plan, result, began, seconds))
    write_report(result.folder)
    if finished and not result.failed:
        records.point_latest(result.folder)


def _status(outcomes: dict[str, Outcome]) -> str:
    found = {each.status for each in outcomes.values()}
    return next((bad for bad in ("interrupted", "failed", "left out") if bad in found), "complete")


def _description(plan: Plan, result: Result, began: datetime, seconds: float) -> dict[str, Any]:
    notebooks = {
        name: {
            "title": step.notebook.title,
            **asdict(result.outcomes[name]),
            "fingerprint": step.fingerprint,
            "parameters": step.parameters,
            "changed": sorted(step.changed),
        }
        for name, step in plan.steps.items()
    }
    return {
        "status": _status(result.outcomes),
        "command": command_line(),
        "began": began.isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "dataset": plan.dataset,
        "data_fingerprint": plan.data_fingerprint,
        "profile": plan.profile,
        "notebooks": notebooks,
        **provenance(),
    }
