"""Two engines, one definition: a frame of pandas or a frame of Spark in, one of the same kind out.

The *embedded* engine works in this process and needs no Java: what one machine holds is made in a
second or two. The *distributed* one is Spark, which carries the same work to as many machines as
there are. Both read :mod:`recsys_lib.features.declarations`, and both give the same rows.
"""

import importlib
from types import ModuleType

from recsys_lib.features.declarations import TIE_NEIGHBOURS


def engine_of(frame, module: str, module_for_pandas: str = "on_pandas") -> ModuleType:
    """Return a module of the engine that works on such frames: Spark's, or else pandas'."""
    if type(frame).__module__.startswith("pyspark."):
        return importlib.import_module(f"recsys_lib.features.distributed.{module}")
    return importlib.import_module(f"recsys_lib.features.embedded.{module_for_pandas}")


def training_samples(interactions, items, users=None, columns: list[str] | None = None):
    """Return one sample for each interaction, with features of the time strictly before it (S5).

    Parameters
    ----------
    interactions : pandas.DataFrame or pyspark.sql.DataFrame
        ``user_id``, ``item_id``, ``rating``, ``timestamp`` as in
        :data:`recsys_lib.schema.INTERACTIONS`; further columns are handed through. The kind of
        this frame decides which engine works; the other tables are of the same kind.
    items : DataFrame
        ``item_id``, ``release_year``, ``genres``, one row an item; for the content family as
        :func:`with_content` returns them. An item that is missing here has null metadata.
    users : DataFrame, optional
        As in :data:`recsys_lib.schema.USERS`. Without it what is said of users is null.
    columns : list of str, optional
        Names in :data:`recsys_lib.features.registry.FEATURES`; by default the reference system's.

    Returns
    -------
    DataFrame
        ``columns``, then the further columns. Counts without an event are 0; means, last likes
        and genres without one are null, and so is a standard deviation of fewer than two
        ratings. Rows of pandas are in order of time, user and item, those of Spark in none.

    Raises
    ------
    RecsysError
        A column is not in the registry, or is named twice.
    DataError
        The items have too many genres; or, in pandas, a column is missing, an interaction has a
        missing value, or an item or a user has two rows.
    """
    engine = engine_of(interactions, "samples")
    return engine.training_samples(interactions, items, users, columns)


def serving_features(interactions, items, users=None, columns: list[str] | None = None):
    """Return the latest features: what a sample one moment after the last event would hold.

    Parameters
    ----------
    interactions, items, users, columns
        As for :func:`training_samples`; columns of the event are left to
        :func:`recsys_lib.features.request_features`.

    Returns
    -------
    users : DataFrame
        ``user_id`` and the user features, one row for each user with metadata or an event.
    items : DataFrame
        ``item_id`` and the item features, one row for each item with metadata or an event.
    """
    engine = engine_of(interactions, "samples")
    return engine.serving_features(interactions, items, users, columns)


def user_ties(interactions, neighbours: int = TIE_NEIGHBOURS):
    """Return the pairs of users with a liked film in common (关系).

    The notes call a film in common a weak tie (弱关系). A tie here is as strong as the number of
    films both liked; it exists from the second in which the later of the two liked the film, so
    that ties can be counted strictly before a moment like anything else.

    Parameters
    ----------
    interactions : pandas.DataFrame or pyspark.sql.DataFrame
        As in :data:`recsys_lib.schema.INTERACTIONS`.
    neighbours : int
        A film ties each user who likes it to so many who liked it just before.

    Returns
    -------
    DataFrame
        One row a pair: ``user_id`` < ``other_id`` (int64), ``films`` in common (int32), and the
        seconds since which the tie is there (``weak_since``) and is a strong one
        (``strong_since``, null where it is not).
    """
    return engine_of(interactions, "ties").user_ties(interactions, neighbours)


def with_content(items, triples=None):
    """Add to each item its director, writer, actor and the words of its title (内容).

    Parameters
    ----------
    items : pandas.DataFrame or pyspark.sql.DataFrame
        As in :data:`recsys_lib.schema.ITEMS`.
    triples : DataFrame, optional
        As in :data:`recsys_lib.schema.TRIPLES`. A data set without them leaves people null.

    Returns
    -------
    DataFrame
        ``items`` with ``director``, ``writer``, ``actor`` (entity ids; of several people the one
        with most films in the graph, then the smallest id) and ``title_words`` (lower case, each
        once, without English stop words; empty for a missing title).
    """
    return engine_of(items, "content").with_content(items, triples)
