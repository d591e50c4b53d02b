"""What orders the candidates of a request."""

from recsys_lib.rankers.network import Scorer, score_encoded, score_samples

__all__ = ["Scorer", "score_encoded", "score_samples"]
