"""Trials on newcomers: whole users, or whole films, are held out, and met again event by event."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from recsys_lib.data.matrix import InteractionMatrix
from recsys_lib.data.splits import fold_of, in_time_order
from recsys_lib.errors import RecsysError
from recsys_lib.evaluation import ranking_metrics, relevant_items
from recsys_lib.recall.base import Recaller
from recsys_lib.recall.channels.als import ImplicitALS
from recsys_lib.recall.cold_start.content import ContentEncoder
from recsys_lib.recall.cold_start.interview import Interview
from recsys_lib.recall.histories import Histories
from recsys_lib.recall.lists import top_k
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, RATING, TIMESTAMP, USER
from recsys_lib.seeding import DEFAULT_SEED, key_hash

EVENT = [USER, ITEM, RATING, TIMESTAMP]
K = 10  # length of the lists; all figures are nDCG@10


class NewUserTrial:
    """Recallers meet users of whom they have seen nothing.

    Users are dealt into folds. In each fold's turn its users are the test, those of the next fold
    choose the settings, and models learn from the others; after the choice they learn from the
    validation users as well. So each user is tested once, by a model whose settings were chosen
    by others.

    Two ways of holding events back:

    ``arrival``
        A newcomer's first ``n_arrival`` events by time can be made known, the first n of them.
        The likes that follow are to be found: the same, whatever n.
    ``answers``
        Half of a newcomer's events, drawn by a hash, can be answers in an interview; the likes
        among the other half are to be found (Golbandi et al., 2011, split so).

    Parameters
    ----------
    interactions : DataFrame
        The canonical table, ids as whole numbers.
    n_folds : int
        At least 3.
    n_arrival : int
    seed : int
        Deals the folds and draws the halves.
    """

    def __init__(
        self,
        interactions: pd.DataFrame,
        *,
        n_folds: int = 5,
        n_arrival: int = 20,
        seed: int = DEFAULT_SEED,
    ):
        _check_folds(n_folds)
        self.rows = in_time_order(interactions)[EVENT]
        self.n_folds = n_folds
        self._fold = fold_of(self.rows[USER], n_folds, seed)
        self._place = self.rows.groupby(USER).cumcount().to_numpy()
        drawn = key_hash(self.rows[USER], self.rows[ITEM], seed=seed)
        self._hidden = {
            "arrival": self._place < n_arrival,
            "answers": drawn % np.uint64(2) == 0,
        }

    def train(self, *without: int) -> pd.DataFrame:
        """Return the events of all users but those of some folds."""
        return self.rows[~np.isin(self._fold, without)]

    def events(self, fold: int, n: int, part: str = "arrival") -> pd.DataFrame:
        """Return the first ``n`` events of each user of a fold that can be made known."""
        rows = self.rows[(self._fold == fold) & self._hidden[part]]
        return rows[rows.groupby(USER).cumcount().to_numpy() < n]

    def ndcg(
        self, model: Recaller, fold: int, known: pd.DataFrame, part: str = "arrival"
    ) -> pd.Series:
        """Return each newcomer's nDCG@10, by user, when some events are known.

        Parameters
        ----------
        model : Recaller
            Fitted without the users of the fold.
        fold : int
        known : DataFrame
            As :meth:`events` returns it.
        part : {"arrival", "answers"}
            Whatever belongs to it is on no list, known or not: it cannot be a hit.
        """
        of_fold = self._fold == fold
        relevant = relevant_items(self.rows[of_fold & ~self._hidden[part]])
        catalogue = model.matrix_.item_ids
        known = known[known[ITEM].isin(catalogue) & known[USER].isin(relevant.user_ids)]
        matrix = InteractionMatrix.from_frame(known, relevant.user_ids, catalogue)
        barred = self.rows.loc[of_fold & self._hidden[part], [USER, ITEM]]
        found = model.lists(relevant.user_ids, K, Histories(known, matrix), barred)
        metrics = ranking_metrics(found.item_ids, relevant, (K,))
        return pd.Series(metrics[f"ndcg_at_{K}"], relevant.user_ids)

    def run(
        self, tried: Mapping[str, Sequence[Callable[[], Recaller]]], n_events: Sequence[int] = (0,)
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Test methods, each with the settings that validation users choose.

        Parameters
        ----------
        tried : mapping
            By method, functions that make an unfitted recaller, one for each setting.
        n_events : sequence of int
            Settings are chosen by the mean over these.

        Returns
        -------
        figures : DataFrame
            nDCG@10, a row a user, columns (method, n).
        chosen : DataFrame
            The settings that were chosen, as text, a row a fold, a column a method.
        """
        figures, chosen = [], []
        for fold in range(self.n_folds):
            of_fold, names = {}, {}
            for method, makers in tried.items():
                make = self._best(makers, fold, n_events)
                model = make().fit(self.train(fold))
                names[method] = _settings(model)
                for n in n_events:
                    of_fold[method, n] = self.ndcg(model, fold, self.events(fold, n))
            figures.append(pd.DataFrame(of_fold))
            chosen.append(names)
        return pd.concat(figures).sort_index(), pd.DataFrame(chosen).rename_axis("fold")

    def _best(self, makers: Sequence[Callable], fold: int, n_events: Sequence[int]) -> Callable:
        if len(makers) == 1:
            return makers[0]
        validation = (fold + 1) % self.n_folds
        rows = self.train(fold, validation)
        means = []
        for make in makers:
            model = make().fit(rows)
            known = [self.events(validation, n) for n in n_events]
            means.append(np.mean([self.ndcg(model, validation, k).mean() for k in known]))
        return makers[int(np.argmax(means))]

    def interview(
        self, asking: Interview, answering: Recaller, fold: int, n_questions: int
    ) -> tuple[pd.Series, float]:
        """Ask the newcomers of a fold, and show them a list.

        Parameters
        ----------
        asking : Interview
            Fitted without the users of the fold; ``n_questions`` are put to each.
        answering : Recaller
            What makes a list of the answers: the interview itself, or a personal model.
        fold, n_questions : int

        Returns
        -------
        ndcg : Series
            Each newcomer's nDCG@10, by user.
        known : float
            The share of the films asked about that the newcomers know.
        """
        asking = asking.shortened(n_questions)
        can_say = self.rows[(self._fold == fold) & self._hidden["answers"]]
        can_say = can_say[can_say[ITEM].isin(asking.matrix_.item_ids)]
        matrix = InteractionMatrix.from_frame(can_say, item_ids=asking.matrix_.item_ids)
        asked = asking.questions_of(matrix.ratings, n_questions)
        put = np.zeros(matrix.ratings.shape, bool)
        row, place = np.nonzero(asked >= 0)
        put[row, asked[row, place]] = True
        known = put[matrix.users_of(can_say[USER]), matrix.items_of(can_say[ITEM])]
        answering = asking if isinstance(answering, Interview) else answering
        figures = self.ndcg(answering, fold, can_say[known], "answers")
        return figures, float(known.sum() / max(put.sum(), 1))


class NewItemTrial:
    """Content models meet films of which no rating has been seen.

    Films are dealt into folds as users are in :class:`NewUserTrial`: test, validation, the rest.
    A factor model learns from the rest. The films of a fold compete with each other for a user's
    list, because nothing but their content says how they compare.

    Parameters
    ----------
    interactions : DataFrame
    side : DataFrame
        Content, as :func:`recsys_lib.embeddings.side_information` returns it.
    factors : function
        Makes the unfitted factor model.
    n_folds, seed : int
    """

    def __init__(
        self,
        interactions: pd.DataFrame,
        side: pd.DataFrame,
        *,
        factors: Callable[[], ImplicitALS] = ImplicitALS,
        n_folds: int = 5,
        seed: int = DEFAULT_SEED,
    ):
        _check_folds(n_folds)
        self.rows = in_time_order(interactions)[EVENT]
        self.side = side
        self.factors = factors
        self.n_folds = n_folds
        self._fold = fold_of(self.rows[ITEM], n_folds, seed)
        by_time = self.rows.sort_values(TIMESTAMP, kind="stable")
        self._place = by_time.groupby(ITEM).cumcount().reindex(self.rows.index).to_numpy()
        self._fitted: dict[tuple[int, ...], ImplicitALS] = {}

    def warm(self, *without: int) -> ImplicitALS:
        """Return the factor model of all films but those of some folds."""
        key = tuple(sorted(without))
        if key not in self._fitted:
            self._fitted[key] = self.factors().fit(self.rows[~np.isin(self._fold, without)])
        return self._fitted[key]

    def cold(self, fold: int) -> np.ndarray:
        """Return the films of a fold: int64, sorted."""
        return np.unique(self.rows.loc[self._fold == fold, ITEM])

    def content(self, warm: ImplicitALS, fold: int, side: pd.DataFrame | None = None):
        """Return the content of the films that are known and of those that are new, encoded."""
        side = self.side if side is None else side
        known = warm.matrix_.item_ids
        encoder = ContentEncoder.of(side[side[ITEM].isin(known)])
        return encoder.encode(side, known), encoder.encode(side, self.cold(fold))

    def first_likes(self, warm: ImplicitALS, fold: int, n: int) -> sparse.csr_matrix:
        """Return who likes a new film among its first ``n`` raters: ones, (n_films, n_users)."""
        return self._first(warm, fold, n, LIKE_THRESHOLD)

    def _first(self, warm, fold: int, n: int, min_rating: float) -> sparse.csr_matrix:
        rows = self.rows[(self._fold == fold) & (self._place < n)]
        user = warm.matrix_.users_of(rows[USER])
        kept = (user >= 0) & (rows[RATING] >= min_rating).to_numpy()
        cold = self.cold(fold)
        place = np.searchsorted(cold, rows[ITEM][kept]), user[kept]
        shape = (len(cold), warm.matrix_.n_users)
        return sparse.csr_matrix((np.ones(kept.sum()), place), shape=shape)

    def ndcg(
        self, warm: ImplicitALS, fold: int, vectors: np.ndarray, n_hidden: int = 0
    ) -> pd.Series:
        """Return the nDCG@10 of each user's list of new films, by user.

        Parameters
        ----------
        warm : ImplicitALS
        fold : int
        vectors : float array, shape (n_films, dim) or (n_films,)
            Of the new films. In one dimension: a score that is the same for all users.
        n_hidden : int
            The first so many ratings of each film are on no list and count for nothing, whether
            the vectors have learned from them or not.
        """
        cold = self.cold(fold)
        later = self.rows[(self._fold == fold) & (self._place >= n_hidden)]
        relevant = relevant_items(later).of(warm.matrix_.user_ids)
        row = warm.matrix_.users_of(relevant.user_ids)
        if vectors.ndim == 1:
            score = np.tile(vectors, (len(row), 1))
        else:
            score = warm.users_[row] @ vectors.T
        score = score.astype(np.float32)
        hidden = self._first(warm, fold, n_hidden, -np.inf)
        score[hidden.T.tocsr()[row].nonzero()] = -np.inf
        found, _ = top_k(score, cold, K)
        metrics = ranking_metrics(found, relevant, (K,))
        return pd.Series(metrics[f"ndcg_at_{K}"], relevant.user_ids)

    def run(
        self, tried: Mapping[str, Sequence[Callable]], n_hidden: int = 0
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Test methods, each with the settings that validation films choose.

        Parameters
        ----------
        tried : mapping
            By method, functions ``(trial, warm, fold) -> vectors``, one for each setting; the
            vectors are those that :meth:`ndcg` takes.
        n_hidden : int
            As for :meth:`ndcg`.

        Returns
        -------
        figures : DataFrame
            nDCG@10, a row a user (the mean over the folds in which the user likes something), a
            column a method.
        chosen : DataFrame
            The place of the setting that was chosen, a row a fold, a column a method.
        """
        figures, chosen = [], []
        for fold in range(self.n_folds):
            validation = (fold + 1) % self.n_folds
            of_fold, places = {}, {}
            for method, makers in tried.items():
                best = 0
                if len(makers) > 1:
                    warm = self.warm(fold, validation)
                    means = [
                        self.ndcg(warm, validation, make(self, warm, validation), n_hidden).mean()
                        for make in makers
                    ]
                    best = int(np.argmax(means))
                warm = self.warm(fold)
                of_fold[method] = self.ndcg(warm, fold, makers[best](self, warm, fold), n_hidden)
                places[method] = best
            figures.append(pd.DataFrame(of_fold))
            chosen.append(places)
        return mean_by_user(figures), pd.DataFrame(chosen).rename_axis("fold")


def mean_by_user(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean of each user's rows in several tables, in order of the users."""
    return pd.concat(parts).groupby(level=0).mean()


def _settings(model: Recaller) -> str:
    plain = {n: v for n, v in model.parameters.items() if isinstance(v, str | int | float | tuple)}
    return ", ".join(
        f"{n}={v if not isinstance(v, tuple) else '|'.join(v)}" for n, v in plain.items()
    )


def _check_folds(n_folds: int) -> None:
    if n_folds < 3:
        raise RecsysError(
            f"n_folds must be at least 3 (to test, to choose, to learn), not {n_folds}."
        )
