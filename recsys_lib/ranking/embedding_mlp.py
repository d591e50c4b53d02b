"""Embedding+MLP, the notes' ranking model (S12).

Ten categories become vectors of ten numbers, seven statistics stay numbers; two layers of 128
mix them, a sigmoid gives the probability of a like:

    item_id, user_id, 3 item genres, 5 user genres -> embeddings --+
                                                                   +-> 128 -> 128 -> 1 -> sigmoid
    release year, rating counts, means, deviations ----------------+
"""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from recsys_lib.errors import RecsysError
from recsys_lib.features.columns import N_ITEM_GENRES, N_USER_GENRES
from recsys_lib.ranking.inputs import FeatureInputs, labels_of
from recsys_lib.ranking.model import RankingModel, weights_of
from recsys_lib.ranking.training import TrainingConfig, TrainingLog, train
from recsys_lib.schema import ITEM, USER
from recsys_lib.seeding import DEFAULT_SEED

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


@dataclass(frozen=True)
class Config:
    """Settings of the model and of its training.

    Attributes
    ----------
    categories, numbers : tuples of str
        Columns of the samples.
    embedding_dim : int
        Numbers a category becomes; each column has a table of its own.
    hidden : tuple of int
        Units of the hidden layers, relu each.
    standardize : bool
        Whether numbers are brought to mean 0 and deviation 1 (of the training samples).
    id_dropout : float
        Probability, in [0, 1), that training hides the user's id, and the item's; 0 as in the
        notes. Hidden ids look like unknown ones, so the network learns to serve new users.
    training : TrainingConfig
    """

    categories: tuple[str, ...] = CATEGORIES
    numbers: tuple[str, ...] = NUMBERS
    embedding_dim: int = 10
    hidden: tuple[int, ...] = (128, 128)
    standardize: bool = True
    id_dropout: float = 0.5
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self):
        if not 0 <= self.id_dropout < 1:
            raise RecsysError(f"id_dropout must lie in [0, 1), not {self.id_dropout}.")
        if min((self.embedding_dim, *self.hidden)) < 1:
            raise RecsysError(
                "embedding_dim and hidden must be positive, "
                f"not {self.embedding_dim} and {self.hidden}."
            )

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the settings that :func:`dataclasses.asdict` and JSON made ``stored`` from."""
        lists = {key: tuple(stored[key]) for key in ("categories", "numbers", "hidden")}
        return cls(**{**stored, **lists, "training": TrainingConfig(**stored["training"])})


def notes_config() -> Config:
    """Return the notes' own settings: raw numbers, no regularisation, batch 12, ten epochs."""
    training = TrainingConfig(batch_size=12, epochs=10, patience=0)
    return Config(standardize=False, id_dropout=0.0, training=training)


def network(config: Config, inputs: FeatureInputs):
    """Return the untrained Keras model; it takes ``[categories, numbers]``."""
    from recsys_lib.ranking.layers import ColumnEmbeddings, keras

    codes = keras.Input((len(inputs.categories),), dtype="int32", name="categories")
    numbers = keras.Input((len(inputs.numbers),), dtype="float32", name="numbers")
    ids = [place for place, column in enumerate(inputs.categories) if column in IDS]
    vectors = ColumnEmbeddings(
        inputs.sizes, config.embedding_dim, ids, config.id_dropout, name="embeddings"
    )(codes)
    mixed = keras.layers.Concatenate(name="together")([vectors, numbers])
    for depth, units in enumerate(config.hidden, start=1):
        mixed = keras.layers.Dense(units, activation="relu", name=f"hidden_{depth}")(mixed)
    like = keras.layers.Dense(1, activation="sigmoid", name="like")(mixed)
    return keras.Model([codes, numbers], like, name="embedding_mlp")


def train_embedding_mlp(
    samples: pd.DataFrame,
    validation: pd.DataFrame | None = None,
    config: Config | None = None,
    seed: int = DEFAULT_SEED,
) -> tuple[RankingModel, TrainingLog]:
    """Train the model on samples; with validation samples, stop when they are predicted best.

    Raises
    ------
    DataError
        A column is missing, or the labels are of one class.
    """
    from recsys_lib.ranking.backend import seed_everything

    config = config or Config()
    labels = labels_of(samples)
    inputs = FeatureInputs.fit(samples, config.categories, config.numbers, config.standardize)
    judged = None if validation is None else (inputs.encode(validation), labels_of(validation))
    seed_everything(seed)
    keras_model = network(config, inputs)
    log = train(keras_model, inputs.encode(samples), labels, config.training, judged)
    return RankingModel("embedding_mlp", config, inputs, weights_of(keras_model)), log


def build_embedding_mlp(
    samples: dict[str, pd.DataFrame], config: Config | None = None, seed: int = DEFAULT_SEED
) -> dict[str, RankingModel]:
    """Train the models that serving uses.

    For each split, a model learns from the train part and stops where the validation part is
    predicted best; the final model then learns as many epochs from both.

    Parameters
    ----------
    samples : dict
        ``by_time`` and ``last_likes``, frames with a ``part``: train, validation or test.
    config : Config, optional
    seed : int

    Returns
    -------
    dict of str to RankingModel
        ``by_time`` and ``last_likes``: the final models, for the test part. ``by_time_train``
        and ``last_likes_train``: the models of the train part, for whatever else is chosen on
        the validation part.
    """
    config = config or Config()
    models = {}
    for name, frame in samples.items():
        part = frame["part"]
        models[f"{name}_train"], log = train_embedding_mlp(
            frame[part == "train"], frame[part == "validation"], config, seed
        )
        final = fixed_epochs(config, log.best_epoch)
        models[name], _ = train_embedding_mlp(frame[part != "test"], config=final, seed=seed)
    return models


def fixed_epochs(config: Config, epochs: int) -> Config:
    """Return the settings with exactly so many epochs, none chosen on the way."""
    return replace(config, training=replace(config.training, epochs=epochs, patience=0))
