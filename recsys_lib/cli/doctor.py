"""``recsys doctor``: check what the course needs of this machine."""

import typer


def doctor() -> None:
    """Check that this machine has what the course needs, and say how to get what is missing.

    It looks at Python, the installed packages, Java, the Redis server, the Jupyter kernel, disk,
    memory and data. The exit code is 1 when something is missing that the notebooks can't do
    without.

    Example: `recsys doctor`
    """
    from recsys_lib.experiments.doctor import checks

    found = checks()
    width = max(len(each.name) for each in found)
    for each in found:
        mark = "ok     " if each.ok else "MISSING" if each.required else "note   "
        typer.echo(f"{mark}  {each.name:<{width}}  {each.finding}")
        if each.advice and not each.ok:
            typer.echo(f"{' ' * (width + 11)}{each.advice}")
    if any(each.required and not each.ok for each in found):
        raise typer.Exit(1)
