"""Where things lie, from whatever working folder a notebook, a test or the command line runs in."""

import os
from pathlib import Path


def project_root() -> Path:
    """Return the checkout's folder: the nearest one above the working folder, else the package's.

    A folder counts when it holds ``pyproject.toml`` and ``recsys_lib``.
    """
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file() and (folder / "recsys_lib").is_dir():
            return folder
    return Path(__file__).resolve().parent.parent


def _folder(variable: str, default: str) -> Path:
    value = os.environ.get(variable)
    return Path(value).expanduser().resolve() if value else project_root() / default


def data_dir() -> Path:
    """Return the folder of data sets: ``$RECSYS_DATA_DIR``, or ``data/`` of the checkout."""
    return _folder("RECSYS_DATA_DIR", "data")


def outputs_dir() -> Path:
    """Return the folder of runs: ``$RECSYS_OUTPUTS_DIR``, or ``outputs/`` of the checkout."""
    return _folder("RECSYS_OUTPUTS_DIR", "outputs")


def embedding_history_dir() -> Path:
    """Return the folder of all embeddings ever trained, by data set: in the folder of runs."""
    return outputs_dir() / "embedding_history"


def notebooks_dir() -> Path:
    """Return the folder of the numbered notebooks."""
    return project_root() / "notebooks"


def shown(path: Path) -> str:
    """Return a path as a person wants to read it: relative to the working folder where possible."""
    path = Path(path)
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except ValueError:
        return str(path)
