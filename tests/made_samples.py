"""Samples in which ids, genres and numbers all tell something about the label."""

import numpy as np
import pandas as pd

from recsys_lib.seeding import generator

GENRES = np.array(["Action", "Comedy", "Drama", "War"])
WORDS = ["the", "big", "sea", "wolf", "returns"]


def make_samples(n: int, seed: int = 3) -> pd.DataFrame:
    rng = generator(seed, "ranking samples")
    user, item = rng.integers(1, 30, n) * 3, rng.integers(1, 40, n) * 7
    frame = pd.DataFrame({"user_id": user, "item_id": item})
    for k in range(1, 4):
        frame[f"item_genre_{k}"] = np.where(rng.random(n) < k / 5, None, GENRES[(item + k) % 4])
    for k in range(1, 6):
        frame[f"user_genre_{k}"] = np.where(rng.random(n) < k / 10, None, GENRES[(user + k) % 4])
    frame["release_year"] = pd.array(1960 + item % 40, dtype="Int16")
    frame.loc[frame.index[::9], "release_year"] = pd.NA
    for who, raw in (("item", item), ("user", user)):
        frame[f"{who}_rating_count"] = rng.integers(0, 300, n).astype(np.int32)
        frame[f"{who}_rating_mean"] = (1 + raw % 5 + rng.random(n)).astype(np.float32)
        frame[f"{who}_rating_stddev"] = rng.random(n).astype(np.float32)
        frame.loc[frame.index[::7], [f"{who}_rating_mean", f"{who}_rating_stddev"]] = np.nan
    taste = (user % 2 == item % 2) * 1.5 + frame["item_rating_mean"].fillna(3) / 4
    frame["label"] = (taste + rng.normal(0, 0.5, n) > 1.6).astype(np.int8)
    for k in range(1, 6):
        liked = pd.Series(rng.integers(1, 40, n) * 7, dtype="Int64")
        frame[f"user_liked_item_{k}"] = liked.mask(rng.random(n) < k / 6)
    frame["item_title_words"] = [WORDS[: i % 6] if i % 11 else None for i in item // 7]
    return frame
