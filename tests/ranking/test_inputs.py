"""Encoding: learned on training rows alone, defined for whatever may come later."""

import uuid
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from family import *  # noqa: F403
from family import untrained
from made_samples import make_samples
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from recsys_lib.errors import DataError
from recsys_lib.ranking import CATEGORIES as NOTES_CATEGORIES
from recsys_lib.ranking import HISTORY, FeatureInputs, labels_of
from recsys_lib.ranking import NUMBERS as NOTES_NUMBERS
from recsys_lib.ranking.columns import pack, unpack
from recsys_lib.ranking.inputs import LONGEST_BAG
from recsys_lib.seeding import generator


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


@pytest.mark.parametrize("dtype", ["Int64", "Int32", pd.ArrowDtype(pa.int64())])
def test_a_missing_id_is_unknown_and_not_the_id_0(train, dtype):
    inputs = FeatureInputs.fit(train.assign(item_id=[0, 7, 9]), ("item_id",), (), False)
    asked = pd.DataFrame({"item_id": pd.array([None, 0, 9, 8], dtype=dtype)})
    assert inputs.encode(asked).categories[:, 0].tolist() == [0, 1, 3, 0]


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


# --- Types ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([50, 7, None], dtype=object),
        pd.Series([50, 7, None], dtype="category"),
        pd.Series([50.0, 7.0, np.nan]),
        pd.Series([True, False, None], dtype=object),
        pd.Series([True, False, None], dtype="boolean"),
        pd.Series(["b", "a", None], dtype="category"),
        pd.Series(["b", "a", None], dtype="string[pyarrow]"),
    ],
    ids=lambda values: f"{values.dtype}-{values[0]}",
)
def test_whatever_type_holds_them_known_values_are_known(train, values):
    assert fit(train.assign(item_id=values)).encode(train.assign(item_id=values)).categories[
        :, 0
    ].tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1, "1", 2], "item_id holds int and str"),
        ([0.5, 1.0, 2.0], "item_id holds the number 0.5"),
        (pd.to_datetime(["2000-01-01"] * 3), "item_id holds Timestamp"),
    ],
)
def test_what_is_no_category_is_refused(train, values, says):
    with pytest.raises(DataError, match=says):
        fit(train.assign(item_id=values))


# --- Lists and the history --------------------------------------------------------------


def lists(*values) -> pd.DataFrame:
    return pd.DataFrame({"item_id": 7, "item_title_words": pd.Series(values, dtype=object)})


def fit_lists(frame) -> FeatureInputs:
    return FeatureInputs.fit(frame, ["item_id"], [], True, bags=["item_title_words"])


@pytest.mark.parametrize(("a", "b", "c"), ["abc", (10, 20, 30)])
def test_a_list_fills_the_places_of_the_longest_one(a, b, c):
    frame = lists([b, a], None, [], np.array([c, b, a]), [a])
    inputs = fit_lists(frame)
    expected = [[2, 1, 0], [0, 0, 0], [0, 0, 0], [3, 2, 1], [1, 0, 0]]
    assert inputs.encode(frame).categories[:, 1:].tolist() == expected
    # Rows are distinguished by place, not by what their index says.
    again = inputs.encode(frame.set_axis([4] * 5))
    assert again.categories[:, 1:].tolist() == expected
    # Of a later, longer list the first places are read.
    longer = inputs.encode(lists([a, None, b, c, c]))
    assert longer.categories[:, 1:].tolist() == [[1, 0, 2]]


def test_a_very_long_list_is_cut_and_no_list_at_all_has_one_place():
    assert fit_lists(lists(["a"] * 1_000, None)).bags == {"item_title_words": LONGEST_BAG}
    for empty in (lists(None, None), lists([], [])):
        encoded = fit_lists(empty).encode(empty)
        assert encoded.categories[:, 1:].tolist() == [[0], [0]]
    assert fit_lists(lists(["a", "b"])).encode(lists()).categories.shape == (0, 3)


def test_text_where_a_list_should_be_is_refused_not_spelt():
    with pytest.raises(DataError, match="item_title_words should hold lists, but holds 'big sea'"):
        fit_lists(lists(["a"], "big sea"))
    with pytest.raises(DataError, match="should hold lists"):
        fit_lists(lists(["a"])).encode(lists("a"))


def test_liked_items_have_the_codes_and_the_table_of_items(train):
    frame = train.assign(
        user_liked_item_1=pd.array([7, 9, None], dtype="Int64"),  # 9 was never a candidate
        user_liked_item_2=[50.0, np.nan, 7.0],
        item_title_words=[["a"], ["a", "b"], None],
    )
    inputs = FeatureInputs.fit(
        frame,
        ["item_genre_1", "item_id"],
        [],
        True,
        bags=["item_title_words"],
        history=["user_liked_item_1", "user_liked_item_2"],
    )
    # Genre, item, two places of words, two liked items.
    assert inputs.encode(frame).categories.tolist() == [
        [2, 2, 1, 0, 1, 2], [1, 1, 1, 2, 0, 0], [0, 2, 0, 0, 0, 1]
    ]  # fmt: skip
    assert inputs.sizes == (3, 3, 3)
    assert [(f.name, f.codes, f.table) for f in inputs.fields] == [
        ("item_genre_1", slice(0, 1), 0),
        ("item_id", slice(1, 2), 3),
        ("item_title_words", slice(2, 4), 6),
        ("history", slice(4, 6), 3),
    ]
    assert inputs.offsets.tolist() == [0, 3, 6, 6, 3, 3]


# --- Numbers ----------------------------------------------------------------------------


def test_logarithms_are_taken_of_the_named_numbers_only(train):
    frame = train.assign(item_rating_mean=[np.e - 1, 1 - np.e, np.nan])
    inputs = FeatureInputs.fit(
        frame, CATEGORIES, NUMBERS, False, log_numbers=["item_rating_mean", "elsewhere"]
    )
    assert inputs.log_numbers == ("item_rating_mean",)
    assert np.allclose(inputs.encode(frame).numbers, [[1, 1990], [-1, 1990], [0, 1990]])


# --- Whatever the samples ---------------------------------------------------------------


def fit_all(train) -> FeatureInputs:
    return FeatureInputs.fit(
        train,
        NOTES_CATEGORIES,
        NOTES_NUMBERS,
        True,
        bags=["item_title_words"],
        history=HISTORY,
        log_numbers=["item_rating_count"],
    )


@pytest.mark.parametrize("seed", range(5))
def test_parts_teach_what_the_whole_teaches(seed):
    whole, later = make_samples(120, seed), make_samples(50, seed + 100)
    whole.loc[:30, ["item_rating_mean", "item_genre_1", "item_title_words"]] = None
    cuts = np.sort(generator(seed, "cuts").integers(0, 120, 4))
    parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, 120], strict=True)]
    assert parts[0].shape[0] < 120
    once, streamed = fit_all(whole), fit_all(iter(parts))
    assert once.vocabularies.keys() == streamed.vocabularies.keys()
    assert once.bags == streamed.bags
    for one, other in zip(once.encode(later), streamed.encode(later), strict=True):
        assert np.allclose(one, other, rtol=1e-5, atol=1e-5)


def test_a_part_in_which_all_is_missing_spoils_no_numbers():
    parts = [pd.DataFrame({"item_id": [None]}), pd.DataFrame({"item_id": [50, 7]})]
    inputs = FeatureInputs.fit(parts, ["item_id"], [], True)
    assert inputs.encode(parts[1]).categories.tolist() == [[2], [1]]


def test_a_number_and_its_text_are_one_category():
    parts = [pd.DataFrame({"item_id": ["7", "07"]}), pd.DataFrame({"item_id": [50, 7]})]
    inputs = FeatureInputs.fit(parts, ["item_id"], [], True)
    assert inputs.vocabularies["item_id"].tolist() == ["07", "50", "7"]
    assert inputs.encode(parts[0]).categories.tolist() == [[3], [1]]
    assert inputs.encode(parts[1]).categories.tolist() == [[2], [3]]
    later = pd.DataFrame({"item_id": [50.0, None, 8.0]})
    assert inputs.encode(later).categories.tolist() == [[2], [0], [0]]
    with pytest.raises(DataError, match=r"whole numbers, such as 9, where others"):
        inputs.encode(pd.DataFrame({"item_id": [9]}))


@pytest.mark.parametrize("dtype", ["Int64", pd.ArrowDtype(pa.int64())])
def test_large_numbers_beside_a_missing_one_are_kept_apart(dtype):
    frame = pd.DataFrame({"item_id": pd.Series([2**62 + 1, None, 2**62 + 2], dtype=dtype)})
    inputs = FeatureInputs.fit(frame, ["item_id"], [], True)
    assert inputs.vocabularies["item_id"].tolist() == [2**62 + 1, 2**62 + 2]
    assert inputs.encode(frame).categories.tolist() == [[1], [0], [2]]


@pytest.mark.parametrize(
    "ids",
    [
        [2**62 + 1, 2**62 + 2],
        [2**63 + 1, 2**63 + 2],
        [2**70, 2**70 + 1],
        ["a", "a\x00", "a\x00\x00"],
        [b"\x00", b"\x00\x00", b"\xff"],
        [uuid.UUID(int=1), uuid.UUID(int=2)],
        ["7", "07", "007", "电影"],
    ],
)
def test_categories_are_kept_apart_beside_a_missing_one_and_on_disk(ids):
    frame = pd.DataFrame({"item_id": pd.Series([*ids, None], dtype=object)})
    inputs = FeatureInputs.fit(frame, ["item_id"], [], True)
    codes = inputs.encode(frame).categories[:, 0].tolist()
    assert sorted(codes) == list(range(len(ids) + 1))
    assert codes[-1] == 0
    stored = unpack(pack(inputs.vocabularies["item_id"]))
    again = replace(inputs, vocabularies={"item_id": stored})
    assert again.encode(frame).categories[:, 0].tolist() == codes


@pytest.mark.parametrize("seed", range(5))
def test_arrays_are_those_of_scikit_learn(seed):
    train, later = make_samples(60, seed), make_samples(60, seed + 100)
    encoded = fit_all(train).encode(later)
    for place, column in enumerate(NOTES_CATEGORIES):
        family = [c for c in NOTES_CATEGORIES if "genre" in c] if "genre" in column else [column]
        values = pd.concat([train[c] for c in family]).dropna().to_numpy()[:, None]
        peer = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(values)
        expected = peer.transform(later[[column]].to_numpy())[:, 0] + 1
        assert np.array_equal(encoded.categories[:, place], expected), column
    logged = [
        frame[[*NOTES_NUMBERS]]
        .astype(float)
        .assign(item_rating_count=np.log1p(frame["item_rating_count"]))
        for frame in (train, later)
    ]
    expected = StandardScaler().fit(logged[0]).transform(logged[1])
    assert np.allclose(encoded.numbers, np.nan_to_num(expected, nan=0.0), atol=1e-4)


def test_one_row_is_encoded_as_a_table_of_one_row_is(rows, asked):
    inputs = untrained("din", rows).inputs
    for _, row in asked[::7].iterrows():
        one, table = inputs.encode_one(row), inputs.encode(pd.DataFrame([row]))
        assert (one.categories == table.categories).all()
        np.testing.assert_allclose(one.numbers, table.numbers, rtol=1e-6)
        assert one.categories.dtype == np.int32
    nothing = inputs.encode_one({})
    assert (nothing.categories == 0).all()
    assert (nothing.numbers == 0).all()  # the mean of training
