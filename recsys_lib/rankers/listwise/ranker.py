"""The ranking stage that was trained on recalled lists, as a ranker of the cascade."""

from pathlib import Path

import numpy as np

from recsys_lib import files
from recsys_lib.rankers.base import Candidates, Ranker
from recsys_lib.rankers.listwise.features import FAMILIES, CandidateFeatures, standard_scores
from recsys_lib.rankers.listwise.model import ListwiseModel

FEATURES, MODEL = "features", "model.npz"


class ListwiseRanker(Ranker):
    """Scores candidates with a model trained on lists, from features read for the request.

    Parameters
    ----------
    model : ListwiseModel
        Its features may be some of those that are read.
    features : CandidateFeatures
    """

    gives_probabilities = False

    def __init__(self, model: ListwiseModel, features: CandidateFeatures):
        self.model = model
        self.features = features
        self._columns = [features.names.index(name) for name in model.names]

    def score(self, candidates: Candidates) -> np.ndarray:
        """Return a score for each candidate: float32, (n,). Scores compare within a request."""
        return self.model.score(*self._read(candidates))

    def explain(self, candidates: Candidates) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the scores, and what recall's score and each family of features add to them."""
        read = self._read(candidates)
        recall, of_features, constant = self.model.contributions(*read)
        family = np.array([self.features.family_of[name] for name in self.model.names], str)
        terms = {"recall score": recall}
        for name in FAMILIES:
            if (family == name).any():
                terms[name] = of_features[:, family == name].sum(axis=1)
        return self.model.score(*read), terms | {"constant": constant}

    def _read(self, candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
        rows = self.features.rows(candidates)[:, self._columns]
        return standard_scores(candidates.scores), rows

    def _save(self, folder: Path) -> dict:
        self.features.save(folder / FEATURES)
        described, arrays = self.model.parts()
        np.savez(folder / MODEL, **arrays)
        return {"model": described}

    @classmethod
    def _load(cls, folder, described, users):
        model = ListwiseModel.from_parts(described["model"], files.read_npz(folder / MODEL))
        return cls(model, CandidateFeatures.load(folder / FEATURES))
