"""A recorded day played again, by a desk on a paper exchange that follows it, in a home of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime, time
from itertools import count
from pathlib import Path

from msgspec import Struct

from brokers.recording.files import ENDING, happened_in
from brokers.recording.from_csv import record_csv
from brokers.recording.happenings import NewsHappened, moment_of
from brokers.recording.market import RecordedMarket, first_moment, instruments_in
from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import IST, Clock, FastClock
from data.errors import BadInput
from data.home import books_file, paper_exchange_file, recordings_folder, replays_folder
from data.migrating import prepare
from data.reference.instruments import at_broker
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import DeskKind
from engine.background import beside
from engine.desk import Desk
from engine.events import TapeLine
from engine.news import RecordedNews
from tradedesk.compose.brokers.paper import prepare_demo
from tradedesk.compose.brokers.paper_prices import take_instruments
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

FASTEST = 60.0
"""Beyond this the engine's own waits would be shorter than a commit."""


class Replay(Struct, frozen=True):
    """What is played: a recording, how fast and from when, and the home of its own in which it is."""

    file: Path
    home: Path
    speed: float
    begins_at: datetime


def replay_of(file: Path, home: Path, speed: float, begins: time | None) -> Replay:
    """A replay of a recording, or of a CSV file of ticks, beside a home. Raises `BadInput`, `OSError`."""
    if not 1 <= speed <= FASTEST:
        raise BadInput("speed", speed, f"give 1 to {FASTEST:g}")
    own = _own_home(home, file.stem)
    if file.suffix.lower() == ".csv":
        recording = recordings_folder(own) / f"{file.stem}{ENDING}"
        record_csv(file, recording, {row.instrument.key: row.instrument for row in universe()}.get)
        file = recording
    first = first_moment(file)
    at = first if begins is None else datetime.combine(first.astimezone(IST).date(), begins, IST)
    return Replay(file, own, speed, max(first, at))


def _own_home(home: Path, stem: str) -> Path:
    names = (replays_folder(home) / f"{stem}{'' if number == 1 else f'-{number}'}" for number in count(1))
    return next(one for one in names if not one.exists())


@asynccontextmanager
async def replay_desk(
    replay: Replay, kind: DeskKind, clock: Clock | None = None
) -> AsyncIterator[tuple[Desk, RecordedMarket]]:
    """The desk of a replay with the demonstration's clients, and the market that it is about."""
    replay.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    prepare(books_file(replay.home))
    clock, calendar = clock or FastClock(replay.begins_at, replay.speed), load_calendar()
    happened = happened_in(replay.file)
    last = moment_of(happened[-1]) if happened else None
    market = RecordedMarket(replay.file, clock, replay.begins_at, last)
    try:
        exchange = PaperExchange(
            paper_exchange_file(replay.home), clock, calendar, first_day=market.trading_day
        )
        exchange.follow(market)
        settings = Settings(record_prices_mb=0)
        async with compose_desk(
            replay.home, kind, clock=clock, exchange=exchange, calendar=calendar, settings=settings
        ) as desk:
            await prepare_demo(desk, shares=False)
            strange = [one for one in instruments_in(replay.file) if desk.market.index.get(one.key) is None]
            if strange:
                listed = [at_broker(one, str(-place)) for place, one in enumerate(strange, 1)]
                await take_instruments(desk, listed, replay.file.name, complete=False)
            desk.recorded.play(happened)
            market.begin()
            async with beside(_tell(desk)) if happened else nullcontext():
                yield desk, market
    finally:
        market.close()


async def _tell(desk: Desk) -> None:
    """Put on the tape what was told on the recorded day, as its market comes there; no order for itself."""
    known = len(desk.recorded.so_far())
    while True:
        await desk.clock.sleep(1.0)
        happened = desk.recorded.so_far()
        lines = [one for one in happened[known:] if isinstance(one, NewsHappened)]
        known = len(happened)
        desk.events.publish(TapeLine(desk.clock.now(), RecordedNews(one.words)) for one in lines)
