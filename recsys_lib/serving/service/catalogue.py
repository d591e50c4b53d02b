"""The items as a person sees them: titles, years, kinds, and a search by title."""

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from recsys_lib.data import Dataset
from recsys_lib.data.ids import raw_of
from recsys_lib.data.likes import like_counts, likes_of
from recsys_lib.data.matrix import InteractionMatrix, index_of
from recsys_lib.embeddings import EmbeddingTable
from recsys_lib.schema import ITEM

ARTICLES = ("The", "A", "An", "Il", "La", "Le", "Les", "El", "Los", "Das", "Der", "Die")


class Catalogue:
    """All items that somebody has had, with what is known of them.

    Outside, an id is the text of the person's own id; inside, a whole number.

    Parameters
    ----------
    data : Dataset
        Titles, years and genres may be missing.
    matrix : InteractionMatrix
        All interactions of the data set.

    Attributes
    ----------
    item_ids : int64 array, shape (n,), sorted
    likes : float32 array, shape (n,)
        How many users like each item.
    """

    def __init__(self, data: Dataset, matrix: InteractionMatrix):
        self.item_ids = matrix.item_ids
        self.likes = like_counts(likes_of(matrix))
        known = data.items.set_index(ITEM).reindex(self.item_ids)
        self.shown = [str(each) for each in raw_of(data.item_ids, self.item_ids)]
        self._codes = dict(zip(self.shown, self.item_ids.tolist(), strict=True))
        self._rows = {code: row for row, code in enumerate(self.item_ids.tolist())}
        self.titles = [
            _as_said(title) if isinstance(title, str) and title else f"Item {shown}"
            for title, shown in zip(known["title"], self.shown, strict=True)
        ]
        self.years = [None if pd.isna(year) else int(year) for year in known["release_year"]]
        self.genres = [
            [str(genre) for genre in each] if isinstance(each, Iterable) else []
            for each in known["genres"]
        ]
        self._folded = [_folded(title) for title in self.titles]

    def __len__(self) -> int:
        return len(self.item_ids)

    def code_of(self, shown: str) -> int | None:
        """Return the whole number of an item, or None for an unknown one."""
        return self._codes.get(shown)

    def rows_of(self, codes) -> np.ndarray:
        """Return the rows of items by their whole numbers; -1 for an unknown one."""
        return index_of(self.item_ids, codes)

    def row_of(self, code: int) -> int:
        """Return the row of one item that is known by its whole number."""
        return self._rows[code]

    def of_row(self, row: int) -> dict:
        """Return what is shown of an item."""
        return {
            "item_id": self.shown[row],
            "title": self.titles[row],
            "year": self.years[row],
            "genres": self.genres[row],
            "likes": int(self.likes[row]),
        }

    def of_codes(self, codes: Sequence[int]) -> list[dict]:
        """Return what is shown of some items by their whole numbers."""
        return [self.of_row(row) for row in self.rows_of(codes) if row >= 0]

    def search(self, words: str, k: int = 10) -> list[dict]:
        """Return items whose title holds all words, or whose id is the text; liked ones first.

        A title that begins with the text, an article aside, comes before others.
        """
        folded = _folded(_as_said(words.strip()))
        parts = folded.split()
        found = [
            row
            for row, title in enumerate(self._folded)
            if (parts and all(part in title for part in parts)) or self.shown[row] == words.strip()
        ]
        bare = tuple(f"{article.casefold()} {folded}" for article in ARTICLES)
        begins = (folded, *bare)
        found.sort(key=lambda row: (not self._folded[row].startswith(begins), -self.likes[row]))
        return [self.of_row(row) for row in found[:k]]

    def popular(self, k: int) -> np.ndarray:
        """Return the rows of the most liked items, best first."""
        return np.argsort(-self.likes, kind="stable")[:k]

    def genre_vectors(self) -> EmbeddingTable | None:
        """Return the genres of the items as ones and zeros, or None where there are none."""
        names = sorted({genre for each in self.genres for genre in each})
        if not names:
            return None
        column = {name: i for i, name in enumerate(names)}
        vectors = np.zeros((len(self), len(names)), np.float32)
        for row, genres in enumerate(self.genres):
            vectors[row, [column[genre] for genre in genres]] = 1
        return EmbeddingTable(self.item_ids, vectors)


def _as_said(title: str) -> str:
    """Return a title that was filed as ``Abyss, The`` as people say it."""
    name, comma, article = title.rpartition(", ")
    return f"{article} {name}" if comma and article in ARTICLES else title


def _folded(text: str) -> str:
    """Return text without case and accents, so that people find what they can type."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in plain if not unicodedata.combining(each))
