"""Keras layers that read the user's history. Importing this module imports TensorFlow."""

from recsys_lib.keras_backend import load_keras

keras = load_keras()
ops = keras.ops


class TargetAttention(keras.layers.Layer):
    """How much each liked item matters for the candidate (Zhou et al.: DIN, 2018).

    A small network reads the liked item, the candidate, their difference and their product, and
    gives one weight. A missing item gets the weight 0.

    Parameters
    ----------
    units : int
        Width of the small network's hidden layer.
    normalised : bool
        False as in DIN: the weights are unrestricted, and their sum expresses how strong the
        interest is. True as in DIEN: the weights are a softmax over the history.
    """

    def __init__(self, units: int, normalised: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True  # the mask arrives as the input ``known``
        self.units, self.normalised = units, normalised

    def build(self, candidate_shape, history_shape, known_shape):
        dim = history_shape[-1]
        self.inner = keras.layers.Dense(self.units, activation="relu", name="inner")
        self.outer = keras.layers.Dense(1, name="outer")
        self.inner.build((None, None, 4 * dim))
        self.outer.build((None, None, self.units))

    def call(self, candidate, history, known):  # (n, dim), (n, length, dim), (n, length) bool
        query = ops.broadcast_to(candidate[:, None], ops.shape(history))
        pairs = ops.concatenate([history, query, query - history, query * history], axis=-1)
        weight = self.outer(self.inner(pairs))[:, :, 0]  # (n, length)
        mask = ops.cast(known, weight.dtype)
        if not self.normalised:
            return weight * mask
        # Before the softmax a missing item gets a low weight. With 0 it could outweigh the others.
        return ops.softmax(ops.where(known, weight, -1e9), axis=1) * mask


class AUGRU(keras.layers.Layer):
    """A GRU whose update gate is scaled by attention (Zhou et al.: DIEN, 2019).

    The state is ``h_t = (1 - a_t u_t) h_(t-1) + a_t u_t c_t``, so an item of no interest leaves it
    unchanged, and so does a missing item. As in the paper, and as in the GRU of Keras that makes
    the interests, the reset gate acts on the product of the recurrent weights and the state. The
    layer returns the last state.

    Parameters
    ----------
    units : int
        Length of the state.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True  # the mask arrives as the input ``known``
        self.units = units

    def build(self, sequence_shape, attention_shape, known_shape):
        dim = sequence_shape[-1]
        # Gates in the order update, reset, candidate.
        self.kernel = self.add_weight(name="kernel", shape=(dim, 3 * self.units))
        self.recurrent = self.add_weight(
            name="recurrent", shape=(self.units, 3 * self.units), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(3 * self.units,), initializer="zeros")

    def call(self, sequence, attention, known):  # (n, length, dim), (n, length), (n, length) bool
        inputs = ops.matmul(sequence, self.kernel) + self.bias  # (n, length, 3 units)
        rates = (attention * ops.cast(known, attention.dtype))[:, :, None]
        k = self.units

        def step(state, at):  # (n, units); (n, 3 units) and (n, 1)
            (x, rate), h = at, ops.matmul(state, self.recurrent)
            gates = ops.sigmoid(x[:, : 2 * k] + h[:, : 2 * k])
            update, reset = ops.split(gates, 2, axis=1)
            candidate = ops.tanh(x[:, 2 * k :] + reset * h[:, 2 * k :])
            state = (1 - rate * update) * state + rate * update * candidate
            return state, state

        in_time = [ops.swapaxes(each, 0, 1) for each in (inputs, rates)]
        # A loop, because 50 steps in a row take long to compile. It collects all states besides.
        state, _ = ops.scan(step, ops.zeros_like(inputs[:, 0, :k]), tuple(in_time))
        return state


class NextItemLoss(keras.layers.Layer):
    """DIEN's auxiliary loss: an interest should tell the next liked item from a random one.

    The layer hands on its first input. In training it adds to the loss ``weight`` times the mean
    of ``-log s(h_t . e_(t+1)) - log(1 - s(h_t . n_(t+1)))`` over the steps that have a next item,
    where s is the logistic function and n the item that another sample of the batch liked at that
    place.

    Parameters
    ----------
    weight : float
    """

    def __init__(self, weight: float, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True  # the mask arrives as the input ``known``
        self.weight = weight

    # (n, length, dim), (n, length, dim), (n, length) bool
    def call(self, interests, sequence, known, training=False):
        if training:
            pairs = ops.logical_and(known[:, :-1], known[:, 1:])
            states, following = interests[:, :-1], sequence[:, 1:]
            others, others_known = ops.roll(following, 1, axis=0), ops.roll(known[:, 1:], 1, axis=0)
            loss = _mean_where(ops.softplus(-ops.sum(states * following, axis=-1)), pairs)
            both = ops.logical_and(pairs, others_known)
            loss += _mean_where(ops.softplus(ops.sum(states * others, axis=-1)), both)
            self.add_loss(self.weight * loss)
        return interests


def _mean_where(values, chosen):
    chosen = ops.cast(chosen, values.dtype)
    return ops.sum(values * chosen) / ops.maximum(ops.sum(chosen), 1.0)
