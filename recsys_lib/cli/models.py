"""``recsys models``: versions of models, which of them serve, and a server of them."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Store versions of trained models, choose which one serves, go back, and serve them.",
)
Registry = Annotated[
    Path | None,
    typer.Option(help="Folder of the registry [default: `models` in the folder of outputs]."),
]
Name = Annotated[str, typer.Argument(help="Name of the model, as `recsys models list` shows it.")]
Version = Annotated[int, typer.Argument(help="Number of the version.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Name to store the model under.")],
    model: Annotated[Path, typer.Argument(help="Folder that `recsys train` wrote.")],
    samples: Annotated[
        Path, typer.Option(help="Samples to check the export with, as given to `recsys train`.")
    ],
    tolerance: Annotated[
        float, typer.Option(help="How far a served probability may be from the trained model's.")
    ] = 1e-6,
    registry: Registry = None,
) -> None:
    """Export a trained model and store it as a new version, with where it comes from.

    The new version serves only after `recsys models promote`.

    Example: `recsys models add ranker outputs/mlp --samples outputs/samples`
    """
    from recsys_lib.experiments.provenance import git_revision
    from recsys_lib.models_registry.trained import add_trained_folder

    models, revision = _registry(registry), git_revision()
    version = add_trained_folder(
        models, name, model, samples, tolerance, revision and revision["commit"]
    )
    parity = models.lineage(name, version).parity
    typer.echo(f"version {version} of {name} in {models.path(name, version)}")
    typer.echo(
        f"served and trained scores of {parity.n_rows:,} samples differ by at most "
        f"{parity.largest_difference:.1e}"
    )


@app.command("list")
def list_versions(registry: Registry = None) -> None:
    """List all versions of all models: what they are, how good, and which one serves.

    Example: `recsys models list`
    """
    from rich.console import Console
    from rich.table import Table

    models = _registry(registry)
    table = Table("model", "version", "kind", "criterion", "value", "created", "")
    for name in models.names():
        current = models.current(name)
        for version in models.versions(name):
            record = models.record(name, version)
            lineage = record["lineage"]
            criterion = lineage["criterion"]
            table.add_row(
                name,
                str(version),
                lineage["kind"],
                criterion,
                f"{lineage['metrics'][criterion]:.4f}",
                record["created"],
                "serves" if version == current else "",
            )
    if not table.row_count:
        typer.echo(f"There is no model in {models.folder}; `recsys models add` stores one.")
        return
    Console().print(table)


@app.command()
def show(name: Name, version: Version, registry: Registry = None) -> None:
    """Print where a version comes from, as JSON, and what became of it.

    Example: `recsys models show ranker 2`
    """
    import json

    models = _registry(registry)
    changes = [entry for entry in models.log(name) if entry["version"] == version]
    described = {**models.record(name, version), "promotions": changes}
    typer.echo(json.dumps(described, indent=2, ensure_ascii=False))


@app.command()
def promote(
    name: Name,
    version: Version,
    force: Annotated[
        bool, typer.Option("--force", help="Also if it is worse, or its check failed.")
    ] = False,
    registry: Registry = None,
) -> None:
    """Let a version serve, if it is no worse than the one that serves now.

    Compared is the validation metric that was chosen when the version was stored. A running
    `recsys models serve` follows within a second, and so does TensorFlow Serving.

    Example: `recsys models promote ranker 2`
    """
    models = _registry(registry)
    models.promote(name, version, force)
    typer.echo(f"version {version} of {name} serves")


@app.command()
def rollback(name: Name, registry: Registry = None) -> None:
    """Let the version serve that did before the one that serves now.

    Example: `recsys models rollback ranker`
    """
    typer.echo(f"version {_registry(registry).rollback(name)} of {name} serves")


@app.command()
def serve(
    registry: Registry = None,
    model_config_file: Annotated[
        Path | None,
        typer.Option(help="Serve the models of this file of TensorFlow Serving instead."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    rest_api_port: Annotated[int, typer.Option(help="Of REST; 0 takes a free one.")] = 8501,
    port: Annotated[int, typer.Option(help="Of gRPC; 0 takes a free one.")] = 8500,
    poll_wait_s: Annotated[
        float, typer.Option(help="Seconds between two looks at the models.")
    ] = 1.0,
    resource_preserving: Annotated[
        bool, typer.Option("--resource-preserving", help="Unload before loading, to save memory.")
    ] = False,
    enable_batching: Annotated[
        bool, typer.Option("--enable-batching", help="Run requests together that come together.")
    ] = False,
) -> None:
    """Serve the promoted versions with TensorFlow Serving's REST and gRPC protocols.

    The server follows promotions and roll-backs while it runs. Ctrl-C ends it.

    Examples:

    `recsys models serve`

    `curl localhost:8501/v1/models/ranker`
    """
    from recsys_lib.model_server import BatchingConfig, ModelServer, ServerConfig

    models = model_config_file or _registry(registry).write_server_config()
    config = ServerConfig(
        host,
        rest_api_port,
        port,
        poll_wait_s,
        resource_preserving=resource_preserving,
        batching=BatchingConfig() if enable_batching else None,
    )
    with ModelServer(models, config) as server:
        typer.echo(f"REST at {server.rest_url}/v1/models, gRPC at {server.grpc_address}")
        try:
            server.wait()
        except KeyboardInterrupt:
            typer.echo("finishing what is running")


def _registry(folder: Path | None):
    from recsys_lib import paths
    from recsys_lib.models_registry import ModelRegistry

    return ModelRegistry(folder or paths.outputs_dir() / "models")
