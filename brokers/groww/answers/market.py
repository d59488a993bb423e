"""Quotes and last prices as Groww answers them."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from brokers.contract import BrokerError, DepthLevel, Tick
from brokers.groww.answers.rows import GrowwRow

_PAIR = re.compile(r"(\w+)\s*:\s*(-?[\d.]+)")


def tick_of(key: str, answer: object, received_at: datetime) -> Tick:
    """One full quote; an index has neither depth nor circuits. Raises `BrokerError`.

    The close of the day before is the last price less the day's change; without that it is what `ohlc` calls
    close. Groww shows `ohlc` as an object or as text such as `{open: 149.50,high: 150}`.
    """
    row = GrowwRow(f"quote of {key}", answer)
    day = ohlc_of(row)
    last = row.paise("last_price")
    before = day.paise_or_zero("close")
    if row.get("day_change") is not None:
        before = last - row.paise("day_change")
    bids, asks = _levels(row, "buy"), _levels(row, "sell")
    return Tick(
        key=key,
        last_paise=last,
        prev_close_paise=before,
        open_paise=day.paise_or_zero("open"),
        high_paise=day.paise_or_zero("high"),
        low_paise=day.paise_or_zero("low"),
        volume=row.count_or_zero("volume"),
        bid_paise=bids[0].price_paise if bids else row.paise_or_zero("bid_price"),
        ask_paise=asks[0].price_paise if asks else row.paise_or_zero("offer_price"),
        lower_circuit_paise=row.paise_or_zero("lower_circuit_limit"),
        upper_circuit_paise=row.paise_or_zero("upper_circuit_limit"),
        market_at=row.moment_or_none("last_trade_time") or received_at,
        received_at=received_at,
        bids=bids,
        asks=asks,
    )


def ohlc_of(row: GrowwRow) -> GrowwRow:
    """The day's prices of a quote, in either form; empty where there are none."""
    given = row.get("ohlc")
    if isinstance(given, str):
        given = {name: float(number) for name, number in _PAIR.findall(given) if _is_number(number)}
    return GrowwRow(f"{row.name}, ohlc", cast("object", given if isinstance(given, Mapping) else {}))


def _is_number(text: str) -> bool:
    return text.count(".") <= 1 and any(one.isdigit() for one in text)


def _levels(row: GrowwRow, side: str) -> tuple[DepthLevel, ...]:
    """One side of the book, best first; a level without price or shares is none."""
    depth = row.get("depth")
    if not isinstance(depth, Mapping):
        return ()
    listed = cast("Mapping[str, object]", depth).get(side)
    levels = [
        DepthLevel(level.paise_or_zero("price"), level.count_or_zero("quantity"), 0)
        for level in GrowwRow.rows(f"{row.name} {side}", [] if listed is None else listed)
    ]
    return tuple(level for level in levels if level.price_paise and level.quantity)


def lasts_of(answer: object) -> dict[str, int]:
    """The last prices of many instruments in paise, by names such as `NSE_RELIANCE`; odd ones are left
    out."""
    row = GrowwRow("last prices", answer)
    found: dict[str, int] = {}
    for name in row.fields:
        try:
            found[name] = row.paise(name)
        except BrokerError:
            continue
    return {name: paise for name, paise in found.items() if paise > 0}
