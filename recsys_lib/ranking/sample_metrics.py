"""How well a trained model predicts samples."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from recsys_lib.evaluation import auc, calibration_error, log_loss, per_user_auc
from recsys_lib.features.registry import LABEL
from recsys_lib.ranking.config import IDS
from recsys_lib.ranking.labels import binary_labels, check_classes
from recsys_lib.ranking.model import RankingModel
from recsys_lib.ranking.training import predict
from recsys_lib.schema import USER


def evaluate_model(
    model: RankingModel, samples: pd.DataFrame | Iterable[pd.DataFrame]
) -> dict[str, float]:
    """Measure how well a model predicts labelled samples.

    Parameters
    ----------
    model : RankingModel
    samples : DataFrame, or an iterable of them
        Of pieces that come one after the other, only labels, users and scores are kept.

    Returns
    -------
    dict
        ``rows``; ``auc``, ``log_loss`` (nats) and ``calibration_error``. Where the samples have
        users, also ``per_user_auc``, the mean over users with both likes and dislikes (NaN if
        there are none), and ``users_evaluated``, their number. ``unknown_user_id`` and
        ``unknown_item_id`` are the shares of rows whose id training did not contain.

    Raises
    ------
    DataError
        A column is missing or has another type, or the labels are not 0 and 1, or all the same.
    """
    labels, scores, users = [], [], []
    unknown = {column: 0 for column in IDS if column in model.inputs.categories}
    for piece in [samples] if isinstance(samples, pd.DataFrame) else samples:
        frame = _under_library_names(model, piece)
        encoded = model.inputs.encode(frame)
        labels.append(binary_labels(frame))
        scores.append(predict(model.network, encoded))
        users.append(frame[USER].to_numpy() if USER in frame else [])
        for column in unknown:
            codes = encoded.categories[:, model.inputs.categories.index(column)]
            unknown[column] += (codes == 0).sum()
    label, score, user = (np.concatenate(each or [[]]) for each in (labels, scores, users))
    check_classes(label.sum(), len(label))
    metrics = {
        "rows": len(label),
        "auc": auc(label, score),
        "log_loss": log_loss(label, score),
        "calibration_error": calibration_error(label, score),
    }
    if len(user):
        # Rows without a user belong to one user of their own.
        within = per_user_auc(pd.factorize(user)[0], label, score)
        metrics["per_user_auc"] = float(within.mean()) if len(within) else float("nan")
        metrics["users_evaluated"] = len(within)
    return metrics | {f"unknown_{c}": int(n) / len(label) for c, n in unknown.items()}


def _under_library_names(model: RankingModel, piece: pd.DataFrame) -> pd.DataFrame:
    if model.schema is None:
        return piece
    columns = [*model.inputs.columns, LABEL]
    if USER not in columns and model.schema.user in piece:
        columns.append(USER)
    return model.schema.select(piece, columns)
