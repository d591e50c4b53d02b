"""One board for all ranking models: same rows, same measures, several seeds, paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from recsys_lib.evaluation import (
    auc,
    calibration_error,
    log_loss,
    per_user_auc,
    per_user_ndcg,
    resampled_auc,
)
from recsys_lib.features.registry import LABEL
from recsys_lib.ranking.config import RankingConfig
from recsys_lib.ranking.fitting import train_model
from recsys_lib.ranking.pretrained import Vectors
from recsys_lib.schema import USER
from recsys_lib.seeding import DEFAULT_SEED, generator


@dataclass(frozen=True)
class Entry:
    """What a model predicts for the judged rows, one training a seed.

    Attributes
    ----------
    scores : float array, shape (n_seeds, n)
        Probability of a like.
    validation_auc : float array, shape (n_seeds,)
    n_parameters : int
        Trained numbers; 0 where that has no meaning.
    seconds : float
        Of training, mean over seeds; judging on validation samples is not in it.
    epochs : float
        Passes until the best weights, mean over seeds.
    samples_per_second : float
        Speed of training, median over seeds.
    """

    scores: np.ndarray
    validation_auc: np.ndarray
    n_parameters: int = 0
    seconds: float = float("nan")
    epochs: float = float("nan")
    samples_per_second: float = float("nan")


def enter(
    kind: str,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    test: pd.DataFrame,
    config: RankingConfig | None = None,
    seeds: Sequence[int] = (DEFAULT_SEED,),
    pretrained: Mapping[str, Vectors] | None = None,
) -> Entry:
    """Train a kind of model once a seed, stopped on the validation part, and let it predict.

    Parameters
    ----------
    kind, config, pretrained
        As for :func:`recsys_lib.ranking.train_model`.
    train, validation, test : DataFrames
        Samples. Nothing is learned or chosen from ``test``.
    seeds : ints
    """
    runs = [train_model(kind, train, validation, config, seed, pretrained) for seed in seeds]
    return Entry(
        np.stack([model.predict(test) for model, _ in runs]),
        np.array([log.validation_auc[log.best_epoch - 1] for _, log in runs]),
        runs[0][0].n_parameters,
        float(np.mean([sum(log.seconds) for _, log in runs])),
        float(np.mean([log.best_epoch for _, log in runs])),
        float(np.median([log.samples_per_second for _, log in runs])),
    )


def leaderboard(entries: Mapping[str, Entry], test: pd.DataFrame) -> pd.DataFrame:
    """Return one row a model, best mean AUC first.

    Parameters
    ----------
    entries : dict of str to Entry
    test : DataFrame
        The rows the scores are of, with ``user_id`` and ``label``.

    Returns
    -------
    DataFrame
        ``auc`` with the 95 % interval over users and seeds (``auc_low``, ``auc_high``) and the
        range over seeds (``auc_seed_range``); ``per_user_auc``, ``log_loss`` (nats),
        ``calibration_error``, ``per_user_ndcg``: means over seeds; ``parameters``, ``epochs``,
        ``seconds`` and ``samples_per_second``.
    """
    labels, users = test[LABEL].to_numpy(), test[USER].to_numpy()
    rows = {}
    for name, entry in entries.items():
        aucs = [auc(labels, scores) for scores in entry.scores]
        low, high = np.nanquantile(_resamples(entry, labels, users), [0.025, 0.975])
        rows[name] = {
            "auc": np.mean(aucs),
            "auc_low": low,
            "auc_high": high,
            "auc_seed_range": np.ptp(aucs),
            "per_user_auc": np.mean([per_user_auc(users, labels, s).mean() for s in entry.scores]),
            "per_user_ndcg": np.mean(
                [per_user_ndcg(users, labels, s).mean() for s in entry.scores]
            ),
            "log_loss": np.mean([log_loss(labels, s) for s in entry.scores]),
            "calibration_error": np.mean([calibration_error(labels, s) for s in entry.scores]),
            "parameters": entry.n_parameters,
            "epochs": entry.epochs,
            "seconds": entry.seconds,
            "samples_per_second": entry.samples_per_second,
        }
    return pd.DataFrame.from_dict(rows, orient="index").sort_values("auc", ascending=False)


def paired_difference(first: Entry, second: Entry, test: pd.DataFrame) -> dict[str, float]:
    """Compare the AUC of two models on the same resamples of users, and resampled seeds.

    Returns
    -------
    dict
        ``difference`` (first less second), its 95 % interval ``low`` and ``high``, and ``p``, the
        two-sided bootstrap p-value: how often the resampled difference has the other sign, twice.
    """
    labels, users = test[LABEL].to_numpy(), test[USER].to_numpy()
    gaps = _resamples(first, labels, users, "first") - _resamples(second, labels, users, "second")
    gaps = gaps[~np.isnan(gaps)]
    mean = [np.mean([auc(labels, s) for s in entry.scores]) for entry in (first, second)]
    low, high = np.quantile(gaps, [0.025, 0.975])
    other_sign = min((gaps <= 0).mean(), (gaps >= 0).mean())
    return {
        "difference": mean[0] - mean[1],
        "low": low,
        "high": high,
        "p": min(1.0, 2 * max(other_sign, 1 / len(gaps))),
    }


def neighbours(board: pd.DataFrame, entries: Mapping[str, Entry], test: pd.DataFrame):
    """Return the paired difference of each model of a board to the one below it: a DataFrame."""
    return pd.DataFrame(
        {
            f"{better} - {worse}": paired_difference(entries[better], entries[worse], test)
            for better, worse in pairwise(board.index)
        }
    ).T


def _resamples(entry: Entry, labels, users, draw: str = "seeds") -> np.ndarray:
    """Return the AUC over resampled users, each the mean over resampled seeds: (n_resamples,)."""
    aucs = np.stack([resampled_auc(labels, scores, users) for scores in entry.scores])
    rng = generator(DEFAULT_SEED, "leaderboard", draw)
    drawn = rng.integers(len(aucs), size=(aucs.shape[1], len(aucs)))  # (n_resamples, n_seeds)
    return aucs[drawn.T, np.arange(aucs.shape[1])].mean(axis=0)
