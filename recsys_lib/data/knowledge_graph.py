"""The knowledge graph (知识图谱): which of its facts are about an item, and what they say.

A fact is a triple (head, relation, tail). An item joins to the facts whose head is its
``entity_id``; the tail is then a person. :data:`recsys_lib.schema.RELATIONS` says which relations
count.
"""

from collections.abc import Sequence

import pandas as pd

from recsys_lib.schema import ITEM, RELATIONS

TASTE = ("director", "actor")  # the people whose films one follows


def facts_of_items(
    items: pd.DataFrame, triples: pd.DataFrame | None, roles: Sequence[str] = tuple(RELATIONS)
) -> pd.DataFrame:
    """Return who made the items.

    Parameters
    ----------
    items : DataFrame
        Columns ``item_id`` and ``entity_id``.
    triples : DataFrame, optional
        Columns ``head``, ``relation`` and ``tail``; without it there are no facts.
    roles : sequence of str
        Keys of :data:`RELATIONS`.

    Returns
    -------
    DataFrame
        ``item_id``, ``role`` and ``person`` (an entity of the graph), in the order of the items
        for each role in turn; no fact twice.
    """
    parts = [pd.DataFrame({ITEM: items[ITEM].iloc[:0], "role": "", "person": ""})]
    if triples is not None:
        known = items[[ITEM, "entity_id"]].dropna()
        for role in roles:
            facts = triples[triples["relation"] == RELATIONS[role]].drop_duplicates()
            joined = known.merge(facts, left_on="entity_id", right_on="head")
            parts.append(joined[[ITEM]].assign(role=role, person=joined["tail"]))
    return pd.concat(parts, ignore_index=True)


def with_people(
    items: pd.DataFrame, triples: pd.DataFrame | None, roles: Sequence[str] = TASTE
) -> pd.DataFrame:
    """Return the items with the column ``people``: sorted lists of knowledge-graph entities.

    Parameters
    ----------
    items, triples
        As for :func:`facts_of_items`; without triples all lists are empty.
    roles : sequence of str
        What of people counts; a person with two of the roles in one film counts once.
    """
    facts = facts_of_items(items, triples, roles).drop_duplicates([ITEM, "person"])
    people = facts.sort_values([ITEM, "person"]).groupby(ITEM)["person"].agg(list)
    found = items[ITEM].map(people)
    return items.assign(people=[each if isinstance(each, list) else [] for each in found])
