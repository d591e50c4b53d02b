"""Who is in which variant: a hash of the user decides, so that nothing has to be stored."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.seeding import key_hash

BUCKETS = 10_000


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One A/B test.

    Attributes
    ----------
    name : str
    variants : mapping of str to float
        Their shares of the experiment's users, which add up to 1. The first is the control.
    layer : str
        Experiments of one layer have different users; those of different layers share users, and
        are independent of each other (Tang and others, 2010).
    traffic : tuple of (float, float)
        The part of the layer's users, from and to, between 0 and 1.
    salt : str, optional
        Of the variants; by default the name. A new salt deals the users anew.
    """

    name: str
    variants: Mapping[str, float]
    layer: str = "default"
    traffic: tuple[float, float] = (0.0, 1.0)
    salt: str | None = None

    def __post_init__(self):
        shares = np.array(list(self.variants.values()), dtype=np.float64)
        if len(shares) < 2 or (shares <= 0).any() or abs(shares.sum() - 1) > 1e-9:
            raise RecsysError(
                f"Experiment {self.name!r} needs two variants or more whose shares are above 0 and "
                f"add up to 1, not {dict(self.variants)}."
            )
        low, high = self.traffic
        if not 0 <= low < high <= 1:
            raise RecsysError(
                f"The traffic of experiment {self.name!r} is {self.traffic}; "
                "it must go from a number to a greater one, both between 0 and 1."
            )


class Splitter:
    """Assigns users to the variants of all experiments.

    A user falls into one of 10,000 buckets of each layer; the buckets of an experiment's traffic
    are its users. A second hash, with the experiment's salt, deals these to the variants.

    Parameters
    ----------
    experiments : iterable of Experiment

    Raises
    ------
    RecsysError
        Two experiments have one name, or share users of one layer.
    """

    def __init__(self, experiments: Iterable[Experiment]):
        self.experiments = {}
        for experiment in experiments:
            for other in self.experiments.values():
                if other.name == experiment.name:
                    raise RecsysError(f"There are two experiments of the name {other.name!r}.")
                if other.layer == experiment.layer and (
                    max(other.traffic[0], experiment.traffic[0])
                    < min(other.traffic[1], experiment.traffic[1])
                ):
                    raise RecsysError(
                        f"Experiments {other.name!r} and {experiment.name!r} share users of layer "
                        f"{other.layer!r}: give them traffic that does not overlap, or two layers."
                    )
            self.experiments[experiment.name] = experiment

    def variants_of(self, name: str, user_ids) -> np.ndarray:
        """Return the variant of each user: array of str, (n,); empty for users outside.

        Parameters
        ----------
        name : str
            Of the experiment.
        user_ids : array of int, shape (n,)
        """
        if name not in self.experiments:
            raise RecsysError(
                f"There is no experiment {name!r}. Known: {', '.join(self.experiments) or 'none'}."
            )
        experiment = self.experiments[name]
        low, high = np.round(np.array(experiment.traffic) * BUCKETS)
        bucket = buckets(user_ids, f"layer:{experiment.layer}")
        dealt = buckets(user_ids, f"variants:{experiment.salt or experiment.name}")
        ends = np.round(np.cumsum(list(experiment.variants.values())) * BUCKETS)
        names = np.array(list(experiment.variants))
        found = names[np.searchsorted(ends, dealt, side="right")]
        return np.where((bucket >= low) & (bucket < high), found, "")

    def variant(self, name: str, user_id: int) -> str:
        """Return the variant of one user; empty for a user outside."""
        return str(self.variants_of(name, [user_id])[0])


def buckets(user_ids, salt: str) -> np.ndarray:
    """Return the bucket of each user: int64, (n,), from 0 to 9,999.

    Independent for different salts, the same in every process.
    """
    digest = hashlib.blake2b(salt.encode(), digest_size=8).digest()
    hashed = key_hash(np.asarray(user_ids), seed=int.from_bytes(digest, "little"))
    return (hashed % np.uint64(BUCKETS)).astype(np.int64)
