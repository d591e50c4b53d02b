"""The experiments behind C11 to C14: one row a seed, so that settings can be compared in pairs."""

from recsys_lib.simulation.experiments.balancing import hits_lost, keys_moved, policies_compared
from recsys_lib.simulation.experiments.caching import cache_by_size_and_ttl
from recsys_lib.simulation.experiments.common import over_seeds
from recsys_lib.simulation.experiments.spike import ladder_levels, spike

__all__ = [
    "cache_by_size_and_ttl",
    "hits_lost",
    "keys_moved",
    "ladder_levels",
    "over_seeds",
    "policies_compared",
    "spike",
]
