"""C11: how much of the requests a cache absorbs."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from recsys_lib.simulation.eviction import Lru, hit_rate
from recsys_lib.simulation.experiments.common import SEEDS
from recsys_lib.simulation.theory import lru_hit_rate, ttl_hit_rate
from recsys_lib.simulation.workload import Workload, zipf_shares


def cache_by_size_and_ttl(
    sizes: Iterable[int],
    ttls_s: Iterable[float],
    *,
    n_users: int = 10_000,
    exponent: float = 1.0,
    rate: float = 1_000.0,
    n_requests: int = 200_000,
    seeds: Iterable[int] = SEEDS,
) -> pd.DataFrame:
    """C11: the hit rate of one LRU cache by its size and the time its entries live.

    The first half of a trace fills the cache, the second is counted.

    Returns
    -------
    DataFrame
        ``size``, ``ttl_s``, ``seed``, ``hit_rate``; ``che`` and ``ttl_law``, what theory predicts
        without expiry and without a bound of size.
    """
    shares = zipf_shares(n_users, exponent)
    sizes, ttls_s = list(sizes), list(ttls_s)
    che = {size: lru_hit_rate(shares, size) for size in sizes}
    law = {ttl_s: ttl_hit_rate(shares, rate, ttl_s) if ttl_s < np.inf else 1.0 for ttl_s in ttls_s}
    workload = Workload(rate=rate, duration_s=n_requests / rate, n_users=n_users, exponent=exponent)
    rows = []
    for seed in seeds:
        requests = workload.draw(seed)
        users, times = requests.users.tolist(), requests.times_s.tolist()
        rows += [
            {
                "size": size,
                "ttl_s": ttl_s,
                "seed": seed,
                "hit_rate": hit_rate(Lru(size), users, times, ttl_s, warm_up=len(users) // 2),
                "che": che[size],
                "ttl_law": law[ttl_s],
            }
            for size in sizes
            for ttl_s in ttls_s
        ]
    return pd.DataFrame(rows)
