"""Writing a table for somebody else, in the format that its file's name says."""

import csv
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys_lib import files
from recsys_lib.data.ids import Ids
from recsys_lib.errors import DataError

SEPARATORS = {".csv": ",", ".tsv": "\t", ".inter": "\t"}
PARQUET = (".parquet", ".pq")


def check_output(path: Path, inputs=(), ids=()) -> None:
    """Raise :class:`DataError` where a table cannot be written to a file.

    Parameters
    ----------
    path : Path
    inputs : paths, optional
        Files that are read: none of them is to be overwritten.
    ids : of Ids or None, optional
        The vocabularies whose ids the table will hold.
    """
    path = Path(path)
    if path.suffix.lower() not in (*SEPARATORS, *PARQUET):
        known = ", ".join([*SEPARATORS, *PARQUET])
        raise DataError(f"{path.name}: the ending tells the format; known are {known}.")
    if path.is_dir():
        raise DataError(f"{path} is a folder: name a file in it.")
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise DataError(f"{above} is a file, so {path} cannot be made: name another file.")
    if any(each is not None and Path(each).resolve() == path.resolve() for each in inputs):
        raise DataError(f"{path} is what is read: name another file for the result.")
    if path.suffix.lower() in SEPARATORS and any(i is not None and i.kind == "bytes" for i in ids):
        raise DataError(f"The ids are bytes, which text cannot hold: name {path.stem}.parquet.")


def write_table(frame: pd.DataFrame, path: Path, ids: dict[str, Ids | None] | None = None) -> None:
    """Write a table as CSV, TSV or Parquet, by its ending, atomically.

    Parameters
    ----------
    frame : DataFrame
    path : Path
    ids : dict of str to Ids or None, optional
        The vocabulary of a column of ids: Parquet keeps the ids in their own type.
    """
    path = Path(path)
    check_output(path)
    with files.atomic_path(path) as temporary:
        if path.suffix.lower() in PARQUET:
            columns = {name: frame[name] for name in frame}
            for name, vocabulary in (ids or {}).items():
                if vocabulary is not None:
                    columns[name] = vocabulary.arrow_of(frame[name])
            pq.write_table(pa.table(columns), temporary)
        else:
            texts = frame.select_dtypes("object")
            # pandas quotes a field with a line feed in it, but none with a carriage return.
            returns = any(texts[name].astype(str).str.contains("\r").any() for name in texts)
            frame.to_csv(
                temporary,
                index=False,
                sep=SEPARATORS[path.suffix.lower()],
                quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL,
            )
