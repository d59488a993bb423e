"""The close and its corrections attacked: days that were none here, slips in notes, two at once."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from data.clock import day_from_text
from data.csvfiles import FileProblem
from data.errors import BadInput
from data.records import replace
from data.reference.tax import year_from_text
from data.vocabulary import CloseSource, DeskKind
from engine.close.views import DayReport
from engine.market.market import Market
from tests.desks import books_are_sound, in_time, manual_clock, on_its_books
from tests.engine.test_close import DAY, closed, traded
from tests.further import further
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk


@pytest.mark.parametrize("day", further([date(2026, 11, 15), date(2020, 1, 1), date(2026, 11, 17), date.min]))
async def test_a_day_on_which_no_books_were_opened_is_neither_shown_nor_sealed(tmp_path: Path, day: date):
    async with traded(tmp_path) as desk:
        for asked in (desk.close.preview, desk.close.prospect, desk.close.look):
            with pytest.raises(BadInput, match="no books were opened here on that day"):
                await asked(day)
        with pytest.raises(BadInput, match="no books were opened here on that day"):
            await in_time(desk, desk.close.close(day, 50))
        with pytest.raises(BadInput, match="it is not closed"):
            await desk.close.report(day)
        assert len((await desk.history.of([4], "x")).days) == 2, "what it began with, and today"


@pytest.mark.parametrize("day", [date(2026, 12, 25), date.max])
async def test_a_day_that_has_not_come_is_neither_shown_nor_sealed(tmp_path: Path, day: date):
    async with traded(tmp_path) as desk:
        for asked in (desk.close.preview, desk.close.prospect, desk.close.look):
            with pytest.raises(BadInput, match="give a day up to 2026-11-19"):
                await asked(day)
        with pytest.raises(BadInput, match="give a day up to 2026-11-19"):
            await in_time(desk, desk.close.close(day, 50))


async def test_a_quote_of_the_day_itself_does_not_say_what_it_closed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def nothing_told(self: Market, keys: object) -> None:
        """As with nobody signed in."""

    async with traded(tmp_path) as desk:
        told = desk.market.quote("NSE:TCS")
        assert told is not None
        at = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
        of_the_day = replace(told, market_at=at, prev_close_paise=2_000_00)
        monkeypatch.setattr(Market, "fetch", nothing_told)
        monkeypatch.setattr(Market, "quote", lambda self, key: of_the_day)
        assert CloseSource.NEXT_DAY not in (await desk.close.preview(DAY)).prices


async def test_a_note_beyond_what_was_traded_is_a_slip_and_is_named(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)
        code = desk.clients.get(4).code
        with pytest.raises(BadInput, match="more than all that was traded"):
            await desk.contract_notes.note(4, DAY, {"total": 10**16}, "x")
        file = tmp_path / "notes.csv"
        file.write_text(f"code,day,total\n{code},{DAY},12.34\n{desk.clients.get(1).code},{DAY},99999999\n")
        with pytest.raises(FileProblem) as bad:
            await desk.contract_notes.take_file(file)
        assert [(one.row, one.field) for one in bad.value.problems] == [(3, "total")]
        assert await desk.contract_notes.corrections([1, 4]) == []


async def both(one: Awaitable[Any], other: Awaitable[Any]) -> list[Any]:
    return list(await asyncio.gather(one, other, return_exceptions=True))


@pytest.mark.proof
async def test_two_programs_that_close_and_correct_at_once_do_it_once(tmp_path: Path):
    async with (
        traded(tmp_path) as desk,
        compose_desk(
            tmp_path,
            DeskKind.SCRIPT,
            clock=manual_clock(desk),
            settings=on_its_books(Settings(trader="other"), tmp_path),
            exchange=exchange_of(desk),
            latency=(0.0, 0.0),
        ) as other,
    ):
        made = await in_time(desk, both(desk.close.close(DAY, 50), other.close.close(DAY, 50)))
        reports = [one for one in made if isinstance(one, DayReport)]
        assert reports
        assert all(isinstance(one, (DayReport, BadInput)) for one in made), (
            "one may wait for the other's backup"
        )
        assert (reports[0].rev, len(reports[0].clients)) == (1, 50)
        notes = await in_time(
            desk,
            both(
                desk.contract_notes.note(4, DAY, {"total": 77_00}, "one"),
                other.contract_notes.note(4, DAY, {"total": 77_00}, "other"),
            ),
        )
        assert sum(len(one) for one in notes) == 1
        await in_time(desk, both(desk.close.close(DAY, 1), other.close.close(DAY, 1)))
        report = await desk.close.report(DAY)
        (day,) = [one for one in report.clients if one.client_id == 4]
        assert (report.rev, day.charges_paise - day.charges.dp_paise) == (2, 77_00)
        await books_are_sound(desk)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "1899-12-31", "2026-02-30", "", "१"])
def test_a_day_at_the_ends_of_a_calendar_is_refused_where_it_is_typed(text: str):
    with pytest.raises(BadInput, match="give a date as YYYY-MM-DD"):
        day_from_text(text)
    with pytest.raises(BadInput, match="financial year"):
        year_from_text(
            f"{text[:4]}-{(int(text[:4]) + 1) % 100:02d}" if text[:4] in ("0001", "9999") else text
        )


async def test_a_reason_is_one_line_that_can_be_read_and_ends(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)
        for bad in ("", " \n ", "note \u202e77", "note\x00", "x" * 501):
            with pytest.raises(BadInput) as refused:
                await desk.contract_notes.note(4, DAY, {"total": 9_01}, bad)
            assert refused.value.field == "reason"
        (made,) = await desk.contract_notes.note(4, DAY, {"total": 9_01}, " \u0928\u094b\u091f\n77 ")
        assert made.reason == "\u0928\u094b\u091f 77"
