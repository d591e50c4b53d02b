"""What orders the candidates of a request."""

from recsys_lib.rankers.base import (
    Candidates,
    Ranker,
    RecallOrder,
    UnknownUser,
    UserFeatures,
    load_ranker,
)
from recsys_lib.rankers.features import UserFeatureTable
from recsys_lib.rankers.light import LightRanker
from recsys_lib.rankers.listwise import ListwiseRanker
from recsys_lib.rankers.model import ModelRanker
from recsys_lib.rankers.network import NetworkRanker, score_samples
from recsys_lib.rankers.online_models import FtrlLogisticRegression, ShallowNetwork
from recsys_lib.rankers.pmml import PmmlModel, PmmlRanker
from recsys_lib.rankers.remembering import Remembering
from recsys_lib.rankers.remote import RemoteModel, RemoteRanker, ServerUnavailable
from recsys_lib.rankers.stored import ScoreTable, StoredRanker
from recsys_lib.rankers.stored_history import STORED_AS, StoredHistoryRanker, history_rows

__all__ = [
    "STORED_AS",
    "Candidates",
    "FtrlLogisticRegression",
    "LightRanker",
    "ListwiseRanker",
    "ModelRanker",
    "NetworkRanker",
    "PmmlModel",
    "PmmlRanker",
    "Ranker",
    "RecallOrder",
    "Remembering",
    "RemoteModel",
    "RemoteRanker",
    "ScoreTable",
    "ServerUnavailable",
    "ShallowNetwork",
    "StoredHistoryRanker",
    "StoredRanker",
    "UnknownUser",
    "UserFeatureTable",
    "UserFeatures",
    "history_rows",
    "load_ranker",
    "score_samples",
]
