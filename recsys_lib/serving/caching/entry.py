"""What a cache keeps of an answer."""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """An answer with what is needed to know whether it still holds.

    Attributes
    ----------
    version : str
        Of model, features and whatever else the answer was made with.
    generation : str
        Changes with every event of the user; empty before the first.
    value : object
        None is an answer too: there is nothing for this key (a negative entry).
    cost_s : float
        Seconds it took to make.
    expires_s : float
        By the clock of the cache it is in.
    """

    version: str
    generation: str
    value: Any
    cost_s: float
    expires_s: float

    def due(self, now_s: float, beta: float, uniform: float) -> bool:
        """Return whether to make it anew although it still holds (XFetch; Vattani, 2015).

        The nearer the expiry and the longer the making, the likelier: so one request pays before
        the end, instead of all of them at it.

        Parameters
        ----------
        now_s : float
        beta : float
            1 is optimal; more is earlier, 0 is never before the expiry.
        uniform : float
            A random number of (0, 1].
        """
        return now_s - self.cost_s * beta * math.log(uniform) >= self.expires_s
