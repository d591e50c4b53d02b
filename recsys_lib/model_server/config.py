"""Which models a server holds, and which of their versions.

The versions of a model are the folders ``base_path/1``, ``base_path/2``, ...; each holds one
SavedModel. Names that are no whole numbers are not versions, so a copy that is still being made
under another name is not looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recsys_lib.keras_backend import load_tensorflow
from recsys_lib.model_server.status import invalid


@dataclass(frozen=True)
class Latest:
    """The policy that serves the versions of the highest numbers.

    Attributes
    ----------
    n : int
        How many of them.
    """

    n: int = 1

    def choose(self, found: Iterable[int]) -> list[int]:
        """Return the versions to serve, of those that were found."""
        return sorted(found)[-self.n :]


@dataclass(frozen=True)
class Specific:
    """The policy that serves these versions and no others."""

    versions: tuple[int, ...]

    def choose(self, found: Iterable[int]) -> list[int]:
        """Return the versions to serve, of those that were found."""
        return sorted(set(found) & set(self.versions))


@dataclass(frozen=True)
class All:
    """The policy that serves every version there is."""

    def choose(self, found: Iterable[int]) -> list[int]:
        """Return the versions to serve, of those that were found."""
        return sorted(found)


@dataclass(frozen=True)
class ModelConfig:
    """One model.

    Attributes
    ----------
    name : str
        What requests call it.
    base_path : Path
        Folder of its versions.
    policy : Latest, Specific or All
    labels : dict of str to int
        Names for versions, such as ``stable`` and ``canary``.
    """

    name: str
    base_path: Path
    policy: Latest | Specific | All = Latest()
    labels: Mapping[str, int] = field(default_factory=dict)

    def found(self) -> dict[int, Path]:
        """Return the folders of the versions on disk; ``00000123`` holds version 123."""
        try:
            folders = sorted(p for p in Path(self.base_path).iterdir() if p.is_dir())
        except OSError:
            return {}
        return {int(p.name): p for p in folders if p.name.isascii() and p.name.isdigit()}

    def folder(self, version: int) -> Path:
        """Return the folder of a version, there or not."""
        return self.found().get(version, Path(self.base_path) / str(version))


def read_config(path: Path) -> list[ModelConfig]:
    """Read a ``model_config_file`` of TensorFlow Serving (protocol buffers as text).

    Raises
    ------
    StatusError
        It cannot be read, or describes no list of models.
    """
    load_tensorflow()
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    config = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(Path(path).read_text(encoding="utf-8"), config)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise invalid(f"The model config file {path} cannot be read: {error}") from None
    return configs_of(config)


def configs_of(message) -> list[ModelConfig]:
    """Turn a ``ModelServerConfig`` message into configurations.

    Raises
    ------
    StatusError
        It is no list of models, a model lacks its name or folder, or two share a name.
    """
    if message.WhichOneof("config") != "model_config_list":
        raise invalid(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported"
        )
    configs = []
    for one in message.model_config_list.config:
        if not one.name or not one.base_path:
            raise invalid(
                f"A model needs a name and a base_path, not {one.name!r}, {one.base_path!r}."
            )
        if one.model_platform not in ("", "tensorflow"):
            raise invalid(f"Model {one.name} requests unsupported platform {one.model_platform}")
        configs.append(
            ModelConfig(one.name, Path(one.base_path), _policy_of(one), dict(one.version_labels))
        )
    names = [config.name for config in configs]
    if len(set(names)) < len(names):
        raise invalid(f"Duplicate model names in the configuration: {', '.join(sorted(names))}.")
    return configs


def _policy_of(message) -> Latest | Specific | All:
    policy = message.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    if kind == "specific":
        if not policy.specific.versions:
            raise invalid(f"The policy of model {message.name} names no specific version.")
        return Specific(tuple(policy.specific.versions))
    if kind == "all":
        return All()
    return Latest(policy.latest.num_versions or 1)
