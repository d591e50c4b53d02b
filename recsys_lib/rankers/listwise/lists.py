"""Lists to learn from: what recall would have found at a time whose outcome is known."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from recsys_lib import files
from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import held_out_likes, hits_of
from recsys_lib.evaluation.ranking import Relevant, relevant_items
from recsys_lib.rankers.base import Candidates
from recsys_lib.rankers.listwise.features import CandidateFeatures, standard_scores
from recsys_lib.recall import Lists, Recaller
from recsys_lib.seeding import DEFAULT_SEED, generator

USERS_AT_ONCE = 100  # whose items the channels score together


@dataclass(frozen=True)
class RankingLists:
    """Recalled candidates of n requests with their features, and which were liked afterwards.

    Attributes
    ----------
    names : tuple of str, length m
        Of the features.
    user_ids : int64 array, shape (n,)
    item_ids : int64 array, shape (n, k), padded with -1
        In recall's order.
    recalled : float32 array, shape (n, k)
        Recall's scores in standard deviations from the list's mean; 0 at padding.
    features : float32 array, shape (n, k, m)
        0 at padding.
    liked : bool array, shape (n, k)
    n_liked : int64 array, shape (n,)
        Likes that were hidden, whether recalled or not.
    """

    names: tuple[str, ...]
    user_ids: np.ndarray
    item_ids: np.ndarray
    recalled: np.ndarray
    features: np.ndarray
    liked: np.ndarray
    n_liked: np.ndarray

    def __len__(self) -> int:
        return len(self.user_ids)

    @property
    def listed(self) -> np.ndarray:
        """Where an item stands and no padding: bool, shape (n, k)."""
        return self.item_ids >= 0

    def rows(self, some) -> "RankingLists":
        """Return some of the requests."""
        parts = {f.name: getattr(self, f.name)[some] for f in fields(self) if f.name != "names"}
        return replace(self, **parts)

    def with_hits(self) -> "RankingLists":
        """Return the requests in which something was found: others teach no order."""
        return self.rows(self.liked.any(axis=1))

    def columns(self, names) -> "RankingLists":
        """Return the lists with some of the features, in the order given."""
        at = [self.names.index(name) for name in names]
        return replace(self, names=tuple(names), features=self.features[:, :, at])

    def best(self, scores: np.ndarray, k: int = 10) -> np.ndarray:
        """Return the places (from 0, in recall's order) of the best ``k`` of each list: (n, k).

        Equal scores keep recall's order; padding comes last.
        """
        scores = np.where(self.listed, scores, -np.inf)
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]

    def ndcg(self, scores: np.ndarray, k: int = 10) -> np.ndarray:
        """Return each user's nDCG@k when the candidates are ordered by scores: float64, (n,)."""
        discount = 1 / np.log2(np.arange(2, k + 2))
        ideal = np.concatenate([[0.0], np.cumsum(discount)])
        hits = np.take_along_axis(self.liked, self.best(scores, k), axis=1)
        return hits @ discount[: hits.shape[1]] / ideal[np.minimum(self.n_liked, k)]

    @classmethod
    def concatenate(cls, parts: "list[RankingLists]") -> "RankingLists":
        """Return the requests of several lists with the same features."""
        if not parts or len({part.names for part in parts}) != 1:
            raise RecsysError("Lists that are joined must be at least one, with equal features.")
        joined = {
            f.name: np.concatenate([getattr(part, f.name) for part in parts])
            for f in fields(cls)
            if f.name != "names"
        }
        return cls(names=parts[0].names, **joined)

    def save(self, path: Path) -> None:
        """Write to one ``.npz`` file, atomically."""
        with files.atomic_path(Path(path)) as fresh, fresh.open("wb") as file:
            parts = {f.name: getattr(self, f.name) for f in fields(self)}
            np.savez(file, **parts | {"names": np.array(self.names)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote."""
        read = files.read_npz(Path(path))
        return cls(**read | {"names": tuple(read["names"].tolist())})


def ranking_lists(
    recaller: Recaller,
    features: CandidateFeatures,
    train: pd.DataFrame,
    held_out: pd.DataFrame,
    n_candidates: int = 200,
    *,
    relevant: str = "likes",
    most_users: int | None = None,
) -> RankingLists:
    """Recall candidates for all users with something held out, and read their features.

    Parameters
    ----------
    recaller : Recaller
    features : CandidateFeatures
        Both fitted on ``train``.
    train, held_out : DataFrame
        With the whole numbers inside as ids.
    n_candidates : int
    relevant : {"likes", "all"}
        Whether a hit is a like or any held-out row.
    most_users : int, optional
        Where there are more, so many are drawn: a list of 200 takes 80 KB.
    """
    if relevant == "likes":
        wanted = held_out_likes(train, held_out)
    else:
        wanted = relevant_items(held_out, None).of(train["user_id"].unique())
    if most_users is not None and most_users < len(wanted.user_ids):
        draw = generator(DEFAULT_SEED, "users with lists")
        wanted = wanted.of(draw.permutation(wanted.user_ids)[:most_users])
    return read_lists(recaller.lists(wanted.user_ids, n_candidates), features, wanted)


def read_lists(recalled: Lists, features: CandidateFeatures, wanted: Relevant) -> RankingLists:
    """Read the features of lists at hand, and mark what was liked.

    Parameters
    ----------
    recalled : Lists
        Of the users of ``wanted``, in their order.
    features : CandidateFeatures
    wanted : Relevant
        As :func:`recsys_lib.evaluation.held_out_likes` returns.
    """
    n, k = recalled.item_ids.shape
    table = np.zeros((n, k, len(features.names)), np.float32)
    score = np.zeros((n, k), np.float32)
    for row in range(n):
        listed, place = recalled.listed[row], row % USERS_AT_ONCE
        if place == 0:
            of_channels = features.scores(recalled.user_ids[row : row + USERS_AT_ONCE])
        if listed.any():
            candidates = candidates_of(recalled, row)
            table[row, listed] = features.rows(candidates, [each[place] for each in of_channels])
            score[row, listed] = standard_scores(candidates.scores)
    return RankingLists(
        features.names,
        recalled.user_ids,
        recalled.item_ids,
        score,
        table,
        hits_of(recalled.item_ids, wanted),
        np.diff(wanted.offsets),
    )


def candidates_of(recalled: Lists, row: int) -> Candidates:
    """Return one row of lists as the candidates of a request."""
    listed = recalled.listed[row]
    return Candidates(
        int(recalled.user_ids[row]),
        recalled.item_ids[row, listed],
        recalled.scores[row, listed],
        [recalled.channel_names[c] for c in recalled.channel_index[row, listed]],
    )
