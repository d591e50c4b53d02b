"""``recsys run``: execute notebooks, or list them."""

from typing import Annotated

import typer


def run(
    notebooks: Annotated[
        list[str] | None,
        typer.Argument(
            help="Notebooks to run, by name (03_item2vec) or number (03). None: all of them.",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Data set to run on; 'recsys data list' names them. Default: the notebooks' own.",
            show_default=False,
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="Set a parameter: -p window=5 in every chosen notebook that has it, "
            "-p 03_item2vec.window=5 in one. May be repeated; --list shows what there is.",
            show_default=False,
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="Size of the work: quick, default or full.")
    ] = "default",
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Notebooks at a time. Default: one a core, as far as 3 GB of memory each allow.",
            show_default=False,
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Execute everything, even what did not change.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--list", help="Show the notebooks and their parameters; run nothing.")
    ] = False,
) -> None:
    """Execute the numbered notebooks in the order they need, and write a report.

    Results go to outputs/DATE-TIME-DATASET-PROFILE/: the executed notebooks, metrics.json,
    report.html and what the notebooks hand to each other. outputs/latest points to the last run
    that went well.

    A notebook whose code, parameters, data, library and inputs did not change is reused from an
    earlier run. After a failure or Ctrl-C, the same command goes on where it stopped.

    Exactly the notebooks named are run. What they read from notebooks that are not among them is
    built by the library with its default settings.

    Examples:

    - `recsys run`: all notebooks on MovieLens 100K

    - `recsys run 03 04 --profile quick`: two of them, small

    - `recsys run 03_item2vec -p window=5`: one, with another window
    """
    import signal

    from recsys_lib.experiments.notebooks import discover, select

    found = discover()
    if show:
        for each in select(found, notebooks or []):
            _print_notebook(each)
        return
    from recsys_lib.experiments.plan import make_plan
    from recsys_lib.experiments.runner import run as run_plan

    plan = make_plan(found, notebooks or [], parameter or [], profile, dataset)
    # A run that is told to end (by a container, by CI) ends its kernels as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = run_plan(plan, jobs, fresh)
    except KeyboardInterrupt:
        typer.echo("Interrupted. The same command goes on where this one stopped.", err=True)
        raise typer.Exit(130) from None
    _print_result(result)
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
        typer.echo(f"  --profile {profile}: {given or 'as by default'}")
    typer.echo()


def _print_result(result) -> None:
    from recsys_lib.paths import shown

    if result.unchanged:
        typer.echo(f"Nothing changed since {shown(result.folder)}.")
    elif result.failed:
        typer.echo(f"No results from: {', '.join(result.failed)}. The same command tries again.")
    typer.echo(f"Report: {shown(result.folder / 'report.html')}")
