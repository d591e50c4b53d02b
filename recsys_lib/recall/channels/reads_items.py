"""What channels share that read one column of the item table."""

from typing import Any

import pandas as pd

from recsys_lib.errors import RecsysError
from recsys_lib.recall.channels.base import Channel
from recsys_lib.schema import ITEM


class ReadsItems(Channel):
    """A channel with the parameter ``items``, of which it reads the column ``item_column``."""

    item_column: str
    items: pd.DataFrame

    @property
    def parameters(self) -> dict[str, Any]:
        # Only what is read is worth saving.
        return super().parameters | {"items": self._column()}

    def _item_values(self) -> pd.DataFrame:
        """Return ``item_id`` (whole numbers inside) and the column that is read."""
        column = self._column()
        return column.assign(**{ITEM: self.vocabulary_.item_codes(column[ITEM])})

    def _column(self) -> pd.DataFrame:
        missing = [name for name in (ITEM, self.item_column) if name not in self.items]
        if missing:
            raise RecsysError(
                f"{type(self).__name__} needs an item table with a column {missing[0]!r}; its "
                f"columns: {', '.join(map(repr, self.items.columns))}."
            )
        return self.items[[ITEM, self.item_column]]
