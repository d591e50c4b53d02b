"""Training on samples in files, while only a set number of rows is in memory."""

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
from recsys_lib.ranking.inputs import Encoded, FeatureInputs
from recsys_lib.ranking.labels import binary_labels, check_classes
from recsys_lib.ranking.model import RankingModel
from recsys_lib.ranking.sample_files import Source
from recsys_lib.ranking.sample_split import TEST, TRAIN, VALIDATION, SampleSplit
from recsys_lib.ranking.training import Chunk, TrainingLog
from recsys_lib.seeding import DEFAULT_SEED

ROWS_IN_MEMORY = 4_000_000  # with 17 numbers of 4 bytes in each row, some 270 MB


@dataclass(frozen=True)
class SampleStream(Sequence[Chunk]):
    """Encoded samples of one part of a source, in chunks that are read whenever they are asked for.

    A chunk takes every k-th row group of the source. If the source is in order of time, each chunk
    so holds samples from all periods.

    Attributes
    ----------
    source : Source
    split : SampleSplit
    part : str
        ``train``, ``validation`` or ``test``.
    inputs : FeatureInputs
    rows : int
        Approximate number of rows of the source in a chunk, which has one row group at least.
    """

    source: Source
    split: SampleSplit
    part: str
    inputs: FeatureInputs
    rows: int = ROWS_IN_MEMORY

    def __len__(self) -> int:
        chunks = -(-self.source.n_rows // self.rows)
        return min(chunks, len(self.source.pieces))

    def __getitem__(self, place: int) -> Chunk:
        """Read, encode and return a chunk: (Encoded, labels). It may have no rows."""
        if not 0 <= place < len(self):
            raise IndexError(f"There are {len(self)} chunks; asked for {place}.")
        pieces = self.source.pieces[place :: len(self)]
        frames = frames_of(self.source, self.split, self.part, self.inputs.columns, pieces)
        encoded = [(*self.inputs.encode(frame), binary_labels(frame)) for frame in frames]
        codes, numbers, labels = map(np.concatenate, zip(*encoded, strict=True))
        return Encoded(codes, numbers), labels


def frames_of(
    source: Source, split: SampleSplit, part: str, columns: Sequence[str], pieces=None
) -> Iterator[pd.DataFrame]:
    """Yield the samples of a part, with some columns and the label, piece by piece.

    A frame may be empty.
    """
    wanted = list(dict.fromkeys([*columns, LABEL, *split.columns]))
    for first_row, frame in source.read(wanted, pieces):
        yield frame[split.parts_of(frame, first_row) == part]


def train_on_source(
    kind: str,
    source: Source,
    split: SampleSplit,
    config: RankingConfig | None = None,
    seed: int = DEFAULT_SEED,
    rows: int = ROWS_IN_MEMORY,
    on_epoch: Callable[[TrainingLog], None] | None = None,
    checkpoint: Path | None = None,
) -> RankingModel:
    """Train a model on files, as :func:`recsys_lib.ranking.train_model` does on a table.

    Up to ``rows`` samples are kept in memory, encoded. Of a larger source two chunks are: the one
    in use and the next one. The validation part is kept in memory as a whole.

    Raises
    ------
    DataError
        As for ``train_model``, or a part has no samples.
    """
    config = config_for(kind, config)
    train = frames_of(source, split, TRAIN, config.columns)
    inputs = inputs_for(config, _checked(train, f"training samples (split {split.description})"))
    chunks: Sequence[Chunk] = SampleStream(source, split, TRAIN, inputs, rows)
    if not needs_chunks(source, rows):
        chunks = [chunks[0]]
    validation = SampleStream(source, split, VALIDATION, inputs, source.n_rows)[0]
    n_likes, n = validation[1].sum(), len(validation[1])
    if not n and config.training.patience:
        raise DataError(
            f"There are no validation samples ({split.description}), so nothing tells training "
            "when to stop: give some, or set patience to 0."
        )
    if n:
        check_classes(n_likes, n, f"validation samples (split {split.description})")
    return fit_network(
        kind, config, inputs, chunks, validation if n else None, seed, None, on_epoch, checkpoint
    )


def count_parts(source: Source, split: SampleSplit) -> dict[str, int]:
    """Return the number of samples in each part."""
    counts = Counter()
    for first_row, frame in source.read(split.columns or (LABEL,)):
        counts.update(split.parts_of(frame, first_row).tolist())
    return {part: counts[part] for part in (TRAIN, VALIDATION, TEST)}


def needs_chunks(source: Source, rows: int) -> bool:
    """Tell whether a source has more than so many rows and can be read in several chunks."""
    return source.n_rows > rows and len(source.pieces) > 1


def _checked(frames: Iterator[pd.DataFrame], part: str) -> Iterator[pd.DataFrame]:
    """Hand the frames on; at the end, refuse labels that were all the same."""
    n_likes = n = 0
    for frame in frames:
        labels = binary_labels(frame)
        n_likes, n = n_likes + labels.sum(), n + len(labels)
        yield frame
    check_classes(n_likes, n, part)
