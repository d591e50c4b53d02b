"""The service as one object: cache, cascade, and a default list when the cascade can't (S21)."""

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from recsys_lib.rankers import UnknownUser
from recsys_lib.recall import Recaller
from recsys_lib.schema import ITEM, USER
from recsys_lib.serving.cache import ListCache
from recsys_lib.serving.cascade import Cascade, Recommendation

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What a user is shown.

    Attributes
    ----------
    user_id : int, str or another id
    item_ids : tuple of ids
        Best first.
    source : {"cache", "cascade", "newcomer", "default"}
        Where the list comes from.
    reason : str
        Why it is not the cascade's list; empty otherwise.
    lines : tuple of Recommendation
        The cascade's own lines, for explanations; empty for other lists.
    """

    user_id: Any
    item_ids: tuple
    source: Literal["cache", "cascade", "newcomer", "default"]
    reason: str = ""
    lines: tuple[Recommendation, ...] = ()


class Recommender:
    """Answers every request.

    Parameters
    ----------
    cascade : Cascade
    default_items : sequence of ids
        Items for users of whom nothing is known, and for when the cascade fails (服务降级): best
        first, long enough that items a user has had can be left out.
    cache : ListCache, optional
    newcomers : Recaller, optional
        What answers users of whom the cascade knows nothing (冷启动), such as
        :class:`recsys_lib.recall.cold_start.Newcomers`: by who they are, and by the items that
        :meth:`feedback` has noted since.
    """

    def __init__(
        self,
        cascade: Cascade,
        default_items,
        cache: ListCache | None = None,
        newcomers: Recaller | None = None,
    ):
        self.cascade = cascade
        self.default_items = pd.Index(default_items).tolist()
        self.cache = ListCache() if cache is None else cache
        self.newcomers = newcomers
        # Items a user has had since recall was fitted, the oldest first.
        self._had_since: defaultdict[Any, dict] = defaultdict(dict)

    def recommend(self, user_id, k: int = 10) -> Answer:
        """Return a list for a user; it never fails because of the store or the model."""
        kept = self.cache.get(user_id, k)
        if kept is not None:
            return Answer(user_id, kept.item_ids, "cache", lines=kept.lines)
        try:
            lines = tuple(self.cascade.explain(user_id, k, exclude=self._excluded(user_id)))
        except UnknownUser as error:
            return self._to_newcomer(user_id, k, str(error))
        except Exception as error:
            # Whatever breaks behind the service, the user still gets a list; the log says what.
            logger.warning("user %s gets the default list: %s", user_id, error, exc_info=True)
            return self._default(user_id, k, f"{type(error).__name__}: {error}")
        answer = Answer(user_id, tuple(line.item_id for line in lines), "cascade", lines=lines)
        self.cache.put(user_id, k, answer)
        return answer

    def feedback(self, user_id, item_id) -> None:
        """Note that a user has had an item: it is not shown again, and cached lists are dropped."""
        self._had_since[user_id][item_id] = None
        self.cache.forget(user_id)

    def _to_newcomer(self, user_id, k: int, reason: str) -> Answer:
        """Return the list for somebody of whom the cascade knows nothing."""
        if self.newcomers is not None:
            had = list(self._had_since.get(user_id, {}))
            histories = {user_id: had} if had else None
            try:
                found = self.newcomers.recommend([user_id], k, histories)[ITEM].tolist()
            except Exception as error:
                logger.warning("no newcomer's list for user %s: %s", user_id, error, exc_info=True)
                found = []
            if found:
                # Not cached: the next click changes a newcomer's list.
                return Answer(user_id, tuple(found), "newcomer", reason)
        return self._default(user_id, k, reason)

    def _default(self, user_id, k: int, reason: str) -> Answer:
        # Not cached: the next request may find the cascade well again.
        had = set(self._had_since.get(user_id, {})) | set(self.cascade.seen_items(user_id).tolist())
        items = [item for item in self.default_items if item not in had]
        return Answer(user_id, tuple(items[:k]), "default", reason)

    def _excluded(self, user_id) -> pd.DataFrame | None:
        had = self._had_since.get(user_id)
        return pd.DataFrame({USER: user_id, ITEM: sorted(had)}) if had else None
