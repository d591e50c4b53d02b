"""Settings by name: their types and limits, for ranking models and recallers alike."""

import re

import numpy as np
import pandas as pd
import pytest

from recsys_lib.errors import RecsysError
from recsys_lib.experiments.notebooks import discover
from recsys_lib.ranking import KINDS, RankingConfig
from recsys_lib.recall import channel_names, make_channel
from recsys_lib.recall.registry import CHANNELS, class_of
from recsys_lib.recall.tuning import SEARCH
from recsys_lib.settings import LIMIT_OF, checked_setting

ITEMS = pd.DataFrame({"item_id": [1], "genres": [[]], "people": [[]], "release_year": [1999]})


@pytest.mark.parametrize(
    ("value", "kind", "read"),
    [
        (3, int, 3),
        (np.int64(3), int, 3),
        (3, float, 3.0),
        (0.5, float | None, 0.5),
        (None, float | None, None),
        ([4, 2], tuple[int, ...], (4, 2)),
        (4, tuple[int, ...], (4,)),
        ("a", str, "a"),
        (True, bool, True),
        ({"a": 1}, dict, {"a": 1}),
    ],
)
def test_what_fits_is_read(value, kind, read):
    assert checked_setting("x", value, kind) == read


@pytest.mark.parametrize(
    ("name", "value", "kind", "said"),
    [
        ("x", "3", int, "a whole number, not '3'"),
        ("x", 1.5, int, "a whole number, not 1.5"),
        ("x", True, int, "a whole number, not True"),
        ("x", float("nan"), float, "a number, not nan"),
        ("x", float("inf"), float | None, "a number, or null, not inf"),
        ("x", None, float, "a number, not None"),
        ("x", ["a"], tuple[int, ...], "a list, of which each is a whole number, not ['a']"),
        ("x", 1, bool, "true or false, not 1"),
        ("n_neighbours", 0, int, "a whole number from 1 on, not 0"),
        ("dropout", 1, float, "a number in [0, 1), not 1"),
        ("half_life_days", 0.0, float, "a number above 0, not 0.0"),
        ("seed", -1, int, "a whole number from 0 to 4294967295, not -1"),
        (
            "hidden",
            [8, 0],
            tuple[int, ...],
            "a list, of which each is a whole number from 1 on, not [8, 0]",
        ),
    ],
)
def test_what_does_not_fit_names_setting_value_and_limits(name, value, kind, said):
    with pytest.raises(RecsysError, match=re.escape(f"The setting {name} must be {said}")):
        checked_setting(name, value, kind)


@pytest.mark.parametrize("name", [name for name in channel_names() if name not in ("newest",)])
@pytest.mark.parametrize("value", ["abc", float("nan"), [], {}, -1e9])
def test_no_setting_of_a_channel_takes_just_anything(name, value):
    made = CHANNELS.get(name)
    settings = SEARCH.get(name) or ({} if made is None else {"min_rating": 0})
    for setting in settings:
        if setting == "min_rating" and value == -1e9:
            continue  # any number is a threshold
        with pytest.raises(RecsysError, match=setting):
            make_channel(name, ITEMS, **{setting: value})


def test_every_limit_belongs_to_a_setting_there_is():
    known = {"k", "depth", *vars(RankingConfig().training)}
    known |= {name for kind in KINDS.values() for name in vars(kind.config())}
    channels = [class_of(name) for name in channel_names()]
    known |= {n for made in channels for n in made.__init__.__kwdefaults__ or {}}
    known |= {name for each in discover() for name in each.parameters}
    assert set(LIMIT_OF) <= known
