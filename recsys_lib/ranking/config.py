"""Settings that all ranking models share: the columns, the size of the network, its training."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, get_type_hints

from recsys_lib.errors import RecsysError, nearest
from recsys_lib.features.registry import N_ITEM_GENRES, N_LIKED_ITEMS, N_USER_GENRES
from recsys_lib.schema import ITEM, USER
from recsys_lib.settings import checked_setting

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
HISTORY_FIELD = "history"  # the name of the liked items among the fields of a network


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Attributes
    ----------
    batch_size : int
        Number of samples in one gradient step.
    epochs : int
        Number of passes over the samples. With early stopping it is the largest number allowed.
    patience : int
        Number of epochs without a better validation AUC after which training stops; the weights
        of the best epoch are kept. It only has an effect when there are validation samples. With
        0, all epochs are trained and the last weights are kept.
    learning_rate : float
        Step size of the Adam optimiser (Kingma and Ba, 2015).
    """

    batch_size: int = 1_024
    epochs: int = 10
    patience: int = 3
    learning_rate: float = 1e-3

    def __post_init__(self):
        for each in fields(self):
            checked_setting(each.name, getattr(self, each.name), each.type)


@dataclass(frozen=True)
class RankingConfig:
    """Settings of a ranking model. A model that has more of them has a subclass in its own file.

    Attributes
    ----------
    categories, numbers : tuples of str
        Columns of the samples. The defaults are those of the course notes (S12). The defaults of
        the other settings were chosen on the validation part of MovieLens 100K, split by time.
    bags : tuple of str
        Columns that hold lists of categories. A list enters the network as the mean of the
        vectors of its members.
    history : tuple of str
        Columns with the items that the user liked before. Either each column holds one item, the
        latest like first, or a column holds a list of items, again the latest first. They share
        the vectors of ``item_id``. A model without a layer for sequences takes their mean.
    longest_history : int
        Number of items that are read from a history given as a column of lists.
    embedding_dim : int
        Length of the vector that a category becomes. Each column has a table of its own.
    hidden : tuple of int
        Number of units in each hidden layer. Their activation is ReLU.
    log_numbers : tuple of str
        Numbers that are replaced by ``sign(x) log(1 + |x|)``, which brings counts of a few and
        counts of thousands onto one scale.
    standardize : bool
        Whether numbers are brought to mean 0 and standard deviation 1, both measured on the
        training samples.
    id_dropout : float
        Probability, in [0, 1), with which a training step replaces the user's id, and, drawn
        separately, the candidate's id, by the unknown one; 0 in the notes. The network so learns
        to serve new users. A hidden id loses its vector and its weight together. Liked items are
        never hidden, and nor is the candidate where the history is compared with it: by attention
        in DIN and DIEN, by the pairs of Wide & Deep. NeuralCF, which has no other feature that
        could take the place of an id, hides none.
    embedding_l2 : float
        Weight, in the loss, of the squared length of all vectors of a sample (mean over a batch).
    dropout, input_dropout : float
        Probability, in [0, 1), with which training sets a hidden unit, or an input of the hidden
        layers, to 0 (Srivastava et al., 2014). Dropping inputs helps where the ids carry most of
        the information, as they do on random splits.
    frozen : tuple of str
        Categories whose vectors are not trained. Use it for pre-trained vectors.
    training : TrainingConfig
    """

    categories: tuple[str, ...] = CATEGORIES
    numbers: tuple[str, ...] = NUMBERS
    bags: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    longest_history: int = 50
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
        for each in fields(self):
            checked_setting(each.name, getattr(self, each.name), each.type)
        if not self.categories:
            raise RecsysError("A ranking model needs at least one category.")
        if unknown := set(self.frozen) - set(self.categories):
            raise RecsysError(
                f"frozen names {', '.join(sorted(unknown))}, which is not among the categories."
            )
        if self.history and ITEM not in self.categories:
            raise RecsysError(
                f"A history needs {ITEM} among the categories, because it shares its vectors."
            )
        if self.history and HISTORY_FIELD in (*self.categories, *self.bags):
            raise RecsysError(
                f"A category cannot be called {HISTORY_FIELD!r} in a model that reads a history: "
                "rename that column."
            )

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the settings that :func:`dataclasses.asdict` and JSON made ``stored`` from."""
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
        return cls(**{**values, "training": TrainingConfig(**stored["training"])})

    @property
    def columns(self) -> list[str]:
        """All columns of the samples that the model reads."""
        return [*self.categories, *self.numbers, *self.bags, *self.history]

    def with_settings(self, **settings: Any) -> Self:
        """Return a copy in which some settings, those of training included, have other values.

        ``config.with_settings(dropout=0.2, epochs=5)`` changes the network and its training.

        Raises
        ------
        RecsysError
            There is no such setting, or its value is none that it may have.
        """
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        training = vars(known.pop("training"))
        changed: tuple[dict, dict] = {}, {}
        for name, value in settings.items():
            if name not in known and name not in training:
                every = sorted({*known, *training})
                raise RecsysError(
                    f"There is no setting {name!r}.{nearest(name, every)} "
                    f"Settings: {', '.join(every)}."
                )
            owner = type(self.training) if name in training else type(self)
            value = checked_setting(name, value, get_type_hints(owner)[name])
            changed[name in training][name] = value
        return replace(self, **changed[False], training=replace(self.training, **changed[True]))

    def fixed_epochs(self, epochs: int) -> Self:
        """Return the settings for a training of exactly so many epochs, without early stopping."""
        return self.with_settings(epochs=epochs, patience=0)


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
