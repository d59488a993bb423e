"""The app over the demonstration desk: a clock moved by hand, pinned prices, no latency."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from brokers.paper.broker import PULSE_SECONDS
from data.vocabulary import DeskKind
from engine.desk import Desk
from tests.desks import START, paper_desk
from tests.screens.bench import Bench, BenchClock, run
from tradedesk.app.application import TradedeskApp
from tradedesk.app.look import KeptSettings
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.settings import Settings
from tradedesk.testing import toasts_shown


class PaperBench(Bench):
    """A bench whose desk is a real one on the paper exchange."""

    @property
    def toasts(self) -> list[str]:
        return toasts_shown(self.app)

    async def pass_time(self, seconds: float = 0.5) -> None:
        """Move the clock on, with the feed beating along."""
        await self.clock.advance(seconds)
        await self.settle()

    async def pin(self, symbol: str, last_paise: int) -> None:
        """Move a pinned price and let the desk hear of it."""
        exchange_of(self.desk).pin(symbol, last_paise, 239520)
        await self.desk.market.fetch({f"NSE:{symbol}"})
        await self.settle()

    def client(self, code: str) -> int:
        return self.desk.clients.find(code).id


@asynccontextmanager
async def opened_on_paper(
    home: Path,
    size: tuple[int, int] = (120, 40),
    settings: Settings | None = None,
    kept: KeptSettings | None = None,
    notifications: bool = False,
    **named: Any,
) -> AsyncIterator[PaperBench]:
    """The app with the demonstration desk open, at rest on the Desk screen; toasts are drawn if asked for."""
    clock = BenchClock(START)

    @asynccontextmanager
    async def desk() -> AsyncIterator[Desk]:
        context: AbstractAsyncContextManager[Desk] = paper_desk(
            home, kind=DeskKind.APP, settings=settings, clock=clock, **named
        )
        async with context as opened:
            yield opened

    app = TradedeskApp(desk, clock=clock, prepare=lambda: settings, frames_per_second=0, kept=kept)
    async with run(app, size, notifications) as pilot:
        bench = PaperBench(app, pilot, clock)
        await bench.settle()
        await bench.pass_time(PULSE_SECONDS)  # the next pulse has what was asked for
        if settings is None or settings.workspace == "desk":  # what another one shows needs no prices yet
            await bench.priced()
        yield bench
        bench.end()
