"""Test seams: what tests of a desk, or of a program on one, may reach that its users have no need of.

    from tradedesk.testing import seam

    seam(desk).waits = replace(seam(desk).waits, claim_valid_s=1.0)

`seam` is for a desk that is open, on the loop it was opened on; the functions below it for an app that runs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import force_setattr

from data.clock import MarketClock
from data.reference.phases import Calendar
from data.store import Store
from engine.background import Background
from engine.book.book import Book
from engine.book.kept import Kept
from engine.desk import Desk
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.market.quotes import QuoteMap
from engine.market.stamps import MarketStamps
from engine.rules import Waits
from engine.timing import Timing

if TYPE_CHECKING:
    from textual.app import App
    from textual.strip import Strip


class Seam:
    """The inside of one open desk: its books, its prices, its waits, and where on an order's way it is."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def kept(self) -> Kept:
        """The books of its home, on disk and in memory."""
        return self._desk.workings.kept

    @property
    def timing(self) -> Timing:
        """Its clocks, calendar and waits."""
        return self._desk.workings.timing

    @property
    def stamps(self) -> MarketStamps:
        """The market's time of what was stamped with the wall's."""
        return self._desk.workings.stamps

    @property
    def workers(self) -> Workers:
        """Who sends, cancels, changes, reads and books."""
        return self._desk.workings.workers

    @property
    def background(self) -> Background:
        """The tasks that no screen owns."""
        return self._desk.workings.background

    @property
    def day(self) -> date:
        """The day whose books were opened last."""
        return self._desk.workings.days.day

    @property
    def store(self) -> Store:
        """The books on disk; what is written there is projected and told as any other write."""
        return self._desk.workings.kept.store

    @property
    def book(self) -> Book:
        """The projection in memory."""
        return self._desk.workings.kept.book

    @property
    def halt_file(self) -> Path:
        """The file whose presence stops every send."""
        return self._desk.workings.kept.halt_file

    @property
    def market_data(self) -> MarketData:
        """Prices and instruments, and the connection that brings both."""
        return self._desk.workings.market_data

    @property
    def quotes(self) -> QuoteMap:
        """The last quotes, and their ages."""
        return self._desk.workings.market_data.quotes

    @property
    def calendar(self) -> Calendar:
        """The exchanges' calendar."""
        return self._desk.workings.timing.calendar

    @property
    def engine(self) -> ThisEngine:
        """This engine's row, and whether it is signed on."""
        return self._desk.workings.engine

    @property
    def waits(self) -> Waits:
        """Every wait of the desk's protocols; others may be set, and count from the next wait on."""
        return self._desk.workings.timing.waits

    @waits.setter
    def waits(self, waits: Waits) -> None:
        force_setattr(self._desk.workings.timing, "waits", waits)

    @property
    def market_clock(self) -> MarketClock:
        """The market's clock, which may be set to another."""
        return self._desk.workings.timing.market

    @market_clock.setter
    def market_clock(self, clock: MarketClock) -> None:
        force_setattr(self._desk.workings.timing, "market", clock)

    @property
    def reached(self) -> Callable[[str], None]:
        """Told of each of `engine.instances.POINTS`, from whichever thread is there."""
        return self._desk.workings.engine.reached

    @reached.setter
    def reached(self, told: Callable[[str], None]) -> None:
        self._desk.workings.engine.reached = told


def seam(desk: Desk) -> Seam:
    """The inside of an open desk."""
    return Seam(desk)


def shown_strips(app: App[Any]) -> list[Strip]:
    """What an app's screen shows, a strip a line, with its styles."""
    return list(app.screen._compositor.render_strips())


def shown_lines(app: App[Any]) -> list[str]:
    """What an app's screen shows, as text, a line each."""
    return [strip.text for strip in shown_strips(app)]


def toasts_shown(app: App[Any]) -> list[str]:
    """The words of the toasts that stand, oldest first."""
    return [toast.message for toast in app._notifications]


def paint(app: App[Any]) -> None:
    """Lay out and paint now what an app's screen would with its next tick; what fails goes the same way."""
    try:
        app.screen._on_timer_update()
        if app.screen._compositor._dirty_regions:
            app.screen._compositor_refresh()
    except Exception as problem:
        app._handle_exception(problem)


def wants_layout(app: App[Any]) -> bool:
    """Whether an app's screen lays out once more with its next tick, for what its last layout set off."""
    return app.screen._layout_required
