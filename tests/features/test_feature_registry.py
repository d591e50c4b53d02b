"""The registry of features: what the models and the documentation rely on."""

import subprocess
import sys

import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.features.feature import BEFORE, EVENT, STATIC
from recsys_lib.features.registry import FEATURES, checked, documentation, names


def test_reading_the_registry_does_not_load_spark():
    check = (
        "import sys, recsys_lib.features, recsys_lib.features.registry\n"
        "assert not {'pyspark', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def test_the_reference_systems_columns_are_all_there():
    assert len(names("user")) == 5 + 5 + 5
    assert len(names("item")) == 1 + 3 + 3
    assert names("event") == ["user_id", "item_id", "rating", "timestamp", "label"]


def test_categories_share_vocabularies():
    for name in (
        *names(kind="category", all_families=True),
        *names(kind="list", all_families=True),
    ):
        assert FEATURES[name].vocabulary
    assert FEATURES["user_liked_item_3"].vocabulary == FEATURES["item_id"].vocabulary


def test_each_family_of_the_notes_is_there():
    table = documentation()
    assert set(table.family) == {
        "key", "target", "explicit behaviour", "implicit behaviour", "relation", "attribute",
        "content", "context",
    }  # fmt: skip
    assert set(table.rule) == {EVENT, BEFORE, STATIC}
    assert table.unit[(table.kind == "number") & (table.name != "weekday")].ne("").all()


def test_documentation_has_a_row_for_each_feature():
    table = documentation()
    assert table.name.tolist() == list(FEATURES)
    assert table.notna().all(axis=None)


def test_misspelt_names_are_refused():
    with pytest.raises(RecsysError, match="Did you mean 'number'"):
        names(kind="numbers")
    with pytest.raises(RecsysError, match="Did you mean 'user_age'"):
        checked(["user_agee"])
    with pytest.raises(RecsysError, match="'hour' is named twice"):
        checked(["hour", "hour"])
