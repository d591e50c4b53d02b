"""Vectors from elsewhere: where they end up, that frozen ones stay, what does not fit."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from recsys_lib.errors import DataError
from recsys_lib.ranking import train_model
from recsys_lib.seeding import generator


@pytest.fixture(scope="module")
def vectors(samples) -> SimpleNamespace:
    ids = np.append(np.unique(samples["item_id"])[::2], 10**9)  # half of them, and one unknown
    drawn = generator(5, "vectors").normal(size=(len(ids), 4)).astype(np.float32)
    return SimpleNamespace(item_ids=ids, vectors=drawn)


@pytest.fixture(scope="module")
def frozen(samples, small_config, vectors):
    config = replace(small_config, frozen=("item_id",))
    return train_model("embedding_mlp", samples, None, config, 1, pretrained={"item_id": vectors})


def item_rows(model) -> np.ndarray:
    """Return the vectors of the known items, in order of id."""
    size = len(model.inputs.vocabularies["item_id"])
    (start,) = [f.table for f in model.inputs.fields if f.name == "item_id"]
    return model.weights["embeddings/table"][start + 1 : start + 1 + size]


def test_frozen_vectors_are_the_given_ones_on_another_scale(frozen, vectors):
    given = np.isin(frozen.inputs.vocabularies["item_id"], vectors.item_ids)
    rows = item_rows(frozen)[given]
    ratio = rows / vectors.vectors[:-1]
    assert ratio == pytest.approx(np.full_like(ratio, ratio[0, 0]), rel=1e-4)
    assert given.sum() == len(vectors.item_ids) - 1


def test_without_freezing_they_are_trained_further(frozen, model, samples, small_config, vectors):
    given = {"item_id": vectors}
    moved = train_model("embedding_mlp", samples, config=small_config, seed=1, pretrained=given)
    apart = np.abs(item_rows(frozen) - item_rows(moved)).max(axis=1)
    assert (apart > 1e-4).all()
    # After a few steps they are still nearer to the given ones than a random start is (``model``
    # has the same settings and seed, and no given vectors).
    given_rows = np.isin(frozen.inputs.vocabularies["item_id"], vectors.item_ids)
    far = np.abs(item_rows(frozen) - item_rows(model)).max(axis=1)
    assert apart[given_rows].mean() < 0.5 * far[given_rows].mean()


def test_vectors_that_do_not_fit_are_refused(samples, small_config, vectors):
    short = SimpleNamespace(item_ids=vectors.item_ids, vectors=vectors.vectors[:, :3])
    for pretrained in ({"item_id": short}, {"release_year": vectors}):
        with pytest.raises(DataError, match="embedding_dim 4"):
            train_model("fm", samples, config=small_config, pretrained=pretrained)
