"""The compiled trainer: planted neighbours, gensim as a peer, exact updates, side information."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from planted import SMALL, planted_sequences

from recsys_lib.embeddings import Item2vecConfig, train_item2vec, train_item2vec_numba
from recsys_lib.embeddings import item2vec_numba as module
from recsys_lib.embeddings._skipgram_loops import train_block
from recsys_lib.embeddings.skipgram import SkipGram, negative_sampling_loss
from recsys_lib.errors import DataError, RecsysError


def side_of(rows):
    return pd.DataFrame(rows, columns=["item_id", "field", "value"])


@pytest.mark.parametrize("workers", [1, 2])
def test_planted_tastes_are_found(workers):
    table = train_item2vec_numba(planted_sequences(), SMALL, 1, workers=workers)
    assert table.item_ids.tolist() == list(range(30))
    for item in table.item_ids:
        nearest, _ = table.nearest(item, 5)
        assert (nearest // 10 == item // 10).all()


def test_it_finds_what_gensim_finds():
    """Six tastes on a ring, each user of two neighbouring ones: cosines agree, taste by taste."""
    rng = np.random.default_rng(0)
    sequences = [rng.permutation(np.r_[0:6, 6:12] + 6 * (user % 6))[:8] % 36 for user in range(600)]
    cosines = []
    for table in (
        train_item2vec(sequences, dataclasses.replace(SMALL, embedding_dim=16), 1),
        train_item2vec_numba(sequences, dataclasses.replace(SMALL, embedding_dim=16), 1, workers=1),
    ):
        taste = table.normalized().vectors.reshape(6, 6, -1).mean(axis=1)
        cosines.append((taste @ taste.T)[np.triu_indices(6)])
    assert np.ptp(cosines[0]) > 0.5
    np.testing.assert_allclose(cosines[1], cosines[0], atol=0.1)


def block(sequence, terms, vectors, contexts, attention, negatives, step):
    """Run the compiled loop once over a sequence; all negatives are item ``negatives[0]``."""
    noise = np.full(2**4, negatives[0], np.int32)
    train_block(
        np.array(sequence, np.int32), np.array([0, len(sequence)]), terms.slots, terms.rows,
        terms.row_of, attention, vectors, contexts, noise, np.ones(len(contexts), np.float32),
        1, len(negatives), step, 0, 10**9, np.uint64(1),
    )  # fmt: skip


@pytest.mark.parametrize("negative", [3, 2])
def test_one_step_is_the_gradient_of_the_hand_written_network(negative):
    """Contexts 1 and 2 of centre 0 share a negative; 2 is no negative of itself."""
    rng = np.random.default_rng(0)
    start = SkipGram(rng.normal(size=(4, 3)), rng.normal(size=(4, 3)))
    vectors, contexts = start.vectors.astype(np.float32), start.contexts.astype(np.float32)
    terms = module._Terms.of(np.arange(4), None)
    step = 1e-3
    block([1, 0, 2], terms, vectors, contexts, np.zeros(4, np.float32), [negative], step)
    expected_vectors, expected_contexts = 0, 0
    for pair in ([1, 0], [0, 1], [0, 2], [2, 0]):
        negatives_of_pair = [negative] if negative != pair[1] else []
        negatives = np.array([negatives_of_pair], np.int64)
        _, gradient = negative_sampling_loss(start, np.array([pair]), negatives)
        expected_vectors = expected_vectors + gradient.vectors
        expected_contexts = expected_contexts + gradient.contexts
    # Questions one after the other differ from all at once by a term in step squared.
    np.testing.assert_allclose((start.vectors - vectors) / step, expected_vectors, atol=0.02)
    np.testing.assert_allclose((start.contexts - contexts) / step, expected_contexts, atol=0.02)
    assert np.abs(expected_vectors).max() > 0.1


SIDE = side_of(
    [(0, "genre", "x"), (0, "genre", "y"), (1, "genre", "x"), (0, "director", "d"),
     (9, "genre", "y"), (9, "director", "d")]
)  # fmt: skip


def test_vectors_are_composed_as_eges_says():
    terms = module._Terms.of(np.arange(3), SIDE)  # 9 is in no sequence
    assert terms.item_ids.tolist() == [0, 1, 2, 9]
    # rows: items 0, 1, 2; then director d, genre x, genre y
    vectors = np.array([[1, 0], [2, 0], [3, 0], [0, 10], [0, 20], [0, 40]], np.float32)
    attention = np.zeros(len(terms.rows) - 1, np.float32)
    attention[0] = np.log(2)  # of item 0's own vector: weights 2, 1, 1
    expected = [[0.5, 0.25 * 10 + 0.25 * 30], [1, 10], [3, 0], [0, 0.5 * 10 + 0.5 * 40]]
    np.testing.assert_allclose(terms.compose(vectors, attention), expected, rtol=1e-6)


def test_gradients_with_side_information_agree_with_finite_differences():
    rng = np.random.default_rng(1)
    terms = module._Terms.of(np.arange(3), SIDE)
    values = {
        "vectors": rng.normal(size=(6, 2)).astype(np.float32),
        "attention": rng.normal(size=len(terms.rows) - 1).astype(np.float32) * 0.5,
    }
    contexts = rng.normal(size=(3, 2)).astype(np.float32)

    def loss(values):
        composed = terms.compose(values["vectors"], values["attention"]).astype(np.float64)
        model = SkipGram(composed[:3], contexts.astype(np.float64))
        pairs, negatives = np.array([[0, 1], [1, 0]]), np.array([[2], [2]])
        return 2 * negative_sampling_loss(model, pairs, negatives)[0]

    step = 1e-3
    moved = {name: value.copy() for name, value in values.items()}
    block([0, 1], terms, moved["vectors"], contexts.copy(), moved["attention"], [2], step)
    for name in values:
        for place in np.ndindex(values[name].shape):
            ends = []
            for sign in (1, -1):
                changed = {key: value.astype(np.float64) for key, value in values.items()}
                changed[name][place] += sign * 1e-3
                ends.append(loss(changed))
            expected = (ends[0] - ends[1]) / 2e-3
            found = (values[name][place] - moved[name][place]) / step
            assert found == pytest.approx(expected, abs=0.02), (name, place)


def test_a_film_nobody_saw_lies_with_its_director():
    sequences = planted_sequences()
    side = side_of([(item, "director", f"d{item // 10}") for item in range(30)])
    side = pd.concat([side, side_of([(99, "director", "d1")])])
    table = train_item2vec_numba(
        sequences, dataclasses.replace(SMALL, learning_rate=0.1), 1, side=side
    )
    assert (table.nearest(99, 5)[0] // 10 == 1).all()


def test_one_worker_repeats_itself():
    config = dataclasses.replace(SMALL, epochs=2)
    side = side_of([(item, "genre", str(item % 3)) for item in range(30)])
    once, again, other = (
        train_item2vec_numba(planted_sequences(), config, seed, side=side, workers=1).vectors
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)


def test_streamed_blocks_hold_the_same_tokens(monkeypatch):
    sequences = [np.array(s) for s in ([5, 7, 5], [7], [], [9, 5], [8, 9, 7, 5])]
    whole = list(module._blocks(sequences, np.array([5, 7, 9])))
    assert [[part.tolist() for part in one] for one in whole] == [
        [[0, 1, 0, 2, 0, 2, 1, 0], [0, 3, 5, 8]]
    ]
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 4)
    tokens, offsets = zip(*module._blocks(sequences, np.array([5, 7, 9])), strict=True)
    assert np.concatenate(tokens).tolist() == whole[0][0].tolist()
    assert [o.tolist() for o in offsets] == [[0, 3, 5], [0, 3]]
    assert module._vocabulary(sequences, 2)[0].tolist() == [5, 7, 9]
    assert module._vocabulary(sequences, 2)[1].tolist() == [4, 2, 2]


def test_negatives_and_thinning_follow_word2vecs_formulas():
    counts = np.array([16, 1, 0, 81])
    drawn = np.bincount(module._noise(counts, 0.75), minlength=4)
    np.testing.assert_allclose(drawn / drawn.sum(), np.array([8, 1, 0, 27]) / 36, atol=1e-4)
    keep = module._keep(np.array([10, 9_990]), 1e-2)
    np.testing.assert_allclose(keep, [1, (np.sqrt(99.9) + 1) / 99.9], rtol=1e-6)


@pytest.mark.parametrize(
    ("sequences", "config", "workers", "error", "message"),
    [
        ([], SMALL, 1, DataError, "two or more"),
        ([np.array([1])], SMALL, 1, DataError, "two or more"),
        ([np.array([1, 2])], dataclasses.replace(SMALL, min_count=2), 1, DataError, "2 times"),
        (iter([[1, 2]]), SMALL, 1, RecsysError, "more than once"),
        ([[1, 2]], dataclasses.replace(SMALL, negatives=0), 1, RecsysError, "negatives"),
        ([[1, 2]], SMALL, 0, RecsysError, "workers"),
    ],
)
def test_what_cannot_be_trained_is_named(sequences, config, workers, error, message):
    with pytest.raises(error, match=message):
        train_item2vec_numba(sequences, config, 0, workers=workers)


def test_thinning_out_everything_is_no_crash():
    config = Item2vecConfig(embedding_dim=4, epochs=1, downsample_above=1e-9)
    assert len(train_item2vec_numba([np.array([1, 2])], config, 0)) == 2
