"""Load balancing (负载均衡): which server takes a request (S22). Eight policies, one interface."""

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.serving.balancing.base import Balancer, NoServer, Server, key_position
from recsys_lib.serving.balancing.hashing import HashByKey, Rendezvous
from recsys_lib.serving.balancing.load import LeastConnections, PowerOfChoices
from recsys_lib.serving.balancing.ring import BoundedLoadHash, ConsistentHash
from recsys_lib.serving.balancing.rotation import RoundRobin, WeightedRoundRobin

POLICIES: dict[str, type[Balancer]] = {
    "round_robin": RoundRobin,
    "weighted_round_robin": WeightedRoundRobin,
    "least_connections": LeastConnections,
    "power_of_choices": PowerOfChoices,
    "hash_by_key": HashByKey,
    "consistent_hash": ConsistentHash,
    "bounded_load_hash": BoundedLoadHash,
    "rendezvous": Rendezvous,
}


def balancer(policy: str, servers, **settings) -> Balancer:
    """Return a balancer over ``servers``.

    Parameters
    ----------
    policy : str
        A name of ``POLICIES``.
    servers : iterable of str, or mapping of str to float
        Names, or names with their weights.
    **settings
        Handed to the policy.

    Raises
    ------
    RecsysError
        There is no such policy.
    """
    if policy not in POLICIES:
        raise RecsysError(
            f"There is no balancing policy {policy!r}.{nearest(policy, POLICIES)} "
            f"Known policies: {', '.join(POLICIES)}."
        )
    built = POLICIES[policy](**settings)
    weights = servers if isinstance(servers, dict) else dict.fromkeys(servers, 1.0)
    for name, weight in weights.items():
        built.join(name, weight)
    return built


__all__ = [
    "POLICIES",
    "Balancer",
    "BoundedLoadHash",
    "ConsistentHash",
    "HashByKey",
    "LeastConnections",
    "NoServer",
    "PowerOfChoices",
    "Rendezvous",
    "RoundRobin",
    "Server",
    "WeightedRoundRobin",
    "balancer",
    "key_position",
]
