"""What the experiments share: seeds, their summary, and a load in requests a second."""

import pandas as pd

from recsys_lib.evaluation import seed_interval
from recsys_lib.seeding import generator
from recsys_lib.simulation.service_times import LogNormal, ServiceTime

SEEDS = (0, 1, 2, 3, 4)
FULL = LogNormal(0.020)  # seconds of the whole cascade, until a measured sample takes its place


def over_seeds(rows: pd.DataFrame, by: str | list[str]) -> pd.DataFrame:
    """Summarise the rows of an experiment.

    Returns
    -------
    DataFrame
        One row a setting, in the order of the rows; for each figure ``x`` its mean over seeds
        ``x`` and the ends of its 95 % interval ``x_low``, ``x_high``.
    """
    by = [by] if isinstance(by, str) else by
    figures = [column for column in rows.columns if column not in (*by, "seed")]
    summary = []
    for setting, group in rows.groupby(by, sort=False):
        line = dict(zip(by, setting, strict=True))
        for figure in figures:
            line[figure], line[f"{figure}_low"], line[f"{figure}_high"] = seed_interval(
                group[figure]
            )
        summary.append(line)
    return pd.DataFrame(summary)


def mean_of(service: ServiceTime) -> float:
    """Return the mean of a service time in seconds, from a sample large enough to be steady."""
    return float(service.draw(generator(0, "mean"), 100_000).mean())


def rate_for(load: float, strength: float, service: ServiceTime) -> float:
    """Return the requests a second that ask for ``load`` of the capacity if nothing is cached."""
    return load * strength / mean_of(service)
