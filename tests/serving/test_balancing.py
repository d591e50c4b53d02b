"""Every balancing policy keeps one contract, and meets the law that is known of it."""

from collections import Counter
from math import ceil

import numpy as np
import pytest
from uhashring import HashRing

from recsys_lib.errors import RecsysError
from recsys_lib.serving.balancing import (
    POLICIES,
    BoundedLoadHash,
    NoServer,
    PowerOfChoices,
    balancer,
)

NAMES = [f"server-{number}" for number in range(10)]
KEYED = ["hash_by_key", "consistent_hash", "bounded_load_hash", "rendezvous"]
WEIGHTED = sorted(set(POLICIES) - {"round_robin", "hash_by_key"})
every_policy = pytest.mark.parametrize("policy", POLICIES)


def owners(policy, keys, names=NAMES, **settings):
    built = balancer(policy, names, **settings)
    return np.array([built.pick(key).name for key in keys])


@every_policy
def test_requests_are_counted_until_they_end(policy):
    built = balancer(policy, NAMES)
    held = [built.acquire(key) for key in range(100)]
    assert Counter(s.name for s in held) == {s.name: s.active for s in built.servers if s.active}
    for server in held:
        built.release(server)
    assert all(server.active == 0 for server in built.servers)


@every_policy
def test_all_servers_take_their_part(policy):
    built = balancer(policy, NAMES)
    assert {built.acquire(key).name for key in range(2_000)} == set(NAMES)


@every_policy
def test_picking_does_not_count(policy):
    built = balancer(policy, NAMES)
    built.pick(1)
    assert sum(server.active for server in built.servers) == 0


@every_policy
def test_a_draining_server_gets_nothing_new_and_keeps_what_it_has(policy):
    built = balancer(policy, NAMES[:2])
    taken = (built.acquire(key) for key in range(1_000))
    held = next(server for server in taken if server.name == NAMES[0])
    drained = built.drain(NAMES[0])
    active = drained.active
    assert active > 0
    assert {built.acquire(key).name for key in range(50)} == {NAMES[1]}
    assert drained.active == active
    built.release(held)
    assert drained.active == active - 1
    built.join(NAMES[0])
    assert NAMES[0] in {built.acquire(key).name for key in range(50)}


@every_policy
def test_a_server_that_left_is_forgotten_and_may_start_anew(policy):
    built = balancer(policy, NAMES[:2])
    held = [built.acquire(key) for key in range(20)]
    built.leave(NAMES[0])
    assert {built.acquire(key).name for key in range(20)} == {NAMES[1]}
    new = built.join(NAMES[0])
    for server in held:  # requests of the old life end late
        built.release(server)
    assert new.active == 0
    assert NAMES[0] in {built.acquire(key).name for key in range(50)}


@every_policy
def test_a_retry_avoids_what_failed(policy):
    built = balancer(policy, NAMES)
    for key in range(50):
        tried = set()
        for _ in NAMES:
            tried.add(built.acquire(key, avoid=tried).name)
        assert tried == set(NAMES)
        with pytest.raises(NoServer, match="tried already"):
            built.acquire(key, avoid=tried)


@every_policy
def test_no_server(policy):
    with pytest.raises(NoServer, match="None of the 0 servers"):
        balancer(policy, []).pick("user")


@every_policy
def test_wrong_servers_are_refused(policy):
    with pytest.raises(RecsysError, match="weight of server 'a' is 0"):
        balancer(policy, {"a": 0})
    with pytest.raises(RecsysError, match="There is no server 'b'"):
        balancer(policy, ["a"]).drain("b")


def test_a_misspelt_policy_is_refused():
    with pytest.raises(RecsysError, match="Did you mean 'round_robin'"):
        balancer("round_robbin", NAMES)


@pytest.mark.parametrize("policy", WEIGHTED)
def test_a_stronger_server_gets_its_share(policy):
    settings = {"bound": 10.0} if policy == "bounded_load_hash" else {}
    if "consistent" in policy or "bounded" in policy:
        settings["points"] = 4_000
    built = balancer(policy, {"weak": 1.0, "strong": 3.0}, **settings)
    names = [built.acquire(key).name for key in range(8_000)]
    assert names.count("strong") / len(names) == pytest.approx(0.75, rel=0.05)


def test_smooth_weighted_round_robin_is_nginx_own_example():
    built = balancer("weighted_round_robin", {"a": 5, "b": 1, "c": 1})
    assert "".join(built.acquire().name for _ in range(14)) == "aabacaa" * 2


def test_least_connections_by_hand():
    built = balancer("least_connections", {"a": 1.0, "b": 2.0})
    # (active + 1) / weight: b 1/2, then a 1 and b 1 (a has waited longer), then b.
    first = [built.acquire() for _ in range(3)]
    assert [server.name for server in first] == ["b", "a", "b"]
    built.release(first[1])
    assert built.acquire().name == "a"


def test_least_connections_agrees_with_looking_at_all_servers():
    built = balancer("least_connections", {name: 1 + i % 3 for i, name in enumerate(NAMES)})
    rng = np.random.default_rng(0)
    held = []
    for _ in range(3_000):
        if held and rng.random() < 0.5:
            built.release(held.pop(rng.integers(len(held))))
        else:
            least = min(server.load for server in built.servers)
            assert built.pick().load == least
            held.append(built.acquire())


@pytest.mark.parametrize("policy", KEYED)
def test_a_key_stays_with_its_server(policy):
    keys = [*range(500), "a user", "另一个"]
    assert (owners(policy, keys) == owners(policy, keys, NAMES[::-1])).all() or (
        policy == "hash_by_key"  # the remainder depends on the order
    )
    assert (owners(policy, keys) == owners(policy, keys)).all()


@pytest.mark.parametrize("policy", KEYED)
def test_a_key_is_needed(policy):
    with pytest.raises(RecsysError, match="needs the key"):
        balancer(policy, NAMES).pick()


def test_the_shares_of_the_ring_are_those_of_its_keys():
    built = balancer("consistent_hash", NAMES, points=20)
    of_keys = Counter(built.pick(key).name for key in range(40_000))
    shares = built.shares()
    assert sum(shares.values()) == pytest.approx(1.0)
    assert {name: n / 40_000 for name, n in of_keys.items()} == pytest.approx(shares, abs=0.01)


def test_rendezvous_remembers_nothing_of_servers_that_are_gone():
    built = balancer("rendezvous", NAMES)
    keys = range(2_000)
    assert [built.pick(key) for key in keys] == [built.pick(key) for key in keys]
    built.leave(NAMES[0])
    again = [built.pick(key).name for key in keys]
    assert again == owners("rendezvous", keys, NAMES[1:]).tolist()


@pytest.mark.parametrize("policy", ["consistent_hash", "rendezvous"])
def test_only_the_share_of_the_new_server_moves(policy):
    keys = range(20_000)
    settings = {"points": 4_000} if policy == "consistent_hash" else {}
    before = owners(policy, keys, **settings)
    after = owners(policy, keys, [*NAMES, "server-10"], **settings)
    moved = before != after
    assert moved.mean() == pytest.approx(1 / 11, rel=0.05)
    assert set(after[moved]) == {"server-10"}


def test_plain_hashing_moves_nearly_all():
    """A key stays if its hash has one remainder by 10 and by 11: 1 of 11."""
    keys = range(20_000)
    moved = owners("hash_by_key", keys) != owners("hash_by_key", keys, [*NAMES, "server-10"])
    assert moved.mean() == pytest.approx(10 / 11, rel=0.05)


def test_the_ring_is_ketamas():
    keys = range(10_000)
    ring = HashRing(NAMES, hash_fn="ketama")
    assert owners("consistent_hash", keys).tolist() == [ring.get_node(key) for key in keys]
    ring.remove_node(NAMES[3])
    left = [name for name in NAMES if name != NAMES[3]]
    assert owners("consistent_hash", keys, left).tolist() == [ring.get_node(key) for key in keys]


def test_the_weighted_ring_is_ketamas():
    """Weights of mean 1, for which ketama's normalised weights are ours."""
    ring = HashRing({"a": 1, "b": 2, "c": 3}, hash_fn="ketama")
    keys = range(10_000)
    ours = owners("consistent_hash", keys, {"a": 0.5, "b": 1.0, "c": 1.5})
    assert ours.tolist() == [ring.get_node(key) for key in keys]


@pytest.mark.parametrize("points", [1, 10, 100, 1_000])
def test_virtual_nodes_even_out_the_shares(points):
    """The shares of 10 servers with v random points are Dirichlet(v, ..., v) distributed."""
    rings = 4_000 // points if points < 100 else 100 if points == 100 else 30
    largest = []
    for ring in range(rings):
        built = balancer("consistent_hash", [f"{ring}.{n}" for n in range(10)], points=points)
        largest.append(max(built.shares().values()) * 10)
    drawn = np.random.default_rng(0).dirichlet(np.full(10, points), 20_000).max(axis=1) * 10
    assert np.mean(largest) == pytest.approx(drawn.mean(), rel=0.05)


@pytest.mark.parametrize("bound", [1.05, 1.25, 2.0])
def test_bounded_loads_keep_their_bound(bound):
    built = BoundedLoadHash(bound=bound)
    for name in NAMES:
        built.join(name)
    # The head of a Zipf trace alone is more than a server's share.
    for held, key in enumerate(np.random.default_rng(0).zipf(1.3, 2_000), 1):
        built.acquire(int(key))
        assert max(server.active for server in built.servers) <= ceil(bound * held / len(NAMES))


def test_bounded_loads_follow_the_ring_while_there_is_room():
    keys = range(500)
    assert (owners("bounded_load_hash", keys) == owners("consistent_hash", keys)).all()


def test_draws_follow_the_seed():
    def names(seed):
        built = PowerOfChoices(seed=seed)
        for name in NAMES:
            built.join(name)
        return [built.acquire().name for _ in range(50)]

    assert names(1) == names(1)
    assert names(1) != names(2)
