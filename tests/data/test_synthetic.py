"""Synthetic data: reproducible, MovieLens-like in its shape, with groups that can be found."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import adjusted_rand_score

from recsys_lib.data.integrity import problems
from recsys_lib.data.synthetic import SyntheticConfig, synthesise
from recsys_lib.errors import DataError

CONFIG = SyntheticConfig(n_users=600, n_items=400, n_interactions=40_000, n_groups=4, seed=7)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_DATA_DIR", str(tmp_path_factory.mktemp("made")))
        return synthesise("made", CONFIG)


def test_sizes_and_soundness(made):
    rows = made.interactions
    assert len(rows) == CONFIG.n_interactions
    assert rows["user_id"].nunique() == CONFIG.n_users
    assert rows["user_id"].value_counts().min() >= 20
    assert not rows.duplicated(["user_id", "item_id"]).any()
    assert rows["rating"].between(0.5, 5).all()
    assert (rows["rating"] * 2 % 1 == 0).all()
    assert problems(made) == []


def test_same_seed_same_data_another_seed_another(made):
    assert synthesise("again", CONFIG).fingerprint == made.fingerprint
    other = SyntheticConfig(**(vars(CONFIG) | {"seed": 8}))
    assert synthesise("other", other).fingerprint != made.fingerprint


def test_shape_is_that_of_movielens(made):
    rows = made.interactions
    top = rows["item_id"].value_counts()
    # A sixth of all pairs is rated here, which caps the head; still twice its even share.
    assert top.iloc[: len(top) // 10].sum() / len(rows) > 0.2
    activity = rows["user_id"].value_counts()
    assert activity.mean() > 1.2 * activity.median()
    ties = rows.duplicated(["user_id", "timestamp"], keep=False).mean()
    assert ties > 0.4  # bursts: several ratings in one moment
    whole_only = rows.groupby("user_id")["rating"].apply(lambda stars: (stars % 1 == 0).all())
    assert 0.3 < whole_only.mean() < 0.7


def test_planted_groups_can_be_recovered(made):
    rows = made.interactions
    planted = pd.read_parquet(made.path / "planted.parquet")
    truth = planted[planted["kind"] == "item"].set_index("id")["group"]
    places = (rows["user_id"] - 1, rows["item_id"] - 1)
    counts = csr_matrix((np.ones(len(rows)), places)).toarray()
    # What is left of the counts after activity and popularity is taste.
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    taste = (counts - expected) / np.sqrt(np.maximum(expected, 1e-9))
    vectors = TruncatedSVD(CONFIG.n_groups - 1, random_state=0).fit_transform(taste.T)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = KMeans(CONFIG.n_groups, n_init=5, random_state=0).fit_predict(vectors)
    assert adjusted_rand_score(truth.to_numpy(), found) > 0.8
    group_of = planted.set_index(["kind", "id"])["group"]
    own = group_of["user"].loc[rows["user_id"]].to_numpy() == truth.loc[rows["item_id"]].to_numpy()
    assert own.mean() > 0.5
    assert rows["rating"][own].mean() - rows["rating"][~own].mean() > 0.5


def test_first_genre_is_the_groups(made):
    planted = pd.read_parquet(made.path / "planted.parquet")
    groups = planted[planted["kind"] == "item"]["group"].to_numpy()
    first = made.items["genres"].str[0]
    assert first.groupby(groups).nunique().eq(1).all()


def test_blocks_do_not_lose_users(monkeypatch):
    monkeypatch.setattr("recsys_lib.data.synthetic.BLOCK_ROWS", 3_000)
    rows = synthesise("blocks", CONFIG).interactions
    assert (len(rows), rows["user_id"].nunique()) == (CONFIG.n_interactions, CONFIG.n_users)


def test_insatiable_users_are_served():
    config = SyntheticConfig(n_users=10, n_items=100, n_interactions=500)
    assert synthesise("full", config).interactions["user_id"].value_counts().eq(50).all()


def test_size_of_the_sorted_slices_does_not_matter(made, monkeypatch):
    monkeypatch.setattr("recsys_lib.data.sorted_rows.BATCH_ROWS", 2_000)
    assert synthesise("slices", CONFIG).fingerprint == made.fingerprint


def test_without_affinity_own_items_are_taken_by_chance():
    config = SyntheticConfig(**(vars(CONFIG) | {"affinity": 0.0}))
    dataset = synthesise("chance", config)
    group_of = pd.read_parquet(dataset.path / "planted.parquet").set_index(["kind", "id"])["group"]
    rows = dataset.interactions
    own = group_of["user"].loc[rows["user_id"]].array == group_of["item"].loc[rows["item_id"]].array
    assert own.mean() == pytest.approx(1 / CONFIG.n_groups, abs=0.03)


@pytest.mark.parametrize(
    ("field", "value"),
    [("n_users", 0), ("n_items", -3), ("affinity", 1.5), ("burst_share", -0.1), ("years", 0.0)],
)
def test_impossible_values_are_named(field, value):
    with pytest.raises(DataError, match=f"{field} must .*, not {value}"):
        SyntheticConfig(**{field: value})


def test_impossible_sizes_are_refused():
    with pytest.raises(DataError, match="can have 200 to 500"):
        SyntheticConfig(n_users=10, n_items=100, n_interactions=501)
    with pytest.raises(DataError, match="3 items are too few"):
        SyntheticConfig(n_users=10, n_items=3, n_interactions=501)
    with pytest.raises(DataError, match="published"):
        synthesise("ml-1m", CONFIG)
