"""The samples job on one machine: a data set folder in, a folder of samples out."""

from pathlib import Path

from recsys_lib import schema
from recsys_lib.features.embedded.content import with_content
from recsys_lib.features.embedded.samples import Samples
from recsys_lib.features.embedded.screening import read_table, screened
from recsys_lib.features.embedded.writing import write_rejected, write_samples
from recsys_lib.features.source_tables import FURTHER, INTERACTIONS, ITEMS


def write(
    source: Path, folder: Path, partition: str, now: int, columns: list[str] | None
) -> tuple[int, dict[str, int]]:
    """Write the samples of a data set; return the rows read, and those set aside by reason."""
    interactions = read_table(source / INTERACTIONS, schema.INTERACTIONS)
    items = read_table(source / ITEMS, schema.ITEMS)
    users = None
    if columns is not None:
        users, triples = (
            read_table(source / name, types) if (source / name).exists() else None
            for name, types in FURTHER.items()
        )
        items = with_content(items, triples)
    n_read = len(interactions)
    kept, rejected = screened(interactions, now)
    del interactions  # at scale each copy counts
    counts = write_rejected(rejected, folder)
    samples = Samples(kept, items, users, columns)
    write_samples(samples.pieces(), samples.columns, folder, partition)
    return n_read, counts
