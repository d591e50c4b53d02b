"""The forward pass of each kind of ranking model in numpy, apart from the library's layers."""

from itertools import combinations

import numpy as np
from scipy.special import expit, softmax

from recsys_lib.ranking import RankingModel
from recsys_lib.ranking.inputs import vocabulary_of


def dense(x, weights, name):
    return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def relu(x):
    return np.maximum(x, 0)


def attention(candidate, items, known, weights, normalised):
    """Return DIN's weight of each known item, by DIEN's softmax over them if ``normalised``."""
    found = np.zeros(known.shape)
    for i, there in enumerate(known):
        for t in np.flatnonzero(there):
            asked, liked = candidate[i], items[i, t]
            seen = np.concatenate([liked, asked, asked - liked, asked * liked])
            found[i, t] = dense(relu(dense(seen, weights, "inner")), weights, "outer")[0]
        if normalised and there.any():
            found[i, there] = softmax(found[i, there])
    return found


def gru(sequence, known, weights, rates=None, inner_bias=0.0):
    """Return the states of DIEN's equations 2 to 5: (n, length, units).

    The update gate is multiplied by ``rates``; a missing item leaves the state as it is.
    """
    w_u, w_r, w_h = np.split(weights["kernel"].T, 3)
    u_u, u_r, u_h = np.split(weights["recurrent"].T, 3)
    b_u, b_r, b_h = np.split(weights["bias"], 3)
    states = np.zeros((*known.shape, len(b_h)))
    for i, there in enumerate(known):
        h = np.zeros(len(b_h))
        for t, x in enumerate(sequence[i]):
            if there[t]:
                update = expit(w_u @ x + u_u @ h + b_u) * (1 if rates is None else rates[i, t])
                reset = expit(w_r @ x + u_r @ h + b_r)
                fresh = np.tanh(w_h @ x + reset * (u_h @ h + inner_bias) + b_h)
                h = (1 - update) * h + update * fresh
            states[i, t] = h
    return states


class Inputs:
    """Encoded samples and a model's weights, looked at as the papers do.

    ``pair_rows`` says which weight Wide & Deep has for each pair of candidate and liked item,
    shape (n, length), 0 for none: how pairs are hashed is no formula of the paper.
    """

    def __init__(self, model: RankingModel, samples, pair_rows=None):
        inputs = model.inputs
        self.pair_rows = pair_rows
        self.config = model.config
        self.weights = {name: array.astype(np.float64) for name, array in model.weights.items()}
        codes, self.numbers = inputs.encode(samples)
        # Of each field, its codes and the row at which its vectors start. A liked item shares its
        # vector with the candidate, not its weight: those of liked items come after all others.
        self.codes, self.first_row = {}, {}
        place = row = 0
        for field, width in [*((c, 1) for c in inputs.categories), *inputs.bags.items()]:
            self.codes[field], self.first_row[field] = codes[:, place : place + width], row
            place += width
            row += 1 + len(inputs.vocabularies[vocabulary_of(field)])
        self.codes["history"], self.first_row["history"] = (
            codes[:, place:],
            self.first_row["item_id"],
        )
        self.first_weight = self.first_row | {"history": row}

    def of(self, layer: str) -> dict[str, np.ndarray]:
        """Return the weights of one layer by their names within it."""
        start = f"{layer}/"
        return {n.removeprefix(start): w for n, w in self.weights.items() if n.startswith(start)}

    def places(self, field, table="embeddings"):
        """Return the vector at each place of a field, 0 where none is known: (n, width, dim)."""
        codes = self.codes[field]
        first = self.first_weight if table == "first_order" else self.first_row
        rows = self.weights[f"{table}/table"][first[field] + codes]
        return np.where((codes > 0)[:, :, None], rows, 0.0)

    def vectors(self, table="embeddings", without=()):
        """Return the mean of what is known of each field: (n, n_fields, dim)."""
        means = []
        for field, codes in self.codes.items():
            if field in without:
                continue
            known = np.maximum((codes > 0).sum(axis=1), 1)
            means.append(self.places(field, table).sum(axis=1) / known[:, None])
        return np.stack(means, axis=1)

    def factors(self):
        scaled = self.numbers[:, :, None] * self.weights["number_vectors/table"]
        return np.concatenate([self.vectors(), scaled], axis=1)

    def concatenated(self, without=()):
        return np.hstack([flat(self.vectors(without=without)), self.numbers])

    def dense(self, name, x):
        return dense(x, self.weights, name)

    def hidden(self, x):
        for depth in range(1, len(self.config.hidden) + 1):
            x = relu(self.dense(f"hidden_{depth}", x))
        return x

    def first_order(self):
        return (
            self.vectors("first_order").sum(axis=(1, 2)) + self.dense("linear", self.numbers)[:, 0]
        )


def flat(x):
    return x.reshape(len(x), -1)


def all_pairs(vectors):
    pairs = combinations(range(vectors.shape[1]), 2)
    return sum((vectors[:, i] * vectors[:, j]).sum(axis=1) for i, j in pairs)


def logistic_regression(seen: Inputs):
    return seen.first_order()


def fm(seen: Inputs):
    return seen.first_order() + all_pairs(seen.factors())


def fnn(seen: Inputs):
    x = np.hstack([flat(seen.vectors("first_order")), flat(seen.factors()), seen.numbers])
    return seen.dense("like", seen.hidden(x))


def wide_deep(seen: Inputs):
    table = seen.weights["pairs/table"][:, 0]
    weights = np.where(seen.pair_rows > 0, table[seen.pair_rows], 0.0)
    deep = seen.dense("deep", seen.hidden(seen.concatenated()))
    return seen.first_order() + weights.sum(axis=1) + deep[:, 0]


def deep_crossing(seen: Inputs):
    x = seen.concatenated()
    for depth in range(1, len(seen.config.hidden) + 1):
        inner = relu(seen.dense(f"residual_{depth}/inner", x))
        x = relu(x + seen.dense(f"residual_{depth}/outer", inner))
    return seen.dense("like", x)


def neural_cf(seen: Inputs):
    user, item = (seen.places(c, "factors")[:, 0] for c in ("user_id", "item_id"))
    mixed = np.hstack([seen.places(c)[:, 0] for c in ("user_id", "item_id")])
    return seen.dense("like", np.hstack([user * item, seen.hidden(mixed)]))


def deepfm(seen: Inputs):
    vectors = seen.factors()
    deep = seen.dense("deep", seen.hidden(flat(vectors)))
    return seen.first_order() + all_pairs(vectors) + deep[:, 0]


def from_interest(seen: Inputs, interest):
    """What DIN and DIEN do with the interest, which stands for the history."""
    x = np.hstack([seen.concatenated(without=["history"]), interest])
    return seen.dense("like", seen.hidden(x))


def din(seen: Inputs):
    candidate, liked = seen.places("item_id")[:, 0], seen.places("history")
    known = seen.codes["history"] > 0
    weights = attention(candidate, liked, known, seen.of("attention"), normalised=False)
    interest = (weights[:, :, None] * liked).sum(axis=1)
    return from_interest(seen, interest)


def dien(seen: Inputs):
    candidate, liked = seen.places("item_id")[:, 0], seen.places("history")[:, ::-1]
    known = seen.codes["history"][:, ::-1] > 0
    # Keras keeps a share z of the state where the paper renews u = 1 - z: s(-x) = 1 - s(x).
    units = seen.config.embedding_dim
    sign = np.repeat([-1, 1], [units, 2 * units])
    cell = seen.of("interests/gru_cell")
    bias, recurrent_bias = sign * cell["bias"]
    weights = {
        "kernel": sign * cell["kernel"],
        "recurrent": sign * cell["recurrent_kernel"],
        "bias": bias + np.where(np.arange(3 * units) < 2 * units, recurrent_bias, 0),
    }
    interests = gru(liked, known, weights, inner_bias=recurrent_bias[2 * units :])
    rates = attention(candidate, interests, known, seen.of("attention"), normalised=True)
    evolved = gru(interests, known, seen.of("evolution"), rates)[:, -1]
    return from_interest(seen, evolved)


def dcn_v2(seen: Inputs):
    x0 = x = seen.concatenated()
    for depth in range(1, seen.config.n_crosses + 1):
        x = x0 * seen.dense(f"cross_{depth}", x) + x
    return seen.dense("like", np.hstack([x, seen.hidden(x0)]))


def embedding_mlp(seen: Inputs):
    return seen.dense("like", seen.hidden(seen.concatenated()))


def logits(model: RankingModel, samples, pair_rows=None) -> np.ndarray:
    """Return the log odds of a like for each sample: float64, (n,)."""
    return globals()[model.kind](Inputs(model, samples, pair_rows)).reshape(-1)
