"""Training on samples in files, of which no more than a set number of rows is in memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError
from recsys_lib.features.registry import LABEL
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.fitting import config_for, fit_network, inputs_for
from recsys_lib.ranking.inputs import Encoded, FeatureInputs, check_classes, zeros_and_ones
from recsys_lib.ranking.model import RankingModel
from recsys_lib.ranking.sample_files import Source
from recsys_lib.ranking.sample_split import TEST, TRAIN, VALIDATION, Parts
from recsys_lib.ranking.training import Chunk, TrainingLog
from recsys_lib.seeding import DEFAULT_SEED

ROWS_IN_MEMORY = 4_000_000  # of 17 numbers of 4 bytes each: some 270 MB


@dataclass(frozen=True)
class SampleStream(Sequence[Chunk]):
    """Encoded samples of one part of a source, chunk by chunk, read whenever one is asked for.

    A chunk takes every k-th row group of the source, so that each holds samples from all periods
    of a folder that is in order of time.

    Attributes
    ----------
    source : Source
    parts : Parts
    part : str
    inputs : FeatureInputs
    rows : int
        About so many rows of the source are a chunk, a row group at least.
    """

    source: Source
    parts: Parts
    part: str
    inputs: FeatureInputs
    rows: int = ROWS_IN_MEMORY

    def __len__(self) -> int:
        chunks = -(-self.source.n_rows // self.rows)
        return min(chunks, len(self.source.pieces))

    def __getitem__(self, place: int) -> Chunk:
        """Read, encode and return a chunk: (Encoded, labels); it may have no rows."""
        if not 0 <= place < len(self):
            raise IndexError(f"There are {len(self)} chunks; asked for {place}.")
        pieces = self.source.pieces[place :: len(self)]
        frames = frames_of(self.source, self.parts, self.part, columns_of(self.inputs), pieces)
        encoded = [(*self.inputs.encode(f), zeros_and_ones(f)) for f in frames]
        codes, numbers, labels = map(np.concatenate, zip(*encoded, strict=True))
        return Encoded(codes, numbers), labels


def frames_of(source: Source, parts: Parts, part: str, columns, pieces=None) -> Iterator:
    """Yield the samples of a part, piece by piece: DataFrames, which may be empty."""
    wanted = list(dict.fromkeys([*columns, LABEL, *parts.columns]))
    for first_row, frame in source.read(wanted, pieces):
        yield frame[parts.of(frame, first_row) == part]


def columns_of(settings: RankingConfig | FeatureInputs) -> list[str]:
    """Return the columns that a model reads."""
    return [*settings.categories, *settings.numbers, *settings.bags, *settings.history]


def train_on_source(
    kind: str,
    source: Source,
    parts: Parts,
    config: RankingConfig | None = None,
    seed: int = DEFAULT_SEED,
    rows: int = ROWS_IN_MEMORY,
    on_epoch: Callable[[TrainingLog], None] | None = None,
    checkpoint: Path | None = None,
) -> tuple[RankingModel, TrainingLog]:
    """Train a model as :func:`recsys_lib.ranking.train_model` does, from files.

    Up to ``rows`` samples are kept in memory, encoded. Of more, two chunks are: the one that is
    trained on and the next. The validation part is kept in memory whole.

    Raises
    ------
    DataError
        As for ``train_model``, or a part has no samples.
    """
    config = config_for(kind, config)
    inputs = inputs_for(config, _checked(frames_of(source, parts, TRAIN, columns_of(config))))
    chunks: Sequence[Chunk] = SampleStream(source, parts, TRAIN, inputs, rows)
    if not does_not_fit(source, rows):
        chunks = [chunks[0]]
    judged = SampleStream(source, parts, VALIDATION, inputs, source.n_rows)[0]
    n_likes, n = judged[1].sum(), len(judged[1])
    if not n and config.training.patience:
        raise DataError(
            f"There are no validation samples ({parts.how}), so nothing tells when to stop: give "
            "some, or set patience to 0."
        )
    if n:
        check_classes(n_likes, n)
    return fit_network(
        kind, config, inputs, chunks, judged if n else None, seed, None, on_epoch, checkpoint
    )


def count(source: Source, parts: Parts) -> dict[str, int]:
    """Return the number of samples of each part."""
    counts = Counter()
    for first_row, frame in source.read(parts.columns or (LABEL,)):
        counts.update(parts.of(frame, first_row).tolist())
    return {part: counts[part] for part in (TRAIN, VALIDATION, TEST)}


def does_not_fit(source: Source, rows: int) -> bool:
    """Tell whether a source has more than so many rows and can be read in parts."""
    return source.n_rows > rows and len(source.pieces) > 1


def _checked(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    n_likes = n = 0
    for frame in frames:
        labels = zeros_and_ones(frame)
        n_likes, n = n_likes + labels.sum(), n + len(labels)
        yield frame
    check_classes(n_likes, n)
