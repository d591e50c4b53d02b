"""Features computed at the request."""

import pandas as pd
import pytest

from recsys_lib.errors import DataError
from recsys_lib.features import request_features


def test_by_hand():
    rows = pd.DataFrame(
        {
            "timestamp": [0, 86_399, 4 * 86_400 + 3_600],  # Thursday, Thursday, Monday
            "user_last_timestamp": pd.array([None, 86_399 - 43_200, 4 * 86_400], dtype="Int64"),
        }
    )
    table = request_features(rows, ["hour", "weekday", "user_days_since_last"])
    assert table.hour.tolist() == [0, 23, 1]
    assert table.weekday.tolist() == [3, 3, 0]
    assert table.user_days_since_last.isna().tolist() == [True, False, False]
    assert table.user_days_since_last[1] == 0.5
    assert table.dtypes.astype(str).tolist() == ["int8", "int8", "float32"]


def test_what_is_stored_or_missing_is_named():
    rows = pd.DataFrame({"timestamp": [0]})
    with pytest.raises(DataError, match="'user_age' is stored for each user"):
        request_features(rows, ["user_age"])
    with pytest.raises(DataError, match=r"'user_days_since_last' the rows lack .*'user_last_t"):
        request_features(rows, ["user_days_since_last"])
