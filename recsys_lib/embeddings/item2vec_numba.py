"""Item2vec in compiled code, many times as fast as gensim, and EGES.

EGES (enhanced graph embedding with side information; Wang et al., KDD 2018) replaces the vector of
an item by the weighted mean of several: one of its own, and one for each field of side information
(its genres, its director). The weights are learned for each item. Without side information the
mean has a single term, and EGES is plain item2vec.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from recsys_lib.data.matrix import index_of
from recsys_lib.embeddings.item2vec import Item2vecConfig
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.schema import ITEM
from recsys_lib.seeding import generator

TOKENS_AT_ONCE = 1_000_000  # bounds memory when sequences are streamed
NOISE_ENTRIES_PER_ITEM = 16


def train_item2vec_numba(
    sequences: Iterable[np.ndarray],
    config: Item2vecConfig,
    seed: int,
    *,
    side: pd.DataFrame | None = None,
    workers: int = 1,
) -> EmbeddingTable:
    """Train item vectors with compiled loops, in which contexts share their negative samples.

    :mod:`recsys_lib.embeddings._skipgram_loops` explains how they are shared, and why the expected
    gradient remains the same.

    Parameters
    ----------
    sequences : iterable of int arrays
        Raw item ids in order. They are iterated once for each epoch and once before. Sequences of
        one item are left out.
    config : Item2vecConfig
        With at least one negative, because there is no hierarchical softmax here.
    seed : int
    side : DataFrame, optional
        Columns ``item_id``, ``field`` and ``value``, as :func:`side_information` returns them. The
        vectors of an item's values in one field are averaged. The item's vector is the mean of
        these averages and of a vector of its own, with learned weights. An item that is in no
        sequence gets the plain mean of its fields.
    workers : int
        Number of threads. With one thread, seed and data determine the vectors. Several threads
        write to one set of vectors without locks (Niu et al., Hogwild, 2011), so that no two runs
        are the same; with a catalogue as small as that of MovieLens 100K they overwrite each
        other's work often enough to cost recall.

    Returns
    -------
    EmbeddingTable
        The items that occur ``min_count`` times in sequences of two or more, and those of
        ``side``.

    Raises
    ------
    DataError
        No sequence has two items, or no item occurs ``min_count`` times.
    RecsysError
        ``sequences`` can be iterated only once, or the configuration has no negatives.
    """
    from recsys_lib.embeddings._skipgram_loops import train_block

    if isinstance(sequences, Iterator):
        raise RecsysError(
            "sequences must be iterable more than once (a list, or an object with __iter__), "
            f"not {type(sequences).__name__}."
        )
    if config.negatives < 1 or workers < 1:
        raise RecsysError(
            "train_item2vec_numba needs negatives and workers of at least 1, "
            f"not {config.negatives} and {workers}."
        )
    item_ids, counts = _vocabulary(sequences, config.min_count)
    terms = _Terms.of(item_ids, side)
    rng = generator(seed, "fast skip-gram")
    shape = (terms.n_rows, config.embedding_dim)
    vectors = ((rng.random(shape, np.float32) - 0.5) / config.embedding_dim).astype(np.float32)
    contexts = np.zeros((len(item_ids), config.embedding_dim), np.float32)
    attention = np.zeros(len(terms.rows) - 1, np.float32)
    noise, keep = _noise(counts, config.negatives_exponent), _keep(counts, config.downsample_above)
    total, done = config.epochs * counts.sum(), 0
    with ThreadPoolExecutor(workers) as threads:
        for _ in range(config.epochs):
            for tokens, offsets in _blocks(sequences, item_ids):
                cuts = np.searchsorted(offsets, np.linspace(0, len(tokens), workers + 1))
                seeds = rng.integers(1, 2**63, workers, np.uint64)
                jobs = [
                    threads.submit(
                        train_block, tokens, offsets[a : b + 1], terms.slots, terms.rows,
                        terms.row_of, attention, vectors, contexts, noise, keep, config.window,
                        config.negatives, config.learning_rate, done, total, state,
                    )
                    for (a, b), state in zip(pairwise(cuts), seeds, strict=True)
                ]  # fmt: skip
                for job in jobs:
                    job.result()
                done += len(tokens)
    return EmbeddingTable(terms.item_ids, terms.compose(vectors, attention))


@dataclass(frozen=True)
class _Terms:
    """Which rows of the matrix of vectors make up the vector of each item.

    An item has one slot for its own vector and one for each field of side information. A slot has
    one row for each value.

    Attributes
    ----------
    item_ids : int64 array, shape (n,)
        The vocabulary, then the items that are known from side information alone.
    slots : int64 array, shape (n + 1,)
        Item i has the slots ``slots[i]`` to ``slots[i + 1]``. That of its own vector comes first.
    rows, row_of : int64 and int32 arrays
        A slot has the rows ``row_of[rows[slot]]`` to ``row_of[rows[slot + 1]]``.
    """

    item_ids: np.ndarray
    slots: np.ndarray
    rows: np.ndarray
    row_of: np.ndarray

    @classmethod
    def of(cls, vocabulary: np.ndarray, side: pd.DataFrame | None) -> "_Terms":
        own = np.arange(len(vocabulary))
        frame = pd.DataFrame({"item": own, "field": 0, "row": own})
        item_ids = vocabulary
        if side is not None:
            side = side.drop_duplicates()
            cold = np.setdiff1d(side[ITEM].to_numpy(np.int64), vocabulary)
            item_ids = np.concatenate([vocabulary, cold])
            order = np.argsort(item_ids)
            item = order[np.searchsorted(item_ids[order], side[ITEM].to_numpy(np.int64))]
            value = side.groupby(["field", "value"], sort=True).ngroup().to_numpy()
            field = side["field"].rank(method="dense").to_numpy(np.int64)
            more = pd.DataFrame({"item": item, "field": field, "row": len(vocabulary) + value})
            frame = pd.concat([frame, more]).sort_values(["item", "field", "row"])
        slot_ends = frame.groupby(["item", "field"]).size().to_numpy().cumsum()
        slots_of_item = frame[["item", "field"]].drop_duplicates().groupby("item").size()
        return cls(
            item_ids,
            np.concatenate([[0], slots_of_item.to_numpy().cumsum()]),
            np.concatenate([[0], slot_ends]),
            frame["row"].to_numpy(np.int32),
        )

    @property
    def n_rows(self) -> int:
        return int(self.row_of.max()) + 1

    def compose(self, vectors: np.ndarray, attention: np.ndarray) -> np.ndarray:
        """Return the vectors of all items, float32 (n, embedding_dim)."""
        means = np.add.reduceat(vectors[self.row_of], self.rows[:-1])
        means /= np.diff(self.rows)[:, None]
        share = np.exp(attention)
        share /= np.repeat(np.add.reduceat(share, self.slots[:-1]), np.diff(self.slots))
        return np.add.reduceat(share[:, None] * means, self.slots[:-1]).astype(np.float32)


def _blocks(
    sequences: Iterable[np.ndarray], item_ids: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (tokens, offsets) of the sequences with two or more items, block by block.

    Tokens are places in ``item_ids`` as int32, and other items are left out. Without ``item_ids``
    they are raw ids.
    """

    def joined(block: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        offsets = np.cumsum([0, *map(len, block)])
        tokens = np.concatenate(block).astype(np.int64, copy=False)
        if item_ids is None:
            return tokens, offsets
        tokens = index_of(item_ids, tokens)
        kept = np.concatenate([[0], np.cumsum(tokens >= 0)])
        return tokens[tokens >= 0].astype(np.int32), kept[offsets]

    block, n_tokens = [], 0
    for sequence in sequences:
        if len(sequence) > 1:
            block.append(np.asarray(sequence))
            n_tokens += len(sequence)
        if n_tokens >= TOKENS_AT_ONCE:
            yield joined(block)
            block, n_tokens = [], 0
    if block:
        yield joined(block)


def _vocabulary(sequences: Iterable[np.ndarray], min_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids that occur at least ``min_count`` times, sorted, and their counts."""
    item_ids, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for tokens, _ in _blocks(sequences):
        more, n_more = np.unique(tokens, return_counts=True)
        item_ids, place = np.unique(np.concatenate([item_ids, more]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, n_more])).astype(np.int64)
    kept = counts >= min_count
    if not kept.any():
        raise DataError(
            f"No item occurs {min_count} times in sequences of two or more items: nothing to "
            "learn vectors from."
        )
    return item_ids[kept], counts[kept]


def _noise(counts: np.ndarray, exponent: float) -> np.ndarray:
    """Return a table of items from which one random number draws a negative: int32."""
    size = 1 << max(16, int(np.ceil(np.log2(NOISE_ENTRIES_PER_ITEM * len(counts)))))
    share = np.cumsum(counts.astype(np.float64) ** exponent)
    return np.searchsorted(share / share[-1], (np.arange(size) + 0.5) / size).astype(np.int32)


def _keep(counts: np.ndarray, downsample_above: float) -> np.ndarray:
    """Return the probability that an occurrence of an item is kept, by Word2vec's formula."""
    if not downsample_above:
        return np.ones(len(counts), np.float32)
    excess = counts / (downsample_above * counts.sum())
    return np.minimum(1, (np.sqrt(excess) + 1) / excess).astype(np.float32)
