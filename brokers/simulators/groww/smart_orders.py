"""Smart orders of the local Groww: they are kept, listed, changed and cancelled, and never fire."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

from brokers.simulators.serving.answers import Row, stamp

GTT, OCO = "GTT", "OCO"
TYPES = (GTT, OCO)
"""One order that waits for a price, and a target with a stop-loss of which one ends the other."""

ACTIVE, CANCELLED = "ACTIVE", "CANCELLED"
STATUSES = (ACTIVE, "TRIGGERED", CANCELLED, "EXPIRED", "FAILED", "COMPLETED")

LASTS = timedelta(days=365)
"""How long a GTT rests."""


class SmartOrders:
    """What rests at the broker, by user and id."""

    def __init__(self) -> None:
        self._of = dict[str, dict[str, Row]]()
        self._numbers = count(1)

    def add(self, user_id: str, kind: str, at: datetime, fields: Row) -> Row:
        """Keep one of a kind, `GTT` or `OCO`, as it is told from now on."""
        number = f"{kind.lower()}_{next(self._numbers):06x}"
        row: Row = {
            "smart_order_id": number,
            "smart_order_type": kind,
            "status": ACTIVE,
            **fields,
            "remark": None,
            "is_cancellation_allowed": True,
            "is_modification_allowed": True,
            "created_at": written(at),
            "expire_at": written(at + LASTS) if kind == GTT else None,
            "triggered_at": None,
            "updated_at": written(at),
        }
        self._of.setdefault(user_id, {})[number] = row
        return row

    def find(self, user_id: str, number: str) -> Row | None:
        """One of a user's."""
        return self._of.get(user_id, {}).get(number)

    def cancel(self, row: Row, at: datetime) -> None:
        """Take one out; it is told as cancelled from then on."""
        ended = {"is_cancellation_allowed": False, "is_modification_allowed": False}
        row |= {"status": CANCELLED, "updated_at": written(at), **ended}

    def of(self, user_id: str) -> Sequence[Row]:
        """All of a user's, oldest first."""
        return list(self._of.get(user_id, {}).values())


def written(at: datetime) -> str:
    """A time of a smart order: Indian, without a zone."""
    return stamp(at).replace(" ", "T")
