"""A machine whose clock is off by more than half a second sends nothing to books on a server."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from data.clock import SystemClock
from data.engines.postgres import PostgresBooks
from data.vocabulary import RunCount, SizingKind
from engine.desk import Desk
from engine.refusals import TradingStopped
from engine.server_clock import ServerClock
from tests.books import POSTGRES
from tests.desks import buy, carry_out, manual_clock, paper_desk, until


class OffClock(SystemClock):
    """This machine's clock, off by so many seconds."""

    def __init__(self, ahead_s: float) -> None:
        self._ahead = timedelta(seconds=ahead_s)

    def now(self) -> datetime:
        return super().now() + self._ahead


def set_clock(desk: Desk, ahead_s: float) -> None:
    database = desk.workings.kept.store.database
    assert isinstance(database, PostgresBooks)
    database.clock = OffClock(ahead_s)


@pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)
async def test_a_clock_that_is_off_stops_trading_until_it_is_set_right(
    tmp_path: Path, books_engine: str
) -> None:
    intent = buy("TCS", SizingKind.FIXED_QUANTITY, 1, 7, again=True)
    async with paper_desk(tmp_path) as desk:
        for ahead_s, words in ((2.0, "2.0 s ahead of"), (-0.9, "0.9 s behind")):
            set_clock(desk, ahead_s)
            await until(desk, lambda: desk.trading_disabled is not None, step_s=1.0)
            assert words in str(desk.trading_disabled)
            with pytest.raises(TradingStopped, match=words):
                await carry_out(desk, intent)
            set_clock(desk, 0.3)
            await until(desk, lambda: desk.trading_disabled is None, step_s=1.0)
            _, made = await carry_out(desk, intent)
            assert made.counts[RunCount.FILLED] == 1


async def test_books_in_a_file_have_no_clock_of_their_own(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        clock = ServerClock(desk.workings.kept.store)
        await clock.look()
        assert clock.differs == ""
        assert manual_clock(desk).now().year == 2026, "and the desk goes by what it is given"
