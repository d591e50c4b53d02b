"""Item2vec: Word2vec on sequences of liked items (Barkan and Koenigstein, 2016)."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys_lib.data.likes import likes_in_time
from recsys_lib.data.splits import Split
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.schema import ITEM, USER
from recsys_lib.seeding import DEFAULT_SEED

# gensim silently cuts off a longer sequence.
LONGEST_SEQUENCE = 10_000


@dataclass(frozen=True)
class Item2vecConfig:
    """Settings of skip-gram with negative sampling over item sequences.

    The defaults are those of lesson 03; its lab, 03_lab_item2vec, compares them with others on the
    validation part of the ``last_likes`` split of MovieLens 100K. :data:`NOTES_CONFIG` holds what
    the course notes use.

    Attributes
    ----------
    embedding_dim : int
        Length of a vector.
    window : int
        Largest distance of a context from its centre, in places of the sequence. The effective
        window is drawn for each centre, uniformly from 1 to ``window``, which is how Word2vec
        weights near contexts. To cover a whole history, the window must be longer than it.
    epochs : int
        Number of passes over all sequences.
    negatives : int
        Number of negative samples for each true context. With 0, the hierarchical softmax (Morin
        and Bengio, 2005) is trained instead: one yes-or-no question for each branch of a Huffman
        tree on the way down to the context.
    negatives_exponent : float
        Negatives are drawn in proportion to the item's count to this power: with 0 all items are
        equally likely, with 1 they are drawn as often as they occur.
    downsample_above : float
        Share of all occurrences above which occurrences of an item are left out at random
        (Word2vec's ``sample``). 0 keeps everything.
    min_count : int
        Number of occurrences below which an item gets no vector.
    learning_rate : float
        Initial step size. It falls linearly to 0.0001.
    """

    embedding_dim: int = 32
    window: int = 60
    epochs: int = 10
    negatives: int = 5
    negatives_exponent: float = 0.75
    downsample_above: float = 1e-3
    min_count: int = 1
    learning_rate: float = 0.05

    def __post_init__(self):
        for name in ("embedding_dim", "window", "epochs", "negatives", "min_count"):
            value, least = getattr(self, name), int(name != "negatives")
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise RecsysError(
                    f"{name} must be a whole number of at least {least}, not {value!r}."
                )
        if not 0 <= self.downsample_above < 1:
            raise RecsysError(
                f"downsample_above is a share from 0 up to 1, not {self.downsample_above}."
            )
        if not 0 < self.learning_rate < 1:
            raise RecsysError(f"learning_rate must lie between 0 and 1, not {self.learning_rate}.")


DEFAULT_CONFIG = Item2vecConfig()

# From the course notes: vectors of 10, window 5, 10 iterations. The rest are Spark's defaults.
NOTES_CONFIG = Item2vecConfig(
    embedding_dim=10,
    window=5,
    epochs=10,
    negatives=0,
    downsample_above=0.0,
    min_count=5,
    learning_rate=0.025,
)


def liked_sequences(interactions: pd.DataFrame) -> list[np.ndarray]:
    """Return each user's liked items in the order of time.

    Parameters
    ----------
    interactions : DataFrame
        Columns of :data:`recsys_lib.schema.INTERACTIONS`. A like is a rating of at least
        ``LIKE_THRESHOLD``. An item that was liked several times is listed as often.

    Returns
    -------
    list of int64 arrays
        Raw item ids. There is one array for each user with a like, in the order of user ids.
    """
    likes = likes_in_time(interactions, repeats=True)
    if likes.empty:
        return []
    starts = np.flatnonzero(np.diff(likes[USER].to_numpy())) + 1
    return np.split(likes[ITEM].to_numpy(np.int64), starts)


def train_item2vec(
    sequences: Iterable[np.ndarray], config: Item2vecConfig, seed: int
) -> EmbeddingTable:
    """Train item vectors with gensim, in one thread, so that they are reproducible.

    :func:`train_item2vec_numba` takes the same arguments and is many times as fast.

    Parameters
    ----------
    sequences : iterable of int arrays
        Raw item ids in order. They are iterated once for each epoch and once before, so this
        must be a list or an object whose ``iter`` starts again; a generator is refused. Sequences
        of one item are left out, because nothing can be learned from an item without company.
    config : Item2vecConfig
    seed : int
        The same sequences, configuration and seed give the same vectors on one kind of processor.

    Returns
    -------
    EmbeddingTable
        Of the items that occur at least ``min_count`` times in sequences of two or more.

    Raises
    ------
    DataError
        No sequence has two items, or no item occurs ``min_count`` times.
    RecsysError
        ``sequences`` can be iterated only once.
    """
    from gensim.models import Word2Vec

    if isinstance(sequences, Iterator):
        raise RecsysError(
            "sequences must be iterable more than once (a list, or an object with __iter__), "
            f"not {type(sequences).__name__}."
        )
    corpus = _Sentences(sequences)
    model = Word2Vec(
        vector_size=config.embedding_dim,
        window=config.window,
        epochs=config.epochs,
        negative=config.negatives,
        hs=int(config.negatives == 0),
        ns_exponent=config.negatives_exponent,
        sample=config.downsample_above,
        min_count=config.min_count,
        alpha=config.learning_rate,
        sg=1,
        workers=1,
        seed=seed,
    )
    model.build_vocab(corpus)
    if not len(model.wv):
        raise DataError(
            f"No item occurs {config.min_count} times in {model.corpus_count} sequences of two or "
            "more items: nothing to learn vectors from."
        )
    model.train(corpus, total_examples=model.corpus_count, epochs=model.epochs)
    item_ids = np.array([int(token) for token in model.wv.index_to_key], dtype=np.int64)
    return EmbeddingTable(item_ids, model.wv.vectors)


def build_item2vec(
    splits: dict[str, Split],
    config: Item2vecConfig = DEFAULT_CONFIG,
    seed: int = DEFAULT_SEED,
) -> dict[str, EmbeddingTable]:
    """Train item2vec for each split, on the likes that precede its test part.

    Returns
    -------
    dict of EmbeddingTable
        With the keys of ``splits``.
    """

    def train(split: Split) -> EmbeddingTable:
        return train_item2vec(liked_sequences(split.history("test")), config, seed)

    with ThreadPoolExecutor() as threads:  # gensim releases Python's lock while it trains
        return dict(zip(splits, threads.map(train, splits.values()), strict=True))


class _Sentences:
    """Item sequences as gensim reads them: lists of text, none longer than gensim's limit."""

    def __init__(self, sequences: Iterable[np.ndarray]):
        self.sequences = sequences

    def __iter__(self) -> Iterator[list[str]]:
        for sequence in self.sequences:
            if len(sequence) < 2:
                continue
            tokens = [str(item) for item in sequence]
            for start in range(0, len(tokens), LONGEST_SEQUENCE):
                yield tokens[start : start + LONGEST_SEQUENCE]
