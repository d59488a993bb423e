"""The shapes of what happened on a recorded day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from brokers.recording.happenings import Happened, NewsHappened, moment_of
from engine.review.happenings import recorded_words

if TYPE_CHECKING:
    from datetime import datetime


class RecordedOrderShape(Struct, frozen=True):
    """An order as it stood from a moment on; a price that it has none of is null."""

    order_id: int
    code: str
    run_number: int | None
    side: str
    quantity: int
    symbol: str
    product: str
    limit_paise: int | None
    trigger_paise: int | None
    state: str
    filled_quantity: int
    filled_notional_paise: int
    why: str


class HappenedShape(Struct, frozen=True):
    """What happened: `of` is `order` or a topic of the tape; `order` is null where it is no order."""

    at: datetime
    of: str
    words: str
    order: RecordedOrderShape | None


def happened_shape(happened: Happened) -> HappenedShape:
    """One of them."""
    at, words = moment_of(happened), recorded_words(happened)
    if isinstance(happened, NewsHappened):
        return HappenedShape(at, happened.topic, words, None)
    order = RecordedOrderShape(
        happened.order,
        happened.code,
        happened.run or None,
        happened.side,
        happened.quantity,
        happened.symbol,
        happened.product,
        happened.limit_paise or None,
        happened.trigger_paise or None,
        happened.state,
        happened.filled,
        happened.filled_notional_paise,
        happened.why,
    )
    return HappenedShape(at, "order", words, order)
