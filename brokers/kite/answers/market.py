"""Quotes as Kite answers them."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from brokers.contract import (
    Bar,
    BrokerError,
    DepthLevel,
    Tick,
)
from brokers.kite.answers.rows import KiteRow

log = logging.getLogger(__name__)


def ticks_of(answer: object, received_at: datetime) -> dict[str, Tick]:
    """Quotes by key; an index has neither depth nor circuits. An odd one is left out and logged."""
    if not isinstance(answer, Mapping):
        raise BrokerError(f"Kite: quotes must be an object, not {type(answer).__name__}", "bad_row")
    found: dict[str, Tick] = {}
    for key, fields in cast("Mapping[str, object]", answer).items():
        try:
            found[key] = _tick(key, KiteRow(f"quote of {key}", fields), received_at)
        except BrokerError as error:
            log.warning("a quote is left out: %s", error)
    return found


def tokens_of(answer: object) -> dict[str, int]:
    """The tokens by which quotes say that their instruments go, by key; without those that do not say it."""
    found: dict[str, int] = {}
    for key, fields in cast("Mapping[str, Mapping[str, object] | None]", answer).items():
        token = fields.get("instrument_token") if isinstance(fields, Mapping) else None
        if isinstance(token, int) and not isinstance(token, bool) and token > 0:
            found[key] = token
    return found


def _tick(key: str, row: KiteRow, received_at: datetime) -> Tick:
    day = row.child("ohlc")
    depth = row.child("depth") if isinstance(row.get("depth"), Mapping) else None
    bids = _levels(depth, "buy") if depth else ()
    asks = _levels(depth, "sell") if depth else ()
    return Tick(
        key=key,
        last_paise=row.paise("last_price"),
        prev_close_paise=day.paise("close"),
        open_paise=day.paise("open"),
        high_paise=day.paise("high"),
        low_paise=day.paise("low"),
        volume=0 if row.get("volume") is None else row.count("volume"),
        bid_paise=bids[0].price_paise if bids else 0,
        ask_paise=asks[0].price_paise if asks else 0,
        lower_circuit_paise=row.paise_or_zero("lower_circuit_limit"),
        upper_circuit_paise=row.paise_or_zero("upper_circuit_limit"),
        market_at=row.moment_or_none("timestamp") or row.moment_or_none("last_trade_time") or received_at,
        received_at=received_at,
        bids=bids,
        asks=asks,
    )


def bars_of(answer: object) -> list[Bar]:
    """Bars in their order; an odd one is left out and logged. Raises `BrokerError` where they are no list."""
    found: list[Bar] = []
    for row in KiteRow.rows("candle", answer):
        try:
            opened, high, low, close = (row.paise(field) for field in ("open", "high", "low", "close"))
            found.append(Bar(row.moment("date"), opened, high, low, close, row.count("volume")))
        except BrokerError as error:
            log.warning("a bar is left out: %s", error)
    return found


def _levels(depth: KiteRow, side: str) -> tuple[DepthLevel, ...]:
    """One side of the book; a level of price 0 is none."""
    levels = [
        DepthLevel(row.paise("price"), row.count("quantity"), row.count("orders"))
        for row in KiteRow.rows(f"{depth.name} {side}", depth.get(side))
    ]
    return tuple(level for level in levels if level.price_paise)
