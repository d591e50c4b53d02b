"""What can be asked of the service, and how it behaves under load."""

from dataclasses import dataclass, field

from recsys_lib.errors import RecsysError

USUAL_ITEMS, MOST_ITEMS = 24, 50  # of a list
LEVELS = ("full", "light", "stored", "segment", "popular")
LEVEL_HELP = {
    "full": "recall, ranking, variety",
    "light": "recall's order, without ranking",
    "stored": "a list made in advance",
    "segment": "what people like you like",
    "popular": "what most people like",
}
SWITCHES = ("ranking", "features", "variety", "recall", "stored", "segment", "cache")


class NoSuch(RecsysError):
    """A request names an item, a ranker or a part that is not there."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the service behaves under load.

    Attributes
    ----------
    deadline_s : float
        Seconds an answer may take: what a person hardly waits for. Queues end long before.
    recall_budget_s, ranking_budget_s : float
        Seconds a request waits for a stage.
    full_queue, light_queue : int
        Requests under way at which ranking, and then recall, are left out.
    stage_threads : int
        Requests in a stage at a time. Python computes on one core whatever their number, so that
        more of them only finish later.
    ttl_s : float
        Seconds a cached answer lives.
    breaker_open_s : float
        Seconds that a level which fails is left alone.
    """

    deadline_s: float = 0.7
    recall_budget_s: float = 0.3
    ranking_budget_s: float = 0.3
    full_queue: int = 4
    light_queue: int = 6
    stage_threads: int = 2
    ttl_s: float = 60.0
    breaker_open_s: float = 2.0

    def __post_init__(self):
        stages_s = self.recall_budget_s + self.ranking_budget_s
        if self.deadline_s <= stages_s:
            raise RecsysError(
                f"A deadline of {self.deadline_s:g} s leaves no time beside the stages, which may "
                f"take {stages_s:g} s: raise deadline_s, or lower their budgets."
            )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request for recommendations.

    Attributes
    ----------
    user : str
    k : int
    ranker : str, optional
        A name of the rankings; by default the service's own choice.
    diversity : float, optional
        In [0, 1]; by default the ranking's own.
    off : frozenset of str
        Parts that this request goes without: channels, and names of :data:`SWITCHES`.
    """

    user: str
    k: int = 10
    ranker: str | None = None
    diversity: float | None = None
    off: frozenset[str] = field(default_factory=frozenset)

    @property
    def made(self) -> int:
        """How many items are made, and kept for shorter requests."""
        return USUAL_ITEMS if self.k <= USUAL_ITEMS else MOST_ITEMS
