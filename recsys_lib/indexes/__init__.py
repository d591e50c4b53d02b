"""Vector indexes: the items nearest to a query, exactly or by locality-sensitive hashing (S14)."""

from recsys_lib.indexes.cosine_lsh import CosineLSH, angular_collision_probability
from recsys_lib.indexes.euclidean_lsh import EuclideanLSH, collision_probability, hash_values
from recsys_lib.indexes.exact import ExactIndex
from recsys_lib.indexes.tuning import choose_probes, choose_settings, neighbour_recall

__all__ = [
    "CosineLSH",
    "EuclideanLSH",
    "ExactIndex",
    "angular_collision_probability",
    "choose_probes",
    "choose_settings",
    "collision_probability",
    "hash_values",
    "neighbour_recall",
]
