"""Encoding: learned on training rows alone, defined for whatever may come later."""

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import DataError
from recsys_lib.ranking import FeatureInputs, labels_of


@pytest.fixture
def train() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item_id": [50, 7, 50],
            "item_genre_1": ["War", "Drama", None],
            "item_genre_2": [None, "Action", None],
            "item_rating_mean": [2.0, 4.0, np.nan],
            "release_year": pd.array([1990, 1990, 1990], dtype="Int16"),
            "label": [1, 0, 1],
        }
    )


CATEGORIES = ("item_id", "item_genre_1", "item_genre_2")
NUMBERS = ("item_rating_mean", "release_year")


def fit(train, standardize=True):
    return FeatureInputs.fit(train, CATEGORIES, NUMBERS, standardize)


def test_codes_follow_sorted_values_and_genres_share_a_vocabulary(train):
    inputs = fit(train)
    assert inputs.sizes == (3, 4, 4)  # 7, 50; Action, Drama, War; each with the unknown
    # By hand: 7 -> 1, 50 -> 2; Action 1, Drama 2, War 3; missing 0.
    assert inputs.encode(train).categories.tolist() == [[2, 3, 0], [1, 2, 1], [2, 0, 0]]


def test_unseen_values_are_unknown_not_an_error(train):
    later = train.assign(item_id=[8, 50, 10**12], item_genre_1=["Musical", "War", ""])
    assert fit(train).encode(later).categories[:, :2].tolist() == [[0, 0], [2, 3], [0, 0]]


def test_nullable_ids_are_encoded_like_plain_ones(train):
    nullable = train.assign(item_id=pd.array([50, 7, None], dtype="Int64"))
    assert fit(train).encode(nullable).categories[:, 0].tolist() == [2, 1, 0]
    assert fit(nullable).encode(train).categories[:, 0].tolist() == [2, 1, 2]


def test_numbers_have_mean_0_and_deviation_1_and_a_missing_one_is_the_mean(train):
    numbers = fit(train).encode(train).numbers
    # Mean 3, deviation 1 of the two known; the constant year is shifted, not divided.
    assert numbers.tolist() == [[-1, 0], [1, 0], [0, 0]]


def test_raw_numbers_stay_as_they_are(train):
    numbers = fit(train, standardize=False).encode(train).numbers
    assert numbers.tolist() == [[2, 1990], [4, 1990], [3, 1990]]


def test_later_rows_do_not_move_what_was_learned(train):
    inputs = fit(train)
    once = inputs.encode(train)
    inputs.encode(train.assign(item_rating_mean=1_000.0))
    assert np.array_equal(inputs.encode(train).numbers, once.numbers)


def test_an_all_missing_number_is_harmless(train):
    empty = train.assign(item_rating_mean=np.nan)
    assert np.isfinite(fit(empty).encode(empty).numbers).all()


def test_a_frame_without_rows_is_encoded_to_arrays_without_rows(train):
    encoded = fit(train).encode(train.iloc[:0])
    assert encoded.categories.shape == (0, 3)
    assert encoded.numbers.shape == (0, 2)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda f: f.drop(columns="item_genre_2"), "lack the columns item_genre_2"),
        (lambda f: f.assign(item_rating_mean=np.inf), "item_rating_mean holds infinite"),
    ],
)
def test_broken_samples_are_named(train, broken, says):
    with pytest.raises(DataError, match=says):
        fit(train).encode(broken(train))


def test_no_rows_to_learn_from(train):
    with pytest.raises(DataError, match="no training sample"):
        fit(train.iloc[:0])


def test_a_misspelt_category_names_the_right_one(train):
    with pytest.raises(DataError, match="item_genre_1"):
        FeatureInputs.fit(train, ["item_gener_1"], [], True)


@pytest.mark.parametrize(
    ("labels", "says"),
    [([1, 1, 1], "same label, 1"), ([0, 1, 2], "0 or 1"), ([0, 1, None], "0 or 1")],
)
def test_labels_that_teach_nothing_are_refused(train, labels, says):
    with pytest.raises(DataError, match=says):
        labels_of(train.assign(label=labels))


def test_an_empty_part_has_no_labels(train):
    with pytest.raises(DataError, match="All 0 samples"):
        labels_of(train.iloc[:0])
