"""Quotes and candles as Upstox answers them."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import cast

from brokers.contract import Bar, BrokerError, DepthLevel, Tick
from brokers.upstox.answers.rows import UpstoxRow
from brokers.wire.candles import candles_of
from brokers.wire.rows import moment_of_millis
from data.clock import IST

log = logging.getLogger(__name__)


def quoted_rows(answer: object) -> dict[str, UpstoxRow]:
    """The rows of quotes by Upstox's key, which each row tells: those of the answer are made of symbols."""
    if not isinstance(answer, Mapping):
        raise BrokerError(f"Upstox: quotes must be an object, not {type(answer).__name__}", "bad_row")
    found: dict[str, UpstoxRow] = {}
    for name, fields in cast("Mapping[str, object]", answer).items():
        try:
            row = UpstoxRow(f"quote of {name}", fields)
            found[row.token] = row
        except BrokerError as error:
            log.warning("a quote is left out: %s", error)
    return found


def tick_of(key: str, row: UpstoxRow, received_at: datetime) -> Tick:
    """One full quote; an index has neither depth nor circuits.

    The close of the day before is told outright by later versions, else by the change since then: what
    `ohlc` calls close is today's. Raises `BrokerError`.
    """
    day = row.child("ohlc")
    last = row.paise("last_price")
    before = row.paise_or_zero("prev_close_price")
    if not before and row.get("net_change") is not None:
        before = last - row.paise("net_change")
    bids, asks = _levels(row, "buy"), _levels(row, "sell")
    return Tick(
        key=key,
        last_paise=last,
        prev_close_paise=before,
        open_paise=day.paise_or_zero("open"),
        high_paise=day.paise_or_zero("high"),
        low_paise=day.paise_or_zero("low"),
        volume=row.count_or_zero("volume"),
        bid_paise=bids[0].price_paise if bids else 0,
        ask_paise=asks[0].price_paise if asks else 0,
        lower_circuit_paise=row.paise_or_zero("lower_circuit_limit"),
        upper_circuit_paise=row.paise_or_zero("upper_circuit_limit"),
        market_at=_moment(row) or received_at,
        received_at=received_at,
        bids=bids,
        asks=asks,
    )


def _moment(row: UpstoxRow) -> datetime | None:
    """When the exchange said it: an ISO time with its offset, else the last trade in milliseconds as text."""
    at: datetime | None = None
    with suppress(ValueError):
        at = datetime.fromisoformat(row.words("timestamp"))
    if at is not None and at.year > 1:
        return (at if at.tzinfo else at.replace(tzinfo=IST)).astimezone(UTC)
    millis = str(row.get("last_trade_time") or "")
    return moment_of_millis(int(millis)) if millis.isdecimal() else None


def _levels(row: UpstoxRow, side: str) -> tuple[DepthLevel, ...]:
    """One side of the book; a level of price 0 is none."""
    depth = row.get("depth")
    if not isinstance(depth, Mapping):
        return ()
    listed = cast("Mapping[str, object]", depth).get(side)
    levels = [
        DepthLevel(level.paise("price"), level.count("quantity"), level.count_or_zero("orders"))
        for level in UpstoxRow.rows(f"{row.name} {side}", [] if listed is None else listed)
    ]
    return tuple(level for level in levels if level.price_paise)


def bars_of(answer: object) -> list[Bar]:
    """Candles, oldest first. Raises `BrokerError` where they are no list."""
    return candles_of(UpstoxRow, answer)
