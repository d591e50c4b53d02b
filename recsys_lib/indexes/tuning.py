"""Choosing the settings of an LSH index from the recall that is wanted.

Both functions ask that the lower end of the 95 % interval over sampled queries reaches the target,
so that other queries of the same kind reach it too.
"""

import numpy as np

from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.indexes.cosine_lsh import CosineLSH
from recsys_lib.indexes.euclidean_lsh import EuclideanLSH
from recsys_lib.indexes.exact import ExactIndex
from recsys_lib.indexes.lsh import LSHIndex
from recsys_lib.seeding import DEFAULT_SEED, generator

WIDTHS = (0.5, 1, 1.5, 2, 3, 4, 6, 8)  # tried, in distances of the k-th neighbour
N_HASHES = (*range(1, 13), 14, 16, 18, 20, 24)
N_OTHERS = 2_000  # sampled items that tell how many candidates strangers make
N_BINS = 2_000  # of the histogram of their distances
MAX_PROBES = 2**16


def neighbour_recall(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return for each query the share of the wanted items that were found.

    Parameters
    ----------
    found : int array, shape (m, any)
    wanted : int array, shape (m, k)

    Returns
    -------
    float64 array, shape (m,)
    """
    return np.array([np.isin(w, f).mean() for f, w in zip(found, wanted, strict=True)])


def choose_settings(
    metric: str,
    table: EmbeddingTable,
    *,
    target_recall: float = 0.9,
    k: int = 10,
    n_queries: int = 200,
    max_tables: int = 64,
    seed: int = DEFAULT_SEED,
) -> LSHIndex:
    """Return an index, not fitted yet, whose settings reach a recall@k with the least work.

    No index is built: the closed form of the collision probability says what a setting does to
    the measured distances of sampled items, from their ``k`` neighbours and from all others.
    Work is counted in dot products a query: one for each hash function, one for each candidate.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
        The first chooses ``width``, ``n_hashes`` and ``n_tables``, the second the last two.
    table : EmbeddingTable
        At least two items. Queries are expected to be distributed like them.
    target_recall : float
        Share of the true ``k`` neighbours to find, over 0 and under 1.
    max_tables : int
        Each table holds a number for each item: the memory that may be spent.
    seed : int
        Of the sample, and of the returned index.

    Raises
    ------
    RecsysError
        No setting reaches the target with ``max_tables``.
    """
    _check_target(target_recall)
    exact = ExactIndex(metric=metric).fit(table)
    if len(table) < 2:
        raise RecsysError("Settings can be chosen for at least two items.")
    rng, k = generator(seed, "lsh settings"), min(k, len(table) - 1)
    asked = rng.permutation(len(table))[:n_queries]
    _, near = exact.search(table.vectors[asked], k + 1)
    near = near[:, 1:]  # the item itself is nearest to itself
    others = np.sort(rng.permutation(len(table))[:N_OTHERS])
    sample = EmbeddingTable(table.item_ids[others], table.vectors[others])
    _, far = ExactIndex(metric=metric).fit(sample).search(table.vectors[asked], len(sample))
    in_bin, edges = np.histogram(far, bins=N_BINS)
    far, weight = (edges[1:] + edges[:-1]) / 2, in_bin / in_bin.sum() * len(table)

    tables = np.arange(1, max_tables + 1)[:, None, None]
    best, least, highest = None, np.inf, 0.0
    for one in _single_functions(metric, scale=float(np.median(near[:, -1])) or 1.0, seed=seed):
        p_near, p_far = one.collision_probability(near), one.collision_probability(far)
        for n_hashes in N_HASHES:
            recall = (1 - (1 - p_near**n_hashes) ** tables).mean(axis=2)  # (max_tables, n_queries)
            reached = _lower_end(recall)
            highest = max(highest, reached[-1])
            if reached[-1] < target_recall:
                continue
            n_tables = int(np.argmax(reached >= target_recall)) + 1
            work = n_tables * n_hashes + weight @ (1 - (1 - p_far**n_hashes) ** n_tables)
            if work < least:
                settings = {name: getattr(one, name) for name in one.SETTINGS}
                settings |= {"n_tables": n_tables, "n_hashes": n_hashes}
                best, least = type(one)(**settings), work
    if best is None:
        raise RecsysError(
            f"No setting with at most {max_tables} tables is sure of recall {target_recall}; the "
            f"best is sure of {highest:.3f}. Allow more tables, or use choose_probes()."
        )
    return best


def choose_probes(
    index: LSHIndex, queries: np.ndarray, wanted: np.ndarray, *, target_recall: float = 0.9
) -> LSHIndex:
    """Set ``n_probes`` of a fitted index to the fewest that reach a recall on sampled queries.

    Parameters
    ----------
    index : LSHIndex
    queries : float array, shape (m, embedding_dim)
    wanted : int64 array, shape (m, k)
        The true neighbours of each query.
    target_recall : float
        Over 0 and under 1.

    Raises
    ------
    RecsysError
        Not even 65,536 probes reach the target; ``n_probes`` is as before then.
    """
    _check_target(target_recall)
    before = index.n_probes

    def reached(n_probes: int) -> bool:
        index.n_probes = n_probes
        recall = neighbour_recall(index.search(queries, wanted.shape[1])[0], wanted)
        return _lower_end(recall) >= target_recall

    enough = 0
    while not reached(enough):
        enough = max(1, 2 * enough)
        if enough > MAX_PROBES:
            index.n_probes = before
            raise RecsysError(
                f"Recall {target_recall} is not reached with {MAX_PROBES} probes: "
                "build the index with more tables, or with fewer hashes in each."
            )
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        enough, too_few = (middle, too_few) if reached(middle) else (enough, middle)
    index.n_probes = enough
    return index


def _single_functions(metric: str, scale: float, seed: int) -> list[LSHIndex]:
    """Return indexes of one function each: one of every width, or the hyperplane."""
    if metric == "cosine":
        return [CosineLSH(n_tables=1, n_hashes=1, seed=seed)]
    widths = [ratio * scale for ratio in WIDTHS]
    return [EuclideanLSH(n_tables=1, n_hashes=1, width=width, seed=seed) for width in widths]


def _lower_end(recall: np.ndarray) -> np.ndarray:
    """Return the lower end of the 95 % interval of the mean over the last axis, the queries."""
    return recall.mean(axis=-1) - 1.96 * recall.std(axis=-1) / np.sqrt(recall.shape[-1])


def _check_target(target_recall: float) -> None:
    if not 0 < target_recall < 1:
        raise RecsysError(f"target_recall must lie between 0 and 1, not {target_recall}.")
