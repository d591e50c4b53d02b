"""The hand-written skip-gram: gradients by finite differences, neighbours beside gensim's."""

import numpy as np
import pytest

from recsys_lib.embeddings.item2vec import Item2vecConfig, train_item2vec
from recsys_lib.embeddings.skipgram import (
    SkipGram,
    context_pairs,
    negative_sampling_loss,
    noise_distribution,
    softmax_loss,
    train_skipgram,
)
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import RecsysError

# Two circles of taste that never meet: 0..3 and 4..7.
TWO_TASTES = [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [4, 5, 6, 7], [6, 4, 7, 5], [7, 6, 5, 4]]


def numerical_gradient(loss, model, name, step=1e-6):
    gradient = np.empty_like(getattr(model, name))
    for place in np.ndindex(gradient.shape):
        values = []
        for sign in (1, -1):
            parts = {"vectors": model.vectors.copy(), "contexts": model.contexts.copy()}
            parts[name][place] += sign * step
            values.append(loss(SkipGram(**parts))[0])
        gradient[place] = (values[0] - values[1]) / (2 * step)
    return gradient


@pytest.fixture
def model():
    rng = np.random.default_rng(0)
    return SkipGram(rng.normal(size=(5, 3)), rng.normal(size=(5, 3)))


PAIRS = np.array([[0, 1], [0, 1], [0, 2], [3, 4], [4, 4]])  # a repeat, and an item with itself
NEGATIVES = np.array([[2, 2], [3, 1], [4, 4], [0, 1], [3, 2]])  # a repeat, and a true context


@pytest.mark.parametrize("name", ["vectors", "contexts"])
@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(lambda model: softmax_loss(model, PAIRS), id="softmax"),
        pytest.param(lambda model: negative_sampling_loss(model, PAIRS, NEGATIVES), id="negative"),
    ],
)
def test_gradients_agree_with_finite_differences(model, loss, name):
    expected = numerical_gradient(loss, model, name)
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(getattr(loss(model)[1], name), expected, atol=1e-8)


def test_losses_of_an_untrained_network_are_those_of_guessing():
    model = SkipGram.initial(n_items=5, embedding_dim=3, seed=0)  # contexts are zero
    assert softmax_loss(model, PAIRS)[0] == pytest.approx(np.log(5))
    assert negative_sampling_loss(model, PAIRS, NEGATIVES)[0] == pytest.approx(3 * np.log(2))


def test_softmax_loss_stays_finite_at_large_weights(model):
    large = SkipGram(model.vectors * 1e3, model.contexts * 1e3)
    loss, gradient = softmax_loss(large, PAIRS)
    assert np.isfinite(loss)
    assert np.isfinite(gradient.vectors).all()


def test_context_pairs_by_hand():
    pairs = context_pairs([[7, 8, 9], [5]], window=1)
    assert pairs.tolist() == [[7, 8], [8, 7], [8, 9], [9, 8]]
    assert len(context_pairs([[7, 8, 9]], window=5)) == 6


@pytest.mark.parametrize(("sequences", "window"), [([[1], []], 2), ([[1, 2]], 0)])
def test_no_pair_is_an_error(sequences, window):
    with pytest.raises(RecsysError):
        context_pairs(sequences, window)


def test_noise_is_count_to_three_quarters():
    noise = noise_distribution([[0] * 16, [1]], n_items=3)
    assert noise.tolist() == pytest.approx([8 / 9, 1 / 9, 0])


@pytest.mark.parametrize("n_negatives", [0, 5])
def test_it_finds_the_two_tastes_and_gensim_finds_the_same(n_negatives):
    model, losses = train_skipgram(
        TWO_TASTES, 8, embedding_dim=2, n_negatives=n_negatives, steps=300, seed=3
    )
    assert losses[-20:].mean() < 0.8 * losses[0]
    config = Item2vecConfig(embedding_dim=8, window=2, epochs=200, downsample_above=0.0)
    library = train_item2vec([np.array(s) for s in TWO_TASTES], config, seed=3)
    by_hand = EmbeddingTable(np.arange(8), model.vectors)
    for item in range(8):
        taste = {i for i in range(8) if (i < 4) == (item < 4)} - {item}
        assert set(by_hand.nearest(item, 3)[0]) == taste
        assert set(library.nearest(item, 3)[0]) == taste


def test_the_seed_decides():
    settings = {"steps": 5, "n_negatives": 2}
    once, again, other = (
        train_skipgram(TWO_TASTES, 8, seed=seed, **settings)[0].vectors for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)
