"""All ranking models on one board: the same samples, the same metrics, several seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.fitting import train_model
from recsys_lib.ranking.predictions import METRICS, Predictions
from recsys_lib.ranking.pretrained import Vectors
from recsys_lib.seeding import DEFAULT_SEED


def train_and_predict(
    kind: str,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    test: pd.DataFrame,
    config: RankingConfig | None = None,
    seeds: Sequence[int] = (DEFAULT_SEED,),
    pretrained: Mapping[str, Vectors] | None = None,
) -> Predictions:
    """Train a kind of model once for each seed and let it predict the test samples.

    Parameters
    ----------
    kind, config, pretrained
        As for :func:`recsys_lib.ranking.train_model`.
    train, validation, test : DataFrames
        Samples. Training stops by the validation part; nothing is learned from the test part.
    seeds : sequence of int
    """
    models = [train_model(kind, train, validation, config, seed, pretrained) for seed in seeds]
    logs = [model.log for model in models]
    return Predictions.of(
        test,
        np.stack([model.predict(test) for model in models]),
        validation_auc=np.array([log.validation_auc[log.best_epoch - 1] for log in logs]),
        n_parameters=models[0].n_parameters,
        seconds=float(np.mean([log.total_seconds for log in logs])),
        epochs=float(np.mean([log.best_epoch for log in logs])),
        samples_per_second=float(np.median([log.samples_per_second for log in logs])),
    )


def leaderboard(predictions: Mapping[str, Predictions]) -> pd.DataFrame:
    """Return one row for each model, the best mean AUC first.

    Returns
    -------
    DataFrame
        ``auc`` with its 95 % interval over users and seeds (``auc_low``, ``auc_high``) and the
        range over seeds (``auc_seed_range``); ``per_user_auc``, ``per_user_ndcg``, ``log_loss``
        (nats) and ``calibration_error`` as means over seeds; ``parameters``, ``epochs``,
        ``seconds`` and ``samples_per_second``.
    """
    rows = {}
    for name, each in predictions.items():
        mean, low, high = each.interval("auc")
        rows[name] = {
            "auc": mean,
            "auc_low": low,
            "auc_high": high,
            "auc_seed_range": np.ptp(each.by_seed("auc")),
            **{metric: each.mean(metric) for metric in METRICS if metric != "auc"},
            "parameters": each.n_parameters,
            "epochs": each.epochs,
            "seconds": each.seconds,
            "samples_per_second": each.samples_per_second,
        }
    board = pd.DataFrame.from_dict(rows, orient="index")
    return board.sort_values("auc", ascending=False)
