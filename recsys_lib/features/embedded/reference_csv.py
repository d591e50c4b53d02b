"""The reference system's CSV layout, written and read on one machine."""

import csv
from pathlib import Path

import polars as pl

from recsys_lib.data.delimited import Delimited
from recsys_lib.data.line_numbers import BrokenLines
from recsys_lib.features.embedded.samples import TYPES
from recsys_lib.features.embedded.writing import write_rejected, write_samples
from recsys_lib.features.reference_layout import (
    CENTS,
    LAYOUT,
    MALFORMED,
    NUMBER,
    POINT_AND_ZEROS,
    THEIR_NAMES,
    WHOLE,
    WHOLE_NUMBER,
)
from recsys_lib.features.registry import FEATURES, LABEL
from recsys_lib.schema import ITEM, TIMESTAMP, USER


def write(parts: list[Path], file: Path) -> None:
    """Write samples in Parquet files, one after the other, as one CSV file."""
    with open(file, "wb") as stream:
        for number, part in enumerate(parts):
            rows = pl.read_parquet(part, columns=list(LAYOUT), glob=False, hive_partitioning=False)
            texts = rows.select(_written(name).alias(LAYOUT[name][0]) for name in LAYOUT)
            # The reference writes a missing value as "".
            texts.write_csv(stream, include_header=number == 0, null_value='""')


def read(files: list[Path], folder: Path, partition: str) -> tuple[int, dict[str, int]]:
    """Write samples in CSV files as Parquet; return the lines, and those set aside by reason."""
    kept, rejected = [], []
    for file in files:
        lines, broken = _lines(file)
        ours = lines.select(_read(name).alias(name) for name in LAYOUT)
        fits = [pl.col(LABEL).is_in([0, 1])]
        for name, (theirs, _) in LAYOUT.items():
            there = pl.col(name).is_not_null()
            fits.append(there | (lines[theirs] == "") if FEATURES[name].nullable else there)
        fit = ours.select(pl.all_horizontal(fits).fill_null(False)).to_series()
        kept.append(ours.filter(fit))
        rejected += [lines.filter(~fit), broken]
    samples = pl.concat(kept).sort(TIMESTAMP, USER, ITEM)
    aside = pl.concat(rejected).with_columns(reason=pl.lit(MALFORMED))
    write_samples([samples], list(LAYOUT), folder, partition)
    return len(samples) + len(aside), write_rejected(aside, folder)


def _written(name: str) -> pl.Expr:
    value, form = pl.col(name), LAYOUT[name][1]
    if form == CENTS:
        # Exact: single precision times a hundred fits in double precision.
        cents = (value.cast(pl.Float64) * 100).round(0, mode="half_to_even").cast(pl.Int64)
        return pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2))
    if form == WHOLE:
        value = value.cast(pl.Int32)
    text = value.cast(pl.String)
    return pl.when(text != "").then(text)


def _read(name: str) -> pl.Expr:
    text, kind = pl.col(LAYOUT[name][0]), TYPES[FEATURES[name].dtype]
    if kind == pl.String:
        return pl.when(text != "").then(text)
    trimmed = text.str.strip_chars()
    if kind == pl.Float32:
        return pl.when(trimmed.str.contains(NUMBER)).then(trimmed).cast(kind, strict=False)
    digits = trimmed.str.replace(POINT_AND_ZEROS, "")
    return pl.when(trimmed.str.contains(WHOLE_NUMBER)).then(digits).cast(kind, strict=False)


def _lines(file: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the fields of a CSV as text, and those of lines with more or fewer of them."""
    broken = BrokenLines()
    table = Delimited(file, ",", None, quoted=True)
    blocks = [rows.columns for rows in table.blocks(THEIR_NAMES, broken)]
    schema = dict.fromkeys(THEIR_NAMES, pl.String)
    empty = pl.DataFrame(schema=schema)
    lines = [pl.DataFrame({name: pl.Series(c) for name, c in b.items()}, schema) for b in blocks]
    fields = [next(csv.reader([text]), []) for text in broken.texts]
    padded = [(each + [""] * len(THEIR_NAMES))[: len(THEIR_NAMES)] for each in fields]
    return pl.concat([empty, *lines]), pl.DataFrame(padded, schema, orient="row")
