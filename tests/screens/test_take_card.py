"""Files of the exchange on screen: looked at before taken, each wrong row named; a day's calendar."""

from pathlib import Path

from screens.importing.calendar_card import CalendarCard
from screens.importing.take_card import TakeCard
from tests.screens.papers import PaperBench, opened_on_paper

YEAR = "Date,Day,Description\n26-Jan-2027,Tuesday,Republic Day\n29-Oct-2027,Friday,Diwali\n"


async def line(bench: PaperBench, words: str) -> None:
    await bench.keys("colon")
    await bench.type(words)
    await bench.keys("enter")


async def test_a_list_is_taken_once_it_was_seen_and_a_year_without_its_wrong_rows(tmp_path: Path) -> None:
    shares, year = tmp_path / "own.csv", tmp_path / "cal.csv"
    shares.write_text("Symbol,Reason\nRELIANCE,court\nreliance,\n", encoding="utf-8")
    year.write_text(YEAR + "31-Feb-2027,Monday,Nothing\n", encoding="utf-8")
    async with opened_on_paper(tmp_path / "home", size=(80, 24)) as bench:
        desk = bench.desk
        await line(bench, f"lists import {shares} as restricted")
        assert isinstance(bench.card, TakeCard)
        await bench.until(lambda: "1 row wrong, nothing is taken" in bench.text)
        assert "give the symbol as NSE writes it" in " ".join(bench.text.split())
        await bench.keys("enter", "u", "escape")
        assert desk.share_lists.all() == []

        shares.write_text("Symbol,Reason\nRELIANCE,court\nNOSUCH,\n", encoding="utf-8")
        await line(bench, f"lists import {shares} as restricted")
        await bench.until(lambda: "2 shares, 1 not known here" in bench.text)
        assert desk.share_lists.all() == [], "a look writes nothing"
        await bench.keys("enter")
        await bench.until(lambda: [one.name for one in desk.share_lists.all()] == ["restricted"])

        await line(bench, f"calendar import {year}")
        await bench.until(lambda: "u leaves the wrong rows out" in bench.text)
        await bench.keys("enter")
        assert desk.calendar.own_rows == []
        await bench.keys("u")
        await bench.until(lambda: "2027: 2 holidays, 2 new, 0 gone" in bench.text)
        assert "left out: row 4, date" in bench.text
        await bench.keys("enter")
        await bench.until(lambda: len(desk.calendar.own_rows) == 1)


async def test_a_day_is_shown_with_its_phases_and_braces_go_to_the_days_beside_it(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await line(bench, "calendar 2026-11-23")
        assert isinstance(bench.card, CalendarCard)
        assert "09:15-15:15 continuous" in bench.text
        assert ":calendar import FILE [settlement]" in bench.text
        await bench.keys("right_curly_bracket")
        assert "Tue 24 Nov 2026: holiday" in bench.text
        await bench.keys("left_curly_bracket", "left_curly_bracket", "left_curly_bracket")
        assert "Sat 21 Nov 2026: weekend" in bench.text
