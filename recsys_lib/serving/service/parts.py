"""What the service answers with: channels and their merge, rankers, vectors, and their versions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.errors import RecsysError
from recsys_lib.rankers import Ranker, RecallOrder
from recsys_lib.recall import Merged, Recaller
from recsys_lib.serving.cascade import Cascade

RECALL_ORDER = "recall_order"


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """A ranker with how it is used.

    Attributes
    ----------
    ranker : Ranker
    weight : float
        Its share in the order, see :func:`recsys_lib.serving.blend`.
    diversity : float
        See :func:`recsys_lib.serving.maximal_marginal_relevance`.
    item_vectors : EmbeddingTable, optional
        What makes items alike; needed where ``diversity`` is not 0.
    """

    ranker: Ranker
    weight: float = 1.0
    diversity: float = 0.0
    item_vectors: EmbeddingTable | None = None


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All models of the service, fitted.

    Attributes
    ----------
    channels : mapping of str to Recaller
    weights : mapping of str to float
        Of the merge.
    fusion : str
    depth : int
        Candidates that are recalled and ranked.
    calibrations : mapping of str to function, optional
    rankings : mapping of str to Ranking
        By name. ``recall_order``, which keeps recall's order, is always among them.
    default : str
        The ranking that is used where a request names none.
    vectors : mapping of str to EmbeddingTable
        Further vectors that can name similar items.
    version : str
        Changes with any of the models.
    feature_version : str
        Of the users' features.
    origin : str
        A sentence for people: where all this comes from.
    """

    channels: Mapping[str, Recaller]
    weights: Mapping[str, float]
    fusion: str
    depth: int
    version: str
    origin: str
    calibrations: Mapping[str, Callable] | None = None
    rankings: Mapping[str, Ranking] = field(default_factory=dict)
    default: str = RECALL_ORDER
    vectors: Mapping[str, EmbeddingTable] = field(default_factory=dict)
    feature_version: str = "none"

    def __post_init__(self):
        if RECALL_ORDER not in self.rankings:
            plain = Ranking(ranker=RecallOrder(), weight=0.0)
            object.__setattr__(self, "rankings", {**self.rankings, RECALL_ORDER: plain})
        if self.default not in self.rankings:
            raise RecsysError(
                f"There is no ranking {self.default!r}; here are {', '.join(self.rankings)}."
            )

    @classmethod
    def of(cls, recaller: Recaller, **settings) -> "Parts":
        """Return the parts of a fitted recaller: a cascade, a merge, or a single channel."""
        if isinstance(recaller, Cascade):
            ranking = Ranking(
                ranker=recaller.ranker,
                weight=recaller.ranking_weight,
                diversity=recaller.diversity,
                item_vectors=recaller.item_vectors,
            )
            rankings = {"cascade": ranking, **settings.pop("rankings", {})}
            settings = {"default": "cascade", **settings, "rankings": rankings}
            return cls.of(recaller.recaller, **{"depth": recaller.candidates, **settings})
        if isinstance(recaller, Merged):
            weights = recaller.weights or dict.fromkeys(recaller.channels, 1.0)
            merge = {"depth": recaller.depth, "calibrations": recaller.calibrations}
            channels = {"channels": recaller.channels, "fusion": recaller.fusion}
            return cls(weights=weights, **channels, **{**merge, **settings})
        name = recaller.name or type(recaller).__name__.lower()
        single = {"channels": {name: recaller}, "weights": {name: 1.0}, "fusion": "rank"}
        return cls(**single, **{"depth": 200, **settings})

    @property
    def matrix(self) -> InteractionMatrix:
        """What the channels have seen."""
        return next(iter(self.channels.values())).matrix_

    @property
    def item_ids(self) -> np.ndarray:
        """All items that can be recalled: int64, sorted."""
        return self.matrix.item_ids
