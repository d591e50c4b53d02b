"""What the columns of a person's own file are, and settings given by name."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from recsys_lib import files
from recsys_lib.errors import DataError, RecsysError, nearest
from recsys_lib.features.registry import LABEL
from recsys_lib.ranking.config import RankingConfig, TrainingConfig
from recsys_lib.ranking.sample_split import PART
from recsys_lib.schema import ITEM, TIMESTAMP, USER

OURS = {"label": LABEL, "user": USER, "item": ITEM, "timestamp": TIMESTAMP, "part": PART}
LISTS = ("categories", "numbers", "log_numbers", "bags", "history")


@dataclass(frozen=True)
class OwnSchema:
    """The columns of a file.

    Attributes
    ----------
    renamed : dict of str to str
        The file's name of a column, by ours.
    columns : dict of str to tuple of str
        Fields of :class:`RankingConfig`.
    """

    renamed: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]


def read_schema(path: Path) -> OwnSchema:
    """Read a schema: JSON that names the columns of a file.

    ::

        {"label": "clicked", "user": "uid", "item": "sku", "timestamp": "at",
         "categories": ["shop", "device"], "numbers": ["price"], "log_numbers": ["price"],
         "bags": ["tags"], "history": ["last_1", "last_2"]}

    All but ``label`` may be left out; ``part`` names a column with train, validation or test.
    User and item are categories too.

    Raises
    ------
    DataError
        It cannot be read, has an unknown key, names no label or no category.
    """
    try:
        stored = files.read_json(path)
    except (OSError, ValueError) as error:
        raise DataError(f"The schema {path} cannot be read: {error}") from None
    if not isinstance(stored, dict):
        raise DataError(f"The schema {path} must be an object of JSON: keys and columns.")
    for key, value in stored.items():
        if key not in OURS and key not in LISTS:
            raise DataError(f"{path}: there is no key {key!r}.{nearest(key, (*OURS, *LISTS))}")
        names = [value] if key in OURS else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            told = "a column" if key in OURS else "a list of columns"
            raise DataError(f"{path}: {key} must be {told}, not {value!r}.")
    if "label" not in stored:
        raise DataError(f"{path} names no column as the label (1 for a like, 0 for none).")
    columns = {key: tuple(stored.get(key, ())) for key in LISTS}
    ids = tuple(OURS[key] for key in ("item", "user") if key in stored)
    columns["categories"] = ids + columns["categories"]
    return OwnSchema({OURS[key]: stored[key] for key in OURS if key in stored}, columns)


def with_settings(config: RankingConfig, settings: Mapping[str, Any]) -> RankingConfig:
    """Return a configuration with other settings, those of training among them.

    Raises
    ------
    RecsysError
        There is no such setting, or its value is of another type.
    """
    training = {field.name for field in fields(TrainingConfig)}
    own = {field.name for field in fields(config)} - {"training"}
    values: dict[str, dict] = {"training": {}, "own": {}}
    for name, value in settings.items():
        if name not in own | training:
            raise RecsysError(
                f"There is no setting {name!r}.{nearest(name, own | training)} "
                f"Settings: {', '.join(sorted(own | training))}."
            )
        place = "own" if name in own else "training"
        before = getattr(config if place == "own" else config.training, name)
        values[place][name] = _like(before, value, name)
    return replace(config, **values["own"], training=replace(config.training, **values["training"]))


def _like(before, value, name: str):
    if isinstance(before, tuple):
        return tuple(value) if isinstance(value, list | tuple) else (value,)
    if isinstance(before, float) and type(value) is int:
        return float(value)
    if type(value) is not type(before):
        raise RecsysError(f"{name} is a {type(before).__name__}, as {before!r}; not {value!r}.")
    return value
