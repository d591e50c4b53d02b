"""``recsys serve``: the service and its page."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer


def serve(
    dataset: Annotated[
        str, typer.Option(help="Name of the data set to serve, as `recsys data list` shows it.")
    ] = "ml-100k",
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen at. Anything but this machine's own needs a token.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 8000,
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=64, help="Processes that answer. From 2 on, a balancer stands before them."
        ),
    ] = 1,
    policy: Annotated[
        str, typer.Option(help="How the balancer chooses a process, such as `round_robin`.")
    ] = "bounded_load_hash",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="RECSYS_TOKEN",
            help="A secret of at least 16 characters that every request must bring. In a browser, "
            "open the address with `?token=...` once.",
            show_default=False,
            show_envvar=True,
        ),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="Where no run is there, build all channels and the ranking network first, which "
            "takes minutes, in place of light channels, which take seconds.",
        ),
    ] = False,
    worker: Annotated[bool, typer.Option(hidden=True)] = False,
    redis_address: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve recommendations over HTTP, with a web page to play with.

    The models are those of the newest run on the data set that ended well. Where there is none,
    light channels are fitted in seconds, and the command says so. Ratings that people give on the
    page are kept in `outputs/service/`, beside a log of all lists that were shown.

    A Redis server of its own holds the users' features and the shared cache; set `REDIS_URL` to use
    another one. Ctrl-C ends the service.

    Examples:

    `recsys serve`

    `recsys serve --dataset mine --port 9000`

    `recsys serve --workers 2 --policy round_robin`

    `RECSYS_TOKEN=$(openssl rand -hex 16) recsys serve --host 0.0.0.0`
    """
    import contextlib
    import os
    import signal

    from recsys_lib import paths
    from recsys_lib.data import ensure
    from recsys_lib.experiments.served import find_served
    from recsys_lib.serving.service.app import make_app
    from recsys_lib.serving.service.guard import check_exposure
    from recsys_lib.serving.service.redis_link import kept_redis
    from recsys_lib.serving.service.server import (
        listening_socket,
        open_service,
        url_of,
        web_server,
    )
    from recsys_lib.serving.service.supervisor import Workers, end_with_parent, run_balanced

    check_exposure(host, token)
    data = ensure(dataset)
    folder = paths.outputs_dir() / "service" / dataset
    folder.mkdir(parents=True, exist_ok=True)
    listening = None if worker else listening_socket(host, port)
    # The web server hands a signal on when it has ended; what else is open ends then, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        given = os.environ.get("REDIS_URL")
        if redis_address is None and not given:
            redis_address = stack.enter_context(kept_redis(folder))

        def address() -> str:
            return given or redis_address.read_text(encoding="utf-8")

        def find_parts(store):
            found = find_served(data, store, typer.echo, complete)
            return found.parts, found.users

        if workers > 1:
            if token:
                os.environ["RECSYS_TOKEN"] = token  # for the workers: a command line is seen by all
            # Once, before all of them begin to fit the same.
            find_served(data, None, lambda line: None, complete)
            command = partial(_worker, dataset, redis_address)
            processes = Workers(command, workers).start()
            stack.callback(processes.stop)
            typer.echo(f"{data.name} is served at {url_of(listening)} by {workers} processes.")
            with contextlib.suppress(KeyboardInterrupt):
                run_balanced(processes, policy, listening, token)
            return
        service = stack.enter_context(open_service(data, find_parts, folder, address))
        if worker:
            service.is_ready.wait()
            listening = listening_socket(host, port)
        else:
            typer.echo(f"{data.name} is served at {url_of(listening)}; Ctrl-C ends it.")
        web = web_server(make_app(service, token=token))
        if worker:
            end_with_parent(lambda: setattr(web, "should_exit", True))
        with contextlib.suppress(KeyboardInterrupt):
            web.run(sockets=[listening])


def _worker(dataset: str, redis_address: Path | None, port: int) -> list[str]:
    """Return the command of one process behind the balancer."""
    command = [sys.executable, "-m", "recsys_lib", "serve", "--dataset", dataset]
    command += ["--worker", "--port", str(port)]
    if redis_address is not None:
        command += ["--redis-address", str(redis_address)]
    return command
