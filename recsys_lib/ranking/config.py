"""Settings that all ranking models share: the columns, the size of the network, its training."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from recsys_lib.errors import RecsysError
from recsys_lib.features.registry import N_ITEM_GENRES, N_LIKED_ITEMS, N_USER_GENRES
from recsys_lib.schema import ITEM, USER

IDS = (ITEM, USER)
CATEGORIES = (
    *IDS,
    *(f"item_genre_{k}" for k in range(1, N_ITEM_GENRES + 1)),
    *(f"user_genre_{k}" for k in range(1, N_USER_GENRES + 1)),
)
NUMBERS = (
    "release_year",
    "item_rating_count",
    "item_rating_mean",
    "item_rating_stddev",
    "user_rating_count",
    "user_rating_mean",
    "user_rating_stddev",
)
COUNTS = ("item_rating_count", "user_rating_count")
HISTORY = tuple(f"user_liked_item_{k}" for k in range(1, N_LIKED_ITEMS + 1))


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Attributes
    ----------
    batch_size : int
        Samples a step.
    epochs : int
        Passes over the samples; the most there may be when stopping early.
    patience : int
        With validation samples: epochs without a better validation AUC before training stops.
        The weights of the best epoch are kept. 0 trains all epochs and keeps the last weights.
    learning_rate : float
        Of Adam (Kingma and Ba, 2015).
    """

    batch_size: int = 1_024
    epochs: int = 10
    patience: int = 3
    learning_rate: float = 1e-3

    def __post_init__(self):
        if min(self.batch_size, self.epochs) < 1 or self.patience < 0 or self.learning_rate <= 0:
            raise RecsysError(
                "batch_size, epochs and learning_rate must be positive and patience not "
                f"negative, not {self.batch_size}, {self.epochs}, {self.learning_rate} and "
                f"{self.patience}."
            )


@dataclass(frozen=True)
class RankingConfig:
    """Settings of a ranking model; a model with more of them has a subclass in its file.

    Attributes
    ----------
    categories, numbers : tuples of str
        Columns of the samples. The defaults are the notes' (S12); those of the other settings
        were chosen on the validation part of MovieLens 100K, split by time.
    bags : tuple of str
        Columns of lists of categories; a list goes in as the mean of its vectors.
    history : tuple of str
        Columns with items the user liked before, latest first. They share the vectors of
        ``item_id``. Models without a layer for sequences take their mean.
    embedding_dim : int
        Numbers a category becomes; each column has a table of its own.
    hidden : tuple of int
        Units of the hidden layers, relu each.
    log_numbers : tuple of str
        Those of the numbers that go in as ``sign(x) log(1 + |x|)``: counts of a few and of
        thousands come to lie on one scale.
    standardize : bool
        Whether numbers are brought to mean 0 and deviation 1 (of the training samples).
    id_dropout : float
        Probability, in [0, 1), that training hides the user's id, and the item's; 0 as in the
        notes. Hidden ids look like unknown ones, so the network learns to serve new users.
    embedding_l2 : float
        Weight in the loss of the squared length of a sample's vectors (batch mean).
    dropout, input_dropout : float
        Probability, in [0, 1), that training sets a hidden unit to 0, or a number of what the
        hidden layers are given (Srivastava et al., 2014). The second pays where ids tell most: on
        random splits.
    frozen : tuple of str
        Categories whose vectors stay as they are at the start: pre-trained ones.
    training : TrainingConfig
    """

    categories: tuple[str, ...] = CATEGORIES
    numbers: tuple[str, ...] = NUMBERS
    bags: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    embedding_dim: int = 10
    hidden: tuple[int, ...] = (128, 128)
    log_numbers: tuple[str, ...] = COUNTS
    standardize: bool = True
    id_dropout: float = 0.5
    embedding_l2: float = 0.01
    dropout: float = 0.3
    input_dropout: float = 0.0
    frozen: tuple[str, ...] = ()
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self):
        for name in ("id_dropout", "dropout", "input_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise RecsysError(f"{name} must lie in [0, 1), not {getattr(self, name)}.")
        if min((self.embedding_dim, *self.hidden)) < 1 or self.embedding_l2 < 0:
            raise RecsysError(
                "embedding_dim and hidden must be positive and embedding_l2 not negative, "
                f"not {self.embedding_dim}, {self.hidden} and {self.embedding_l2}."
            )
        if not self.categories:
            raise RecsysError("A ranking model needs at least one category.")
        if unknown := set(self.frozen) - set(self.categories):
            raise RecsysError(f"frozen names {', '.join(sorted(unknown))}: no category here.")
        if self.history and ITEM not in self.categories:
            raise RecsysError(f"history needs {ITEM} among the categories: it shares its vectors.")

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the settings that :func:`dataclasses.asdict` and JSON made ``stored`` from."""
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
        return cls(**{**values, "training": TrainingConfig(**stored["training"])})

    def fixed_epochs(self, epochs: int) -> Self:
        """Return the settings with exactly so many epochs, none chosen on the way."""
        return replace(self, training=replace(self.training, epochs=epochs, patience=0))


def notes_config() -> RankingConfig:
    """Return the notes' own settings: raw numbers, no regularisation, batch 12, ten epochs."""
    return RankingConfig(
        log_numbers=(),
        standardize=False,
        id_dropout=0.0,
        embedding_l2=0.0,
        dropout=0.0,
        training=TrainingConfig(batch_size=12, epochs=10, patience=0),
    )
