"""What is known about items besides who liked them (附加信息, side information)."""

import re

import pandas as pd

from recsys_lib.data.knowledge_graph import facts_of_items
from recsys_lib.data.store import Dataset
from recsys_lib.errors import DataError, nearest
from recsys_lib.schema import ITEM, RELATIONS

FIELDS = ("genre", "decade", *RELATIONS)
TITLE_WORD = "title_word"  # on demand only: most of them say nothing of a film


def side_information(
    data: Dataset, fields: tuple[str, ...] = FIELDS, min_items: int = 2
) -> pd.DataFrame:
    """Return the fields of each item as a long table.

    Parameters
    ----------
    data : Dataset
    fields : tuple of str
        Of :data:`FIELDS`: ``genre`` and ``decade`` from the item table, the others from the
        knowledge graph. A data set without a knowledge graph gives no rows for those. Or
        ``title_word``: the words of the title, of three letters or more.
    min_items : int
        Number of items that must share a value. A rarer value connects nothing and is left out.

    Returns
    -------
    DataFrame
        ``item_id`` (int64), ``field`` and ``value`` (str), sorted, no row twice.

    Raises
    ------
    DataError
        There is no such field.
    """
    return side_of_items(data.items, data.triples, fields, min_items)


def side_of_items(
    items: pd.DataFrame,
    triples: pd.DataFrame | None = None,
    fields: tuple[str, ...] = FIELDS,
    min_items: int = 2,
) -> pd.DataFrame:
    """Return what :func:`side_information` does, of an item table and a knowledge graph."""
    known = (*FIELDS, TITLE_WORD)
    unknown = [field for field in fields if field not in known]
    if unknown:
        raise DataError(
            f"There is no side information {unknown[0]!r}.{nearest(unknown[0], known)} "
            f"Known: {', '.join(known)}."
        )
    frames = {
        "genre": items[[ITEM]].assign(value=items["genres"]).explode("value"),
        "decade": items[[ITEM]].assign(value=(items["release_year"] // 10 * 10).astype("string")),
    }
    if TITLE_WORD in fields:
        words = [re.findall(r"\w{3,}", str(title).lower()) for title in items["title"]]
        frames[TITLE_WORD] = items[[ITEM]].assign(value=words).explode("value")
    facts = facts_of_items(items, triples)
    for field, rows in facts.groupby("role"):
        frames[field] = rows[[ITEM]].assign(value=rows["person"])
    side = pd.concat(
        [frames[field].assign(field=field) for field in fields if field in frames]
        or [pd.DataFrame(columns=[ITEM, "value", "field"])]
    )
    side = side.dropna().drop_duplicates()
    shared = side.groupby(["field", "value"])[ITEM].transform("size") >= min_items
    side = side.loc[shared, [ITEM, "field", "value"]].astype({ITEM: "int64"})
    return side.sort_values([ITEM, "field", "value"], ignore_index=True)
