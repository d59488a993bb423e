"""Workspace 8: the day as it stands, the close as a checklist, and the key that closes it."""

from datetime import date

import pytest

from data.vocabulary import SizingKind
from engine.close.views import CloseProspect, ForTomorrow
from screens.clients.page import ClientScreen
from screens.day.rows import close_lines
from screens.day.screen import DayScreen
from tests.desks import buy
from tests.further import further
from tests.screens.bench import opened
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam


@pytest.mark.parametrize("size", further([(80, 24), (200, 50)]), ids=str)
async def test_the_day_is_shown_at_any_time_and_closed_once_it_is_over(size: tuple[int, int]) -> None:
    async with opened(size=size) as bench:
        desk = bench.desk
        await bench.pass_time(0.3)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 3, 1, 4))
        await desk.runs.start(plan, plan.digest)
        await bench.until(lambda: len(desk.holdings.all()) == 2)
        await bench.keys("8")
        assert isinstance(bench.screen, DayScreen)
        await bench.until(lambda: "can be closed from 16:00 on" in bench.text)
        assert "provisional" in bench.text
        exchange_of(desk).jump(seam(desk).calendar.session_close(desk.market_clock.trading_day))
        await bench.settle()  # no time passes: the day is looked at again since the market's was put on
        assert "Wed 18 Nov 2026: 50 can be closed" in bench.text
        await bench.keys("enter")
        assert isinstance(bench.screen, ClientScreen)
        await bench.keys("escape")
        assert isinstance(bench.screen, DayScreen)
        await bench.pilot.press("Z")
        await bench.until(lambda: "type  close 50  and Enter" in bench.text)
        assert "closed, rev 1" not in bench.text, "no single key closes a day"
        await bench.type("close 50")
        await bench.keys("enter")
        await bench.until(lambda: "18 Nov closed, rev 1, seal " in bench.text)


async def test_figures_that_are_not_read_again_say_how_old_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screens.day.screen.EVERY_S", 1000.0)  # as after a look that took long
    async with opened(size=(80, 24)) as bench:
        await bench.keys("8")
        await bench.until(lambda: "provisional" in bench.text)
        assert " old" not in bench.text
        await bench.pass_time(20)
        assert "s old" in bench.text


def test_a_short_terminal_counts_what_it_does_not_name() -> None:
    pledges = tuple((code, "TCS", "19:00") for code in ("RG1008", "PS1015", "RV1012"))
    lines = close_lines(CloseProspect(date(2026, 11, 18), 1, 50, ()), ForTomorrow(pledges), 80, short=True)
    assert lines[-1] == "→ RG1008: accept the pledge of TCS by 19:00  +2: eod --check"
