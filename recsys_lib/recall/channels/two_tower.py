"""The two-tower model (双塔模型): a network for users, one for items, their vectors multiplied."""

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.factor_model import FactorModel
from recsys_lib.recall.histories import Histories
from recsys_lib.schema import ITEM, LIKE_THRESHOLD, USER
from recsys_lib.seeding import DEFAULT_SEED, generator


class TwoTower(FactorModel):
    """Vectors of length 1 for users and items, trained so that a user lies near the next like.

    The user tower reads the user's last ``n_recent`` likes (the mean of their embeddings) and
    the user's id, the item tower the item's id; each ends in a dense layer and unit length. The
    loss is the softmax of the next like against the other items of the batch, each corrected by
    the log of its chance per draw, the chance that one place of the batch holds it (Yi et al.:
    Sampling-bias-corrected neural modeling for large corpus item recommendations, 2019). Yi et al.
    estimate that chance from a stream; here it is the item's share of all likes.

    Without TensorFlow, which only :meth:`fit` needs, the user tower is computed in numpy.

    Parameters
    ----------
    embedding_dim : int
    n_recent : int
        Likes before the next one that the user tower reads.
    epochs : int
        Passes over the likes.
    batch_size : int
    learning_rate : float
        Of Adam.
    temperature : float
        Divides the cosines before the softmax.
    correct_sampling : bool
        Whether the log of an item's chance is taken off; without it popular items, which are
        negatives more often, are pushed away.
    min_rating : float, optional
        Stars from which an interaction is a like; None takes every interaction.
    seed : int

    Attributes
    ----------
    losses_ : list of float
        Mean loss of each epoch.
    user_table_ : float32 array, shape (n_users + 1, embedding_dim)
        Embeddings of the users' ids. Users without a like, and in the last row those that are
        new, have the mean of all others.
    liked_table_ : float32 array, shape (n_items + 1, embedding_dim)
        Embeddings of liked items; the first row stands for no item.
    kernel_, bias_ : float32 arrays, shapes (embedding_dim, embedding_dim) and (embedding_dim,)
        The dense layer of the user tower.
    """

    name = "two_tower"

    def __init__(
        self,
        *,
        embedding_dim: int = 32,
        n_recent: int = 10,
        epochs: int = 8,
        batch_size: int = 1024,
        learning_rate: float = 0.005,
        temperature: float = 0.2,
        correct_sampling: bool = True,
        min_rating: float | None = LIKE_THRESHOLD,
        seed: int = DEFAULT_SEED,
    ):
        self.embedding_dim = embedding_dim
        self.n_recent = n_recent
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.temperature = temperature
        self.correct_sampling = correct_sampling
        self.min_rating = min_rating
        self.seed = seed

    def _fit(self, seen: Histories) -> None:
        for name in ("embedding_dim", "n_recent", "epochs", "batch_size", "temperature"):
            if not getattr(self, name) > 0:
                raise RecsysError(f"{name} must be positive, not {getattr(self, name)}.")
        user, item, matrix = *self._likes(seen), seen.matrix
        dim = self.embedding_dim
        self.item_vectors_ = np.zeros((matrix.n_items, dim), np.float32)
        self.user_table_ = np.zeros((matrix.n_users + 1, dim), np.float32)
        self.liked_table_ = np.zeros((matrix.n_items + 1, dim), np.float32)
        self.kernel_, self.bias_ = np.zeros((dim, dim), np.float32), np.zeros(dim, np.float32)
        self.losses_ = []
        if not len(item):
            return
        before = recent_likes(user, item, matrix.n_users, self.n_recent)[0]
        users, items = self._towers(matrix.n_users, matrix.n_items)
        self._train(users, items, (user, before, item))
        known_items, known_users = np.unique(item), np.unique(user)
        self.item_vectors_[known_items] = items.predict_on_batch(known_items)
        ids = users.get_layer("user").get_weights()[0][known_users]
        self.user_table_[:] = ids.mean(axis=0)
        self.user_table_[known_users] = ids
        self.liked_table_ = users.get_layer("liked").get_weights()[0]
        self.kernel_, self.bias_ = users.get_layer("dense").get_weights()

    def _likes(self, of: Histories) -> tuple[np.ndarray, np.ndarray]:
        """Return row and column of each like, sorted by user, then time."""
        likes = of.likes_in_time(self.min_rating)
        return of.matrix.users_of(likes[USER]), of.matrix.items_of(likes[ITEM])

    def _represent(self, given: Histories) -> np.ndarray:
        user, item, matrix = *self._likes(given), given.matrix
        latest = recent_likes(user, item, matrix.n_users, self.n_recent)[1]  # (n_users, n_recent)
        # The user tower again, in numpy: what Keras computes in training.
        n_recent = np.maximum((latest > 0).sum(axis=1, keepdims=True), 1).astype(np.float32)
        read = (self.liked_table_[latest] * (latest > 0)[:, :, None]).sum(axis=1) / n_recent
        # A new user's place is -1, which is the last row.
        who = self.user_table_[self.matrix_.users_of(matrix.user_ids)]  # (n_users, embedding_dim)
        vectors = (read + who) @ self.kernel_ + self.bias_  # (n_users, embedding_dim)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        known = latest.any(axis=1, keepdims=True)
        return np.where(known, vectors / np.where(length > 0, length, 1), 0).astype(np.float32)

    def _towers(self, n_users: int, n_items: int):
        """Return both towers as Keras models; index 0 of an embedding is padding."""
        from recsys_lib.keras_backend import load_keras, seed_everything

        keras = load_keras()
        seed_everything(self.seed)
        layers, dim = keras.layers, self.embedding_dim
        user = keras.Input((), dtype="int32")
        recent = keras.Input((self.n_recent,), dtype="int32")
        read = layers.Embedding(n_items + 1, dim, name="liked")(recent)  # (n, n_recent, dim)
        there = keras.ops.cast(recent > 0, "float32")[:, :, None]  # (n, n_recent, 1)
        # A first like has nothing before it: the mean of none is a vector of zeros.
        read = keras.ops.sum(read * there, 1) / keras.ops.maximum(keras.ops.sum(there, 1), 1.0)
        who = layers.Embedding(n_users, dim, name="user")(user)  # (n, dim)
        mixed = layers.Dense(dim, name="dense")(read + who)
        users = keras.Model([user, recent], layers.UnitNormalization()(mixed))
        item = keras.Input((), dtype="int32")
        what = layers.Dense(dim)(layers.Embedding(n_items, dim)(item))  # (n, dim)
        return users, keras.Model(item, layers.UnitNormalization()(what))

    def _train(self, users, items, likes: tuple[np.ndarray, ...]) -> None:
        """Fit both towers; ``likes`` are user (n,), recent likes (n, n_recent) and item (n,)."""
        from recsys_lib.keras_backend import load_keras, load_tensorflow

        keras, tf = load_keras(), load_tensorflow()
        # The settings were chosen with Keras' own Adam. It squares the gradients of a row that a
        # batch looks up several times before it adds them up (see recsys_lib.adam), which makes no
        # difference here: recall@100 on the validation part of MovieLens 100K is the same.
        optimizer = keras.optimizers.Adam(self.learning_rate)
        weights = users.trainable_variables + items.trainable_variables
        optimizer.build(weights)
        share = np.bincount(likes[2], minlength=self.item_vectors_.shape[0]) / len(likes[2])
        log_chance = np.log(np.maximum(share, 1e-12)).astype(np.float32)

        ids = tf.TensorSpec((None,), tf.int32)  # of batches of any size: the last one is smaller
        recent_ids = tf.TensorSpec((None, self.n_recent), tf.int32)
        log_chances = tf.TensorSpec((None,), tf.float32)

        @tf.function(autograph=False, input_signature=[ids, recent_ids, ids, log_chances])
        def step(user, recent, item, log_q):
            with tf.GradientTape() as tape:
                near = tf.matmul(users([user, recent]), items(item), transpose_b=True)
                logits = near / self.temperature - log_q  # (batch, batch)
                # The same item elsewhere in the batch is no negative.
                same = item[None, :] == item[:, None]
                same = tf.linalg.set_diag(same, tf.zeros_like(item, tf.bool))
                logits = tf.where(same, -1e9, logits)
                loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
                    tf.range(tf.size(item)), logits
                )
                loss = tf.reduce_mean(loss)
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return loss

        draw = generator(self.seed, "two tower batches")
        for _ in range(self.epochs):
            order = draw.permutation(len(likes[2]))
            losses = []
            for start in range(0, len(order), self.batch_size):
                user, recent, item = (
                    part[order[start : start + self.batch_size]] for part in likes
                )
                log_q = log_chance[item] if self.correct_sampling else np.zeros(len(item), "f4")
                batch = (user.astype("i4"), recent.astype("i4"), item.astype("i4"), log_q)
                losses.append(float(step(*map(tf.constant, batch))))
            self.losses_.append(float(np.mean(losses)))


def recent_likes(
    user: np.ndarray, item: np.ndarray, n_users: int, n_recent: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the likes before each like, and each user's last ones, as the user tower reads them.

    Parameters
    ----------
    user, item : int arrays, shape (n,)
        Likes sorted by user, then time.

    Returns
    -------
    before : int32 array, shape (n, n_recent)
        Item index + 1 of the same user's likes before each row, latest first; 0 pads.
    latest : int32 array, shape (n_users, n_recent)
        The same for each user after the last like.
    """
    back = np.arange(1, n_recent + 1)
    end = np.searchsorted(user, np.arange(n_users), side="right")

    def read(of_user: np.ndarray, until: np.ndarray) -> np.ndarray:
        if not len(user):
            return np.zeros((len(of_user), n_recent), np.int32)
        place = np.maximum(until[:, None] - back, -1)  # (rows, n_recent); -1 before the first
        own = (place >= 0) & (user[place] == of_user[:, None])
        return np.where(own, item[place] + 1, 0).astype(np.int32)

    return read(user, np.arange(len(user))), read(np.arange(n_users), end)
