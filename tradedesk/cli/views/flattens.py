"""The shapes of a flatten: what it would do, how it goes, its certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from data.money import half_up
from engine.words.trading.flattens import NEXT

if TYPE_CHECKING:
    from datetime import date, datetime

    from data.vocabulary import (
        FlattenLineState,
        FlattenReason,
        FlattenState,
        FlattenWhat,
        HaltScope,
        Product,
        Side,
    )
    from engine.flatten.views import FlattenLineView, FlattenPosition, FlattenProspect, FlattenView


class FlattenLineShape(Struct, frozen=True):
    """One position; `net` is the broker's, below zero where shares are owed."""

    client_id: int
    code: str
    name: str
    key: str
    symbol: str
    product: Product
    net_before: int | None
    net: int | None
    state: FlattenLineState
    reason: FlattenReason
    detail: str
    next: str
    side: Side | None
    sent: int
    filled: int
    average_paise: int | None
    limit_paise: int | None
    orders: tuple[int, ...]
    cancelled: tuple[int, ...]


class FlattenShape(Struct, frozen=True):
    """A flatten as it goes, and with `ended_at` its certificate."""

    number: int
    scope: HaltScope
    value: str
    what: FlattenWhat
    by: str
    at: datetime
    trading_date: date
    state: FlattenState
    passes: tuple[int, ...]
    stopped_by: str
    ended_at: datetime | None
    flat: int
    going: int
    left: int
    not_signed_in: tuple[str, ...]
    lines: tuple[FlattenLineShape, ...]


class FlattenProspectShape(Struct, frozen=True):
    """What a flatten would do; nothing was sent."""

    scope: HaltScope
    value: str
    what: FlattenWhat
    answer: str
    not_signed_in: tuple[str, ...]
    positions: tuple[FlattenPosition, ...]


def flatten_shape(view: FlattenView) -> FlattenShape:
    """The shape of a flatten."""
    return FlattenShape(
        number=view.number,
        scope=view.scope,
        value=view.value,
        what=view.what,
        by=view.by,
        at=view.at,
        trading_date=view.trading_date,
        state=view.state,
        passes=view.passes,
        stopped_by=view.stopped_by,
        ended_at=view.ended_at,
        flat=view.flat,
        going=view.going,
        left=view.left,
        not_signed_in=view.not_signed_in,
        lines=tuple(_line(line) for line in view.lines),
    )


def _line(line: FlattenLineView) -> FlattenLineShape:
    return FlattenLineShape(
        client_id=line.client_id,
        code=line.code,
        name=line.name,
        key=line.key,
        symbol=line.tradingsymbol,
        product=line.product,
        net_before=line.net_before,
        net=line.net,
        state=line.state,
        reason=line.reason,
        detail=line.detail,
        next=NEXT[line.reason],
        side=line.side,
        sent=line.sent,
        filled=line.filled,
        average_paise=half_up(line.notional_paise, line.filled) if line.filled else None,
        limit_paise=line.limit_paise,
        orders=line.orders,
        cancelled=line.cancelled,
    )


def prospect_shape(found: FlattenProspect) -> FlattenProspectShape:
    """The shape of what a flatten would do."""
    return FlattenProspectShape(
        found.scope, found.value, found.what, found.answer, found.not_signed_in, found.positions
    )
