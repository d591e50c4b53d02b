"""DIN, the deep interest network: the history is weighed by what is asked.

A mean over the liked items blurs a user with several interests. DIN gives each liked item a
weight that depends on the candidate, and adds up.

    candidate, each liked item -> small network -> weight --+
    liked items -> vectors ---------------------------------+-> weighted sum --+
    other categories, numbers -> embeddings -----------------------------------+-> MLP -> sigmoid

(Zhou et al.: Deep Interest Network for Click-Through Rate Prediction, 2018.)
"""

from dataclasses import dataclass

from recsys_lib.errors import DataError
from recsys_lib.ranking.config import HISTORY, RankingConfig
from recsys_lib.ranking.inputs import FeatureInputs
from recsys_lib.schema import ITEM


@dataclass(frozen=True)
class Config(RankingConfig):
    """Settings of DIN.

    Attributes
    ----------
    attention_units : int
        Hidden units of the network that weighs a liked item.
    """

    history: tuple[str, ...] = HISTORY
    attention_units: int = 36


def network(config: Config, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.layers import TargetAttention, ops
    from recsys_lib.ranking.network import NetworkInputs, layers

    start = NetworkInputs.of(config, inputs)
    vectors = start.vectors()
    candidate, liked, known = candidate_and_history(start, vectors)
    weight = TargetAttention(config.attention_units, name="attention")(candidate, liked, known)
    interest = ops.sum(weight[:, :, None] * liked, axis=1)  # (n, dim)
    mixed = layers.Concatenate()([start.concatenated(vectors), interest])
    return start.end(layers.Dense(1, name="like")(start.hidden(mixed)), "din")


def candidate_and_history(start, vectors):
    """Return the candidate's vector, those of the liked items, and which of them there are.

    Shapes (n, dim), (n, length, dim) and (n, length); latest first.
    """
    fields = {field.name: field for field in start.inputs.fields}
    if "history" not in fields:
        raise DataError("This model reads the user's history: name its columns in `history`.")
    history = fields["history"].codes
    candidate = vectors[:, fields[ITEM].codes.start]
    return candidate, vectors[:, history], start.codes[:, history] > 0
