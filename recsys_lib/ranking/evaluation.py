"""How well a trained model predicts the samples of a file."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from recsys_lib.evaluation import auc, calibration_error, log_loss, per_user_auc
from recsys_lib.ranking.config import IDS
from recsys_lib.ranking.inputs import check_classes, zeros_and_ones
from recsys_lib.ranking.model import RankingModel
from recsys_lib.schema import USER


def judge_model(model: RankingModel, frames: Iterable[pd.DataFrame]) -> dict[str, float]:
    """Measure a model on samples that come in parts; labels and scores alone are kept.

    Returns
    -------
    dict
        ``rows``; ``auc``, ``log_loss`` (nats) and ``calibration_error``; with users,
        ``per_user_auc`` (mean over those with likes and dislikes, NaN without any) and
        ``users_judged``; ``unknown_user_id`` and ``unknown_item_id``, the share of rows whose id
        training did not contain.

    Raises
    ------
    DataError
        A column is missing or of another type, or the labels are not 0 and 1, or all the same.
    """
    labels, scores, users = [], [], []
    unknown = dict.fromkeys([c for c in IDS if c in model.inputs.categories], 0)
    for frame in frames:
        labels.append(zeros_and_ones(frame))
        scores.append(model.predict(frame))
        users.append(frame[USER].to_numpy() if USER in frame else [])
        for column in unknown:
            unknown[column] += (model.inputs.encode_categories(frame, [column]) == 0).sum()
    label, score, user = (np.concatenate(each or [[]]) for each in (labels, scores, users))
    check_classes(label.sum(), len(label))
    found = {
        "rows": len(label),
        "auc": auc(label, score),
        "log_loss": log_loss(label, score),
        "calibration_error": calibration_error(label, score),
    }
    if len(user):
        # A missing user is one of its own.
        within = per_user_auc(pd.factorize(user)[0], label, score)
        found["per_user_auc"] = float(within.mean()) if len(within) else float("nan")
        found["users_judged"] = len(within)
    return found | {f"unknown_{c}": int(n) / len(label) for c, n in unknown.items()}
