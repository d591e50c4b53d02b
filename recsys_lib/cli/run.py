"""``recsys run``: execute notebooks, or list them."""

from typing import Annotated

import typer


def run(
    notebooks: Annotated[
        list[str] | None,
        typer.Argument(
            help="Notebooks to run, by name (03_item2vec) or number (03). Default: all lessons.",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Name of the data set to run on, as `recsys data list` shows it. Default: the one "
            "that the notebooks name.",
            show_default=False,
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="Set a parameter: `-p window=5` in every chosen notebook that has it, "
            "`-p 03_item2vec.window=5` in one. May be repeated; `--list` shows all parameters.",
            show_default=False,
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="How much work to do: quick, default or full.")
    ] = "default",
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Notebooks that run at the same time. Default: one per core, if there are 3 GB of "
            "memory for each.",
            show_default=False,
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Execute every notebook, even if nothing changed.")
    ] = False,
    labs: Annotated[
        bool,
        typer.Option(
            "--labs",
            help="Run labs, which hold the evidence for a chapter, in place of lessons: all, or "
            "those of the numbers given.",
        ),
    ] = False,
    show: Annotated[
        bool,
        typer.Option("--list", help="List the notebooks and their parameters; run nothing."),
    ] = False,
) -> None:
    """Execute the numbered notebooks in an order that fits, and write a report.

    The results are in `outputs/DATE-TIME-DATASET-PROFILE/`: the executed notebooks,
    `metrics.json`, `report.html`, and the artefacts that one notebook writes and another reads.
    `outputs/latest` points to the last run that ended well.

    A notebook is reused from an earlier run if its code, its parameters, the data, the library and
    what it reads are the same. After a failure or Ctrl-C, the same command goes on where it
    stopped.

    Only the notebooks that you name are executed. If one of them reads what a notebook writes that
    you did not name, it is taken from the newest run in which that notebook ended well with its
    own parameters, the same seed, data and library. Without such a run, or with `--fresh`, the
    library builds it with its default settings.

    Examples:

    `recsys run`

    `recsys run 03 04 --profile quick`

    `recsys run 03_item2vec -p window=5`

    `recsys run --dataset mine`

    `recsys run --labs 09 --profile full`
    """
    import signal

    from recsys_lib.experiments.notebooks import discover, select

    found = discover()
    if show:
        for each in select(found, notebooks or [], labs):
            _print_notebook(each)
        return
    from recsys_lib.experiments.plan import make_plan
    from recsys_lib.experiments.records import find_reusable
    from recsys_lib.experiments.runner import run as run_plan

    earlier = {} if fresh else {"find_earlier": find_reusable}
    plan = make_plan(found, notebooks or [], parameter or [], profile, dataset, labs, **earlier)
    # When a container or CI ends the run, its kernels end as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = run_plan(plan, jobs, fresh)
    except KeyboardInterrupt:
        typer.echo("Interrupted. The same command goes on where this one stopped.", err=True)
        raise typer.Exit(130) from None
    print_result(result)
    if result.failed:
        raise typer.Exit(1)


def _print_notebook(notebook) -> None:
    typer.echo(f"{notebook.name}: {notebook.title}")
    for side, names in (("reads", notebook.reads), ("writes", notebook.writes)):
        if names:
            typer.echo(f"  {side} {', '.join(names)}")
    for each in notebook.parameters.values():
        typer.echo(f"  {each.name}: {each.type} = {each.default!r}".ljust(44) + f"  {each.help}")
    for profile, values in notebook.profiles.items():
        given = ", ".join(f"{name}={value!r}" for name, value in values.items())
        typer.echo(f"  --profile {profile}: {given or 'the same as the default'}")
    typer.echo()


def print_result(result) -> None:
    """Say how a run ended: what failed, what is left out and why, where the report is."""
    from recsys_lib.paths import shown

    if result.unchanged:
        typer.echo(f"Nothing changed since {shown(result.folder)}.")
    elif result.failed:
        typer.echo(f"No results from: {', '.join(result.failed)}. The same command tries again.")
    for reason in dict.fromkeys(result.left_out.values()):
        names = [name for name, each in result.left_out.items() if each == reason]
        typer.echo(f"Left out: {', '.join(names)}.\n{reason}")
    typer.echo(f"Report: {shown(result.folder / 'report.html')}")
