"""The app over the demonstration's desk, driven key by key at times the test names."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.worker import NoActiveWorker, Worker, get_current_worker

from data.clock import ManualClock, SystemClock
from data.money import paise_from_text
from data.vocabulary import DeskKind, OrderState, OrderType, Side, SizingKind
from engine.desk import Desk
from engine.planning.intent import Intent, Selection, Sizing
from screens.frame.workspace import Framed
from tests.books import empty_books
from tests.desks import WAITS
from tests.resting import quiet, rest, resting_loop
from tests.screens.sheets import drawing, drawn_at_rest, parsed_once
from tradedesk.app.application import TradedeskApp
from tradedesk.compose.brokers.paper import prepare_demo
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import paint, shown_lines, wants_layout

MORNING = datetime(2026, 11, 23, 3, 47, tzinfo=UTC)

ENDLESS = {"catch"}
"""Workers that wait for what the trader does elsewhere."""

LAYOUTS = 5
"""Layouts at most that one look waits for: what a layout makes room for may want another."""


class BenchClock(ManualClock):
    """A clock moved by hand that knows which of an app's workers wait for it."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.held: set[Worker[Any]] = set()

    async def sleep(self, seconds: float) -> None:
        """As every clock of its kind; a sleep that is a task by itself limits a wait, and holds no worker."""
        task = asyncio.current_task()
        coroutine = task.get_coro() if task else None
        try:
            worker = get_current_worker()
        except NoActiveWorker:
            return await super().sleep(seconds)
        if getattr(coroutine, "__name__", "") == "sleep":
            return await super().sleep(seconds)
        self.held.add(worker)
        try:
            await super().sleep(seconds)
        finally:
            self.held.discard(worker)


def key_at(name: str, at: float) -> Key:
    """A key as the terminal delivers it at this second, whenever the test comes to press it."""
    character = name if len(name) == 1 else {"slash": "/", "space": " "}.get(name)
    key = Key(_character_to_key(name) if len(name) == 1 else name, character)
    key.time = at
    return key


class Bench:
    """The app under test, its pilot and the clock that the test moves."""

    def __init__(self, app: TradedeskApp, pilot: Pilot[None], clock: BenchClock) -> None:
        self.app = app
        self.pilot = pilot
        self.clock = clock
        self.faults_meant = False
        """Whether the test makes screens fail."""
        self.draws = False
        """Whether each look is drawn as at a terminal, and not only what is read or stands at the end."""
        self.at = 1_000.0
        """When the terminal delivers the next key."""
        self._answers = 0
        """Answers of other threads that the last frame knew of."""
        self._seen = False
        """Whether what stands has been rendered for the test since the screen was last laid out."""

    @property
    def desk(self) -> Desk:
        desk = self.app.desk
        assert isinstance(desk, Desk)
        return desk

    @property
    def screen(self) -> Any:
        return self.app.screen

    @property
    def card(self) -> Any:
        """The form or question that is open at the bottom of the screen."""
        return self.app.screen.card if isinstance(self.app.screen, Framed) else None

    async def keys(self, *names: str, apart: float = 0.2) -> None:
        """Deliver keys `apart` seconds from each other, all read from the terminal in one go."""
        for name in names:
            self.app.post_message(key_at(name, self.at))
            self.at += apart
        await self.settle()

    async def type(self, text: str) -> None:
        """Type at a hand's pace, with the clock moving along."""
        for letter in text:
            self.clock.shift(0.2)
            await self.keys("space" if letter == " " else letter)
        self.clock.shift(0.2)

    async def settle(self) -> None:
        """Let everything come to rest: keys, workers, the desk's thread, and a frame after them, drawn."""
        await self._settle_worked()
        for _ in range(LAYOUTS):  # a frame may want room, or not know of a late answer
            if not wants_layout(self.app) and resting_loop().answers == self._answers:
                break
            await self._settle_worked()

    async def _settle_worked(self) -> None:
        """Let the screen come to rest, and what it waits for."""
        await self._settle_screen()
        while await self._worked():
            await self._settle_screen()

    async def priced(self) -> None:
        """Wait for the first prices, which come from the exchange's own thread, and show them."""
        watched = [f"NSE:{symbol}" for symbol in ("RELIANCE", "TCS", "INFY")]
        await self._finish("the first prices", lambda: all(map(self.desk.market.quote, watched)))
        await self.settle()

    async def _worked(self) -> bool:
        """Wait for what needs the desk's thread; returns whether there was any such work."""
        waited = False
        for worker in list(self.app.workers):
            if self._is_still(worker):
                continue
            waited = True
            await self._finish(worker.name or worker.group, lambda worker=worker: self._is_still(worker))
        if self.app.desk_is_open:
            settled = asyncio.ensure_future(self.desk.settle())
            await rest()
            if not settled.done():
                waited = True
                await self._finish("the desk", settled.done)
            if resting_loop().with_threads:  # a run's end, which is written once its last order has ended
                waited = True
                await quiet()
        return waited

    async def _finish(self, what: str, done: Callable[[], bool]) -> None:
        """Wait for what needs the desk's thread, however slow the machine is."""
        for _ in range(15_000):
            await rest()
            if done():
                return
            await SystemClock().sleep(0.002)
        raise AssertionError(f"{what} did not come to rest")

    def _is_still(self, worker: Worker[object]) -> bool:
        """Whether a worker has ended, or waits for the clock or for what the trader does elsewhere."""
        return worker.is_finished or worker in self.clock.held or worker.group in ENDLESS

    async def _settle_screen(self) -> None:
        """Let the keys and what they set off on the screen come to rest, and a frame be laid out or drawn."""
        for _ in range(5_000):
            await self._pause()
            if self.app.key_queue.idle:
                break
            self.app.key_queue.go_on()  # as each frame does
            await SystemClock().sleep(0.001)
        else:
            raise AssertionError("keys wait for what does not come")
        self._answers = resting_loop().answers
        self._seen = False
        self.app.frame()
        await self._pause(look=True)
        assert not self.app.mending.complained, "a screen could not be painted"
        assert self.faults_meant or not self.app.mending.faults

    async def _pause(self, look: bool = False) -> None:
        """Let every part of the screen deal with its messages; one that failed would never answer.

        What has changed is laid out, and drawn only where a look is, or where drawing may fail.
        """
        if self.faults_meant:
            await SystemClock().sleep(0.02)
        await rest()
        with drawing() if self.faults_meant or (look and self.draws) else nullcontext():
            paint(self.app)
            await rest()
            for _ in range(LAYOUTS):
                if not (look and wants_layout(self.app)):
                    break
                paint(self.app)
                await rest()

    async def pass_time(self, seconds: float = 0.5) -> None:
        """Let the desk work: its sends, reads and commits happen meanwhile."""
        for _ in range(int(seconds / 0.1)):
            await self.clock.advance(0.1)
            await self._pause()
        self.at += seconds
        await self.settle()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the desk work until something holds; commits happen on a thread of their own."""
        for turn in range(500):
            if holds():
                return
            await self.pass_time(0.1)
            if turn > 20:  # a busy machine: its thread gets time that the desk's clock does not count
                await SystemClock().sleep(0.02)
        raise AssertionError("it did not come to that")

    async def ended(self) -> None:
        """Wait until the desk has closed and the app has ended by itself."""
        for _ in range(2_000):
            await SystemClock().sleep(0.01)
            if not self.app.is_running:
                break
        assert not self.app.is_running
        assert self.app.return_code == 0

    async def f9(self, later: float = 0.3) -> None:
        """Press F9, and let the time pass in which it could turn out to be held."""
        await self.keys("f9", apart=later)
        await self.clock.advance(0.1)
        await self.settle()

    async def rest_orders(self, *codes: str) -> list[int]:
        """A resting buy of one TCS far below the market for each of these clients."""
        ids = tuple(self.desk.clients.find(code).id for code in codes)
        await self.pass_time(0.3)
        intent = Intent(
            Side.BUY,
            "NSE:TCS",
            Sizing(SizingKind.FIXED_QUANTITY, 1),
            OrderType.LIMIT,
            limit_paise=paise_from_text("2,300.00"),
            selection=Selection(ids, title="some"),
        )
        plan = await self.desk.plans.freeze(intent)
        run = await self.desk.runs.start(plan, plan.digest)
        await self.until(
            lambda: all(self.desk.orders.get(one).state is OrderState.OPEN for one in run.order_ids)
        )
        return list(run.order_ids)

    def draw(self) -> None:
        """Draw all that stands now, unless the app has ended."""
        if not self.app.is_running:
            return
        with drawing():
            self.screen.refresh()
            paint(self.app)
        assert self.faults_meant or not self.app.mending.complained, "a screen could not be painted"

    def end(self) -> None:
        """Draw what a test leaves standing, unless it has read it."""
        if not self._seen:
            self.draw()

    def lines(self) -> list[str]:
        """What is on the screen, as text."""
        self._seen = True
        return shown_lines(self.app)

    @property
    def text(self) -> str:
        return "\n".join(self.lines())

    def row(self, words: str) -> list[str]:
        """The words of the first line that has these, without frames."""
        return next(line for line in self.lines() if words in line).replace("│", " ").split()


async def has_opened(app: TradedeskApp) -> None:
    """Wait until the desk is open and its first screen stands; its thread is as fast as the machine."""
    for _ in range(15_000):
        await rest()
        paint(app)
        await rest()
        if app.desk_is_open and app.screen.is_mounted:
            return
        await SystemClock().sleep(0.002)
    raise AssertionError("the desk did not open")


@asynccontextmanager
async def run(
    app: TradedeskApp, size: tuple[int, int], notifications: bool = False
) -> AsyncIterator[Pilot[None]]:
    """The app as it runs at a terminal of this size, its desk open; toasts are drawn if asked for."""
    with parsed_once(), drawn_at_rest():
        async with app.run_test(size=size, notifications=notifications) as pilot:
            await has_opened(app)
            yield pilot


@asynccontextmanager
async def opened(size: tuple[int, int] = (120, 40), **named: Any) -> AsyncIterator[Bench]:
    """The app with the demonstration's desk open and at rest on the Desk screen."""
    clock = BenchClock(MORNING)
    with TemporaryDirectory() as folder:

        @asynccontextmanager
        async def demo() -> AsyncIterator[Desk]:
            home = empty_books(Path(folder))
            opening = compose_desk(home, kind=DeskKind.APP, clock=clock, waits=WAITS, latency=(0, 0), seed=1)
            async with opening as desk:
                await prepare_demo(desk, shares=False)
                yield desk

        app = TradedeskApp(demo, clock=clock, frames_per_second=0, **named)
        async with run(app, size) as pilot:
            bench = Bench(app, pilot, clock)
            await bench.pass_time(0.2)
            await bench.priced()
            yield bench
            bench.end()
            await app.close_desk()
