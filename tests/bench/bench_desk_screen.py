"""Cost of a frame of the whole Desk against DataTables of its size: 1,000 clients, 500 symbols, 200x50.

Every symbol ticks ten times a second, 5,000 ticks in all, and every client holds some, so that each frame
values everybody anew. Panels, the lines of the day and the third pane are on. Held against an app of
two of Textual's DataTables, 1,000 rows of 15 columns and 500 of 8, of which as many cells change.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import DataTable

from brokers.contract import RawPacket, Tick, Ticks, UnreadTick
from brokers.simulators.exchange.openings import HoldingOpening
from brokers.simulators.exchange.prices import Listing
from data.reference.instruments import BrokerInstrument
from engine.desk import Desk
from tests.bench.bench_livegrid import figure, hand_over, make_rows, measure
from tests.bench.frame import Aim, Bench, Figures, Lag, as_started
from tests.bench.homes import bench_desk, compare_all, people
from tradedesk.app import application
from tradedesk.app.application import TradedeskApp
from tradedesk.compose.brokers.paper import exchange_of

CLIENTS, SYMBOLS, HELD = 1_000, 500, 4
HERTZ, WARM_FRAMES, FRAMES = 10, 30, 60
COLUMNS, LIVE, WATCHED, LIVE_WATCHED = 15, 5, 8, 4
FIRST_PAISE = 1_000_00
AIMS = (
    Aim("part of DataTable's", 0.2),
    Aim("lag p95", 15.0, "ms"),
    Aim("frames a second", 0.97 * HERTZ, least=True),
)
KEYS = [f"NSE:S{number:03d}" for number in range(SYMBOLS)]


class Made:
    """An arrival whose packets hold nothing but a price, in place of their token."""

    def __init__(self) -> None:
        self.received_at = datetime.now(UTC)
        self.received_s = time.monotonic()

    def tick(self, key: str, packet: RawPacket) -> Tick:
        last = packet[0]
        high, low = FIRST_PAISE * 2, FIRST_PAISE // 2
        circuits = (1, FIRST_PAISE * 3)
        at = self.received_at
        prices = (last, FIRST_PAISE, FIRST_PAISE, high, low, 1_000_000, last - 5, last + 5)
        return Tick(key, *prices, *circuits, at, at)


async def ticking(desk: Desk) -> None:
    """Put a packet of every symbol into the quote map, ten times a second."""
    dice, quotes = random.Random(5), desk.workings.market_data.quotes
    while True:
        made = Made()
        packets: dict[str, UnreadTick] = {
            key: ((FIRST_PAISE + dice.randrange(-5_000, 5_000), b""), made) for key in KEYS
        }
        quotes.put_all(Ticks(packets, made.received_at, made.received_at))
        await asyncio.sleep(1 / HERTZ)


async def lay_all(desk: Desk) -> None:
    """The symbols, pinned at the exchange; the clients with their shares; everything on the watchlist."""
    instruments = [
        BrokerInstrument(
            token=str(number + 1),
            exchange="NSE",
            tradingsymbol=key.partition(":")[2],
            name="",
            tick_paise=5,
            sector=f"Sector {number % 12}",
            prev_close_paise=FIRST_PAISE,
        )
        for number, key in enumerate(KEYS)
    ]
    exchange = exchange_of(desk)
    begun = (FIRST_PAISE, FIRST_PAISE, FIRST_PAISE, FIRST_PAISE, 1_000_000)
    exchange.list_instruments([Listing(one, *begun) for one in instruments])
    await desk.market.store_instruments(instruments, "bench")
    for key in KEYS:
        exchange.pin(key, FIRST_PAISE, FIRST_PAISE)
    await desk.clients.add(people(CLIENTS))
    dice = random.Random(6)
    exchange.open_holdings(
        HoldingOpening(client.code, key, 10, 10 * FIRST_PAISE)
        for client in desk.clients.all()
        for key in dice.sample(KEYS, HELD)
    )
    await compare_all(desk)
    await desk.watchlists.add_all(KEYS)


class DeskApp(TradedeskApp):
    """The app, which measures itself once everything ticks."""

    CSS_PATH = Path(application.__file__).with_name("tradedesk.tcss")

    def __init__(self, home: Path) -> None:
        super().__init__(lambda: self._opened(home), frames_per_second=HERTZ)
        self._frame = 0
        self._lag = Lag()
        self.result: dict[str, float] = {}

    @asynccontextmanager
    async def _opened(self, home: Path) -> AsyncIterator[Desk]:
        async with bench_desk(home) as desk:
            await lay_all(desk)
            task = asyncio.create_task(ticking(desk))
            yield desk
            task.cancel()

    def frame(self) -> None:
        super().frame()
        if not self.desk_is_open:
            return
        self._frame += 1
        if self._frame == WARM_FRAMES:
            self._lag.begin()
        elif self._frame == WARM_FRAMES + FRAMES:
            self.result = self._lag.figures(FRAMES)
            self._quit_asked.set()


class TablesApp(App[None]):
    """Two DataTables whose cells change as those of the Desk do."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = make_rows(random.Random(7))
        self._tables: list[tuple[DataTable[str], list[str], int, int]] = [
            (DataTable(cursor_type="row"), list(self._rows)[:rows], columns, live)
            for rows, columns, live in ((SYMBOLS, WATCHED, LIVE_WATCHED), (CLIENTS, COLUMNS, LIVE))
        ]
        self._frame = 0
        self._lag = Lag()
        self.result: dict[str, float] = {}

    def compose(self) -> ComposeResult:
        with Horizontal():
            for table, *_ in self._tables:
                yield table

    def on_mount(self) -> None:
        for table, rows, columns, _ in self._tables:
            for place in range(columns):
                table.add_column(f"figure {place}", key=f"f{place}", width=10)
            for key in rows:
                table.add_row(key, *(figure(at)(self._rows[key]) for at in range(columns - 1)), key=key)
        self.set_interval(1 / HERTZ, self._next_frame)

    def _next_frame(self) -> None:
        self._frame += 1
        if self._frame == WARM_FRAMES:
            self._lag.begin()
        elif self._frame == WARM_FRAMES + FRAMES:
            self.result = self._lag.figures(FRAMES)
            self.exit()
            return
        for row in self._rows.values():
            for place in range(LIVE):
                row.paise[place] = -row.paise[place] + self._frame
        for table, rows, _, live in self._tables:
            for key in rows:
                for place in range(live):
                    table.update_cell(key, f"f{place + 1}", figure(place)(self._rows[key]))


def once() -> Figures:
    """Figures of one round."""
    desk, tables = (measure(design, "tests.bench.bench_desk_screen") for design in ("desk", "tables"))
    return {
        "part of DataTable's": desk["frame_ms"] / tables["frame_ms"],
        "lag p95": desk["lag_p95_ms"],
        "frames a second": desk["hertz"],
        "share of a core %": desk["cpu_percent"],
        "desk frame ms": desk["frame_ms"],
        "tables frame ms": tables["frame_ms"],
        "tables frames a second": tables["hertz"],
        "tables lag p95": tables["lag_p95_ms"],
    }


def rounds(_: argparse.Namespace) -> nullcontext[Callable[[], Figures]]:
    """Nothing is prepared."""
    return nullcontext(once)


def child(design: str, results: int) -> None:
    """Measure one design in this process and hand its figures over."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        as_started()
        hand_over(DeskApp(Path(folder) / "home") if design == "desk" else TablesApp(), results)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--child":
        child(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(Bench(AIMS, rounds).run(__doc__))
