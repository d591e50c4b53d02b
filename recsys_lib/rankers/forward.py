"""The forward pass of every network of the family in numpy: nothing is trained, so little is left.

Each network is written as in its file in :mod:`recsys_lib.ranking.models`, layer for layer, and
reads the weights under the names that Keras gave them.
"""

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np

from recsys_lib.ranking import Encoded, RankingModel
from recsys_lib.ranking.config import HISTORY_FIELD
from recsys_lib.schema import ITEM, USER


def probabilities(model: RankingModel, samples: Encoded) -> np.ndarray:
    """Return the probability of a like for encoded samples: float32, (n,)."""
    logit = _LOGITS[model.kind](Pass(model, samples))
    return sigmoid(logit[:, 0]).astype(np.float32, copy=False)


def sigmoid(logit: np.ndarray) -> np.ndarray:
    """Return the logistic function, written so that no exponential overflows."""
    return 0.5 * (1 + np.tanh(0.5 * logit))


class Pass:
    """One batch on its way through a network: the parts that networks share.

    Parameters
    ----------
    model : RankingModel
    samples : Encoded
    """

    def __init__(self, model: RankingModel, samples: Encoded):
        self.inputs, self.config = model.inputs, model.config
        self.weights: Mapping[str, np.ndarray] = model.weights
        self.codes, self.numbers = samples.categories, samples.numbers
        self.fields = {field.name: field for field in model.inputs.fields}

    def looked_up(self, name: str) -> np.ndarray:
        """Return a vector for each code, zeros for an unknown one: (n, n_codes, dim)."""
        inputs = self.inputs
        offsets = inputs.weight_offsets if name == "first_order" else inputs.offsets
        vectors = self.weights[f"{name}/table"][self.codes + offsets]
        vectors[self.codes == 0] = 0
        return vectors

    @cached_property
    def vectors(self) -> np.ndarray:
        return self.looked_up("embeddings")

    def pooled(self, vectors: np.ndarray, history: bool = True) -> np.ndarray:
        """Return a vector for each field, the mean of the known ones of a list: (n, f, dim)."""
        parts = []
        for field in self.fields.values():
            if field.name == HISTORY_FIELD and not history:
                continue
            part = vectors[:, field.codes]
            if part.shape[1] > 1:
                known = (self.codes[:, field.codes] > 0).sum(axis=1).astype(np.float32)
                part = part.sum(axis=1, keepdims=True) / np.maximum(known, 1)[:, None, None]
            parts.append(part)
        return np.concatenate(parts, axis=1)

    def concatenated(self, history: bool = True) -> np.ndarray:
        """Return the vectors of all fields and the numbers: (n, f * dim + n_numbers)."""
        return np.hstack([_flat(self.pooled(self.vectors, history)), self.numbers])

    @cached_property
    def factors(self) -> np.ndarray:
        """Vectors of all fields, and of the numbers, scaled by them: (n, f + n_numbers, dim)."""
        pooled = self.pooled(self.vectors)
        if not self.numbers.shape[1]:
            return pooled
        scaled = self.numbers[:, :, None] * self.weights["number_vectors/table"]
        return np.concatenate([pooled, scaled], axis=1)

    def first_order(self) -> np.ndarray:
        """Return the linear part: (n, 1)."""
        ready = self.pooled(self.looked_up("first_order")).sum(axis=1)
        return ready + self.numbers @ self.weights["linear/kernel"] + self.weights["linear/bias"]

    def second_order(self) -> np.ndarray:
        """Return the sum over pairs of fields of their inner product: (n, 1)."""
        vectors = self.factors
        pairs = 0.5 * (np.square(vectors.sum(axis=1)) - np.square(vectors).sum(axis=1))
        return pairs.sum(axis=1, keepdims=True)

    def dense(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}/kernel"] + self.weights[f"{name}/bias"]

    def hidden(self, x: np.ndarray) -> np.ndarray:
        for depth in range(1, len(self.config.hidden) + 1):
            x = np.maximum(self.dense(x, f"hidden_{depth}"), 0)
        return x

    def candidate_and_history(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the candidate's vector, those of the liked items, and which of them there are."""
        liked = self.fields["history"].codes
        candidate = self.vectors[:, self.fields[ITEM].codes.start]
        return candidate, self.vectors[:, liked], self.codes[:, liked] > 0

    def attention(self, candidate: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Return a weight for each place of the history, before any mask: (n, length)."""
        asked = np.broadcast_to(candidate[:, None], history.shape)
        seen = np.concatenate([history, asked, asked - history, asked * history], axis=-1)
        inner = np.maximum(self.dense(seen, "attention/inner"), 0)
        return self.dense(inner, "attention/outer")[:, :, 0]


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), x.shape[1] * x.shape[2])


def _logistic_regression(on: Pass) -> np.ndarray:
    return on.first_order()


def _fm(on: Pass) -> np.ndarray:
    return on.first_order() + on.second_order()


def _fnn(on: Pass) -> np.ndarray:
    weights = _flat(on.pooled(on.looked_up("first_order")))
    return on.dense(on.hidden(np.hstack([weights, _flat(on.factors), on.numbers])), "like")


def _wide_deep(on: Pass) -> np.ndarray:
    logit = on.first_order() + on.dense(on.hidden(on.concatenated()), "deep")
    if on.inputs.history:
        candidate = on.codes[:, on.fields[ITEM].codes]
        liked = on.codes[:, on.fields["history"].codes]
        pair = 1 + (candidate * 7_919 + liked) % (on.config.n_pairs - 1)
        both = (candidate > 0) & (liked > 0)
        logit = logit + (on.weights["pairs/table"][pair] * both[:, :, None]).sum(axis=1)
    return logit


def _deep_crossing(on: Pass) -> np.ndarray:
    x = on.concatenated()
    for depth in range(1, len(on.config.hidden) + 1):
        inner = np.maximum(on.dense(x, f"residual_{depth}/inner"), 0)
        x = np.maximum(x + on.dense(inner, f"residual_{depth}/outer"), 0)
    return on.dense(x, "like")


def _neural_cf(on: Pass) -> np.ndarray:
    item, user = (on.fields[column].codes.start for column in (ITEM, USER))
    factors = on.looked_up("factors")
    mixed = on.hidden(np.hstack([on.vectors[:, user], on.vectors[:, item]]))
    return on.dense(np.hstack([factors[:, user] * factors[:, item], mixed]), "like")


def _deepfm(on: Pass) -> np.ndarray:
    deep = on.dense(on.hidden(_flat(on.factors)), "deep")
    return on.first_order() + on.second_order() + deep


def _din(on: Pass) -> np.ndarray:
    candidate, liked, known = on.candidate_and_history()
    weight = on.attention(candidate, liked) * known
    interest = (weight[:, :, None] * liked).sum(axis=1)
    return on.dense(on.hidden(np.hstack([on.concatenated(history=False), interest])), "like")


def _dien(on: Pass) -> np.ndarray:
    candidate, liked, known = on.candidate_and_history()
    liked, known = liked[:, ::-1], known[:, ::-1]  # oldest first
    interests = _gru(on, liked, known)
    weight = np.where(known, on.attention(candidate, interests), np.float32(-1e9))
    weight = np.exp(weight - weight.max(axis=1, keepdims=True))
    rates = weight / weight.sum(axis=1, keepdims=True) * known
    evolved = _augru(on, interests, rates)
    return on.dense(on.hidden(np.hstack([on.concatenated(history=False), evolved])), "like")


def _gru(on: Pass, sequence: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the state after each place, which a missing one leaves alone: (n, length, units)."""
    kernel, recurrent, bias = (
        on.weights[f"interests/gru_cell/{name}"] for name in ("kernel", "recurrent_kernel", "bias")
    )
    units, inputs = len(recurrent), sequence @ kernel + bias[0]
    state, states = np.zeros((len(sequence), units), np.float32), []
    for place in range(sequence.shape[1]):
        update, candidate = _gates(inputs[:, place], state @ recurrent + bias[1], units)
        moved = update * state + (1 - update) * candidate
        state = np.where(known[:, place, None], moved, state)
        states.append(state)
    return np.stack(states, axis=1)


def _augru(on: Pass, sequence: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Return the last state of a GRU whose update gate attention scales: (n, units)."""
    kernel, recurrent, bias = (
        on.weights[f"evolution/{name}"] for name in ("kernel", "recurrent", "bias")
    )
    units, inputs = len(recurrent), sequence @ kernel + bias
    state = np.zeros((len(sequence), units), np.float32)
    for place in range(sequence.shape[1]):
        update, candidate = _gates(inputs[:, place], state @ recurrent, units)
        rate = rates[:, place, None] * update
        state = (1 - rate) * state + rate * candidate
    return state


def _gates(x: np.ndarray, h: np.ndarray, units: int):
    """Return the update gate and the candidate state: (n, units) each."""
    gates = sigmoid(x[:, : 2 * units] + h[:, : 2 * units])
    update, reset = gates[:, :units], gates[:, units:]
    return update, np.tanh(x[:, 2 * units :] + reset * h[:, 2 * units :])


def _dcn_v2(on: Pass) -> np.ndarray:
    x0 = crossed = on.concatenated()
    for depth in range(1, on.config.n_crosses + 1):
        crossed = x0 * on.dense(crossed, f"cross_{depth}") + crossed
    return on.dense(np.hstack([crossed, on.hidden(x0)]), "like")


def _embedding_mlp(on: Pass) -> np.ndarray:
    return on.dense(on.hidden(on.concatenated()), "like")


_LOGITS: dict[str, Callable[[Pass], np.ndarray]] = {
    "logistic_regression": _logistic_regression,
    "fm": _fm,
    "fnn": _fnn,
    "wide_deep": _wide_deep,
    "deep_crossing": _deep_crossing,
    "neural_cf": _neural_cf,
    "deepfm": _deepfm,
    "din": _din,
    "dien": _dien,
    "dcn_v2": _dcn_v2,
    "embedding_mlp": _embedding_mlp,
}
