"""Orders left of the days before: which they are, and their end once their broker has been heard."""

from collections.abc import Collection, Iterable

from engine.booking.apply import end_of_day, is_over
from engine.market.market import awaited_day
from engine.parts import Parts


def left_over(parts: Parts, live_ids: Iterable[int]) -> set[int]:
    """Those of these live orders whose time has passed."""
    day, awaited = parts.market_clock.trading_day, awaited_day(parts)
    live = (parts.book.orders[order_id] for order_id in live_ids)
    return {o.id for o in live if is_over(o.state, o.after_market, o.trading_date, day, awaited)}


async def end_left_over(parts: Parts, order_ids: Collection[int]) -> None:
    """End these orders of the days before, or mark for the trader what cannot be ended by the day alone.

    What their brokers tell of them must have been read and booked today. Raises `StoreError`.
    """
    day, awaited = parts.market_clock.trading_day, awaited_day(parts)
    await parts.store.write(
        lambda unit: end_of_day(unit, day, awaited, parts.calendar, parts.actor, order_ids)
    )
