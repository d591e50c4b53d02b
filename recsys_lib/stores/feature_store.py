"""Features at serving time, each where the notes put them (S16).

There are many users, and a request needs one of them: their features live in Redis. There are
few items, and a request needs hundreds of them: their features live in the server's own memory.
"""

import numpy as np
import pandas as pd
import redis

from recsys_lib.data.matrix import index_of
from recsys_lib.errors import DataError, RecsysError
from recsys_lib.features.registry import FEATURES, names
from recsys_lib.schema import ITEM, USER

ROWS_A_TRIP = 1_000  # bounds the memory of a pipeline


class StoreUnavailable(RecsysError):
    """Redis does not answer."""


class UserFeatureStore:
    """User features in Redis: one hash a user, one field a feature, a missing value no field.

    Writing is versioned: readers see the old version until the whole new one is there.

    Parameters
    ----------
    client : redis.Redis
    ttl_s : int, optional
        Seconds until a user's features expire; by default never.
    prefix : str
        Of all keys: ``prefix:version`` and ``prefix:<version>:<user_id>``.
    """

    def __init__(self, client: redis.Redis, *, ttl_s: int | None = None, prefix: str = "user"):
        self.client = client
        self.ttl_s = ttl_s
        self.prefix = prefix

    def write(self, users: pd.DataFrame, version: str) -> None:
        """Write a table of users (``user_id`` and user features), then make it the current one.

        The version that was current before is removed.

        Raises
        ------
        DataError
            A column is no user feature, or the version is current already.
        StoreUnavailable
            Redis does not answer.
        """
        columns = [c for c in users.columns if c != USER]
        unknown = sorted(set(columns) - set(names("user")))
        if unknown:
            raise DataError(f"These columns are no user features: {', '.join(unknown)}.")
        old = self.version()
        if version == old:
            raise DataError(f"User features of version {version!r} are there already.")
        cells = {c: _as_text(users[c], FEATURES[c].dtype) for c in columns}
        user_ids = users[USER].to_numpy()
        try:
            for start in range(0, len(users), ROWS_A_TRIP):
                with self.client.pipeline(transaction=False) as trip:
                    for row in range(start, min(start + ROWS_A_TRIP, len(users))):
                        fields = {c: v[row] for c, v in cells.items() if v[row] is not None}
                        # A user with nothing but missing values is known all the same.
                        key = self._key(version, user_ids[row])
                        trip.hset(key, mapping={USER: str(user_ids[row]), **fields})
                        if self.ttl_s is not None:
                            trip.expire(key, self.ttl_s)
                    trip.execute()
            self.client.set(f"{self.prefix}:version", version)
            if old is not None:
                self._remove(old)
        except redis.RedisError as error:
            raise StoreUnavailable(f"User features can't be written: {error}") from error

    def version(self) -> str | None:
        """Return the current version, or None before the first."""
        try:
            stored = self.client.get(f"{self.prefix}:version")
        except redis.RedisError as error:
            raise StoreUnavailable(f"User features can't be read: {error}") from error
        return None if stored is None else stored.decode()

    def read(self, user_id: int) -> dict | None:
        """Return a user's features (missing ones left out), or None for an unknown user.

        Raises
        ------
        StoreUnavailable
            Redis does not answer.
        """
        version = self.version()
        if version is None:
            return None
        try:
            fields = self.client.hgetall(self._key(version, user_id))
        except redis.RedisError as error:
            raise StoreUnavailable(f"User features can't be read: {error}") from error
        if not fields:
            return None
        return {
            name: _from_text(text.decode(), FEATURES[name].dtype)
            for name, text in ((field.decode(), value) for field, value in fields.items())
        }

    def _key(self, version: str, user_id) -> str:
        return f"{self.prefix}:{version}:{user_id}"

    def _remove(self, version: str) -> None:
        with self.client.pipeline(transaction=False) as trip:
            for key in self.client.scan_iter(f"{self.prefix}:{version}:*", count=ROWS_A_TRIP):
                trip.unlink(key)
            trip.execute()


class ItemFeatureTable:
    """Item features in the server's memory: a table, addressed by raw item id.

    Parameters
    ----------
    items : DataFrame
        ``item_id`` and item features, one row an item.

    Attributes
    ----------
    frame : DataFrame
        Sorted by item id.
    item_ids : int64 array, shape (n,)
    """

    def __init__(self, items: pd.DataFrame):
        self.frame = items.sort_values(ITEM, ignore_index=True)
        self.item_ids = self.frame[ITEM].to_numpy(np.int64)
        if (np.diff(self.item_ids) == 0).any():
            raise DataError("An item has more than one row of features.")

    def rows_of(self, item_ids) -> np.ndarray:
        """Return the row of each item.

        Raises
        ------
        DataError
            An item is not in the table.
        """
        rows = index_of(self.item_ids, item_ids)
        if (rows < 0).any():
            unknown = np.asarray(item_ids)[rows < 0]
            raise DataError(f"{len(unknown)} items have no features, item {unknown[0]} first.")
        return rows


def _as_text(column: pd.Series, dtype: str) -> list[str | None]:
    """Return values as text that reads back to the same value; None where missing."""
    missing = column.isna().to_numpy()
    if dtype == "string":
        texts = column.tolist()
    elif dtype.startswith("float"):
        # The shortest text that reads back to the same 32 bits.
        texts = [str(value) for value in column.to_numpy(np.float32, na_value=np.nan)]
    else:
        texts = [str(int(v)) if not gone else "" for v, gone in zip(column, missing, strict=True)]
    return [None if gone else text for text, gone in zip(texts, missing, strict=True)]


def _from_text(text: str, dtype: str) -> int | float | str:
    if dtype == "string":
        return text
    return float(np.float32(text)) if dtype.startswith("float") else int(text)
