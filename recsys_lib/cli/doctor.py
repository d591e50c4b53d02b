"""``recsys doctor``: is everything here that the course needs?"""

import typer


def doctor() -> None:
    """Look at Python, packages, Java, Redis, disk, memory and data, and say what is missing.

    The exit code is 1 when something is missing that the notebooks can't do without.
    """
    from recsys_lib.experiments.doctor import checks

    found = checks()
    width = max(len(each.name) for each in found)
    for each in found:
        mark = "ok     " if each.good else "MISSING" if each.needed else "note   "
        typer.echo(f"{mark}  {each.name:<{width}}  {each.finding}")
        if each.advice and not each.good:
            typer.echo(f"{' ' * (width + 11)}{each.advice}")
    if any(each.needed and not each.good for each in found):
        raise typer.Exit(1)
