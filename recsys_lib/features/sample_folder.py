"""A folder of samples: typed Parquet by period, what was set aside, and a report.

::

    samples/event_month=1997-09/*.parquet   the rows kept, in order of time, user and item
    quarantine/*.parquet                    the rows set aside, with their reason
    report.json                             what was read, written and set aside, how fast

Partitions are months by default: models train on some of the last and are tested on the next, and
a month of MovieLens 25M is still a file of megabytes. A short history may want days, a very long
one years.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from recsys_lib import files
from recsys_lib.errors import DataError, nearest
from recsys_lib.features.feature import SQL_TYPES
from recsys_lib.features.registry import FEATURES

PERIODS = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
SAMPLES, QUARANTINE, REPORT = "samples", "quarantine", "report.json"


@contextlib.contextmanager
def samples_folder(out: Path, partition: str) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``out`` if the block succeeds.

    Raises
    ------
    DataError
        ``partition`` is no period.
    RecsysError
        ``out`` holds something that is not an earlier result.
    """
    if partition not in PERIODS:
        raise DataError(
            f"Samples are partitioned by {', '.join(PERIODS)}, not by {partition!r}."
            f"{nearest(partition, PERIODS)}"
        )
    out = Path(out).absolute()
    with files.atomic_folder(out) as folder:
        yield folder


def period_column(partition: str) -> str:
    """Return the name of the column that the folders of a partition stand for."""
    return f"event_{partition}"


def count_samples(folder: Path) -> int:
    """Return how many samples lie in a folder, as the files' footers say."""
    return sum(pq.read_metadata(file).num_rows for file in (folder / SAMPLES).rglob("*.parquet"))


def write_report(
    folder: Path,
    source: Path,
    partition: str,
    columns: list[str],
    n_read: int,
    rejected: dict[str, int],
    started: float,
    **further,
) -> dict:
    """Write the report to ``folder`` and return it.

    Parameters
    ----------
    rejected : dict of str to int
        Rows set aside, by reason.
    started : float
        A :func:`time.monotonic`; the start of an engine is not counted.
    **further
        What else is to be reported.

    Raises
    ------
    DataError
        No sample was written: an earlier result is then kept.
    """
    seconds = time.monotonic() - started
    millions = n_read / 1e6
    column = period_column(partition)
    if not (n_written := count_samples(folder)):
        aside = ", ".join(f"{n:,} as {reason!r}" for reason, n in sorted(rejected.items()))
        raise DataError(
            f"{source} gives no sample: {n_read:,} rows were read"
            + (f" and set aside, {aside}." if aside else ".")
        )
    report = {
        "source": str(source),
        "rows": {
            "read": n_read,
            "written": n_written,
            "rejected": sum(rejected.values()),
        },
        "rejected": dict(sorted(rejected.items())),
        "partitioned_by": column,
        "partitions": len(list((folder / SAMPLES).glob(f"{column}=*"))),
        "columns": {name: SQL_TYPES[FEATURES[name].dtype] for name in columns},
        "columns_per_family": dict(Counter(FEATURES[name].family for name in columns)),
        **further,
        "seconds": round(seconds, 2),
        "seconds_per_million_rows": round(seconds / millions, 2) if millions else None,
    }
    files.write_json(folder / REPORT, report)
    return report
