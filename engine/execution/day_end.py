"""Orders left of the days before: which they are, and their end once their broker has been heard."""

from collections.abc import Collection, Iterable

from data.store import Store
from engine.book.book import Book
from engine.booking.overdue import end_of_day, is_over
from engine.timing import Timing


def left_over(book: Book, timing: Timing, live_ids: Iterable[int]) -> set[int]:
    """Those of these live orders whose time has passed."""
    day, awaited = timing.market.trading_day, timing.awaited_day()
    live = (book.orders[order_id] for order_id in live_ids)
    return {o.id for o in live if is_over(o.state, o.after_market, o.trading_date, day, awaited)}


async def end_left_over(store: Store, timing: Timing, actor: str, order_ids: Collection[int]) -> None:
    """End these orders of the days before, or mark for the trader what cannot be ended by the day alone.

    What their brokers tell of them must have been read and booked today. Raises `StoreError`.
    """
    day, awaited = timing.market.trading_day, timing.awaited_day()
    await store.write(lambda unit: end_of_day(unit, day, awaited, timing.calendar, actor, order_ids))
