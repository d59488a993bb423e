"""The exchange's own list of an index: taken whole or not at all, dated, and what searches go by."""

from datetime import date
from pathlib import Path

import pytest

from data.csvfiles import FileProblem
from data.errors import BadInput
from data.home import classes_file
from engine.market.search_words import search_from
from tests.desks import START, paper_desk

HEADER = "Company Name,Industry,Symbol,Series,ISIN Code"
TODAY = START.date()
FRESH = "New Ltd,IT,NEWONE,EQ,INE999Z01010"


def listed(folder: Path, *rows: str) -> Path:
    path = folder / "ind_nifty50list.csv"
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    return path


async def found(desk, words: str) -> set[str]:
    return set((await desk.market.find(search_from(words, desk.market.classes))).keys)


def row_of(desk, symbol: str) -> str:
    one = desk.market.index.get(f"NSE:{symbol}")
    return f"{one.name},Services,{symbol},EQ,{one.isin or 'INE000A01019'}"


async def test_a_list_takes_the_place_of_the_one_before_and_stays_after_a_restart(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        assert "NSE:RELIANCE" in await found(desk, "index:nifty50")
        file = listed(tmp_path, row_of(desk, "TCS"), row_of(desk, "INFY"), FRESH)
        taken = await desk.index_lists.take("nifty50", file, TODAY)
        assert (taken.name, taken.word, taken.shares, taken.unknown) == (
            "NIFTY 50",
            "nifty50",
            3,
            ("NEWONE",),
        )
        assert (taken.before, taken.came, "RELIANCE" in taken.gone) == (date(2026, 3, 30), ("NEWONE",), True)
        assert await found(desk, "index:nifty50") == {"NSE:TCS", "NSE:INFY"}
        assert await found(desk, "index:nifty") == {"NSE:TCS", "NSE:INFY"}, "what it is also called stays"
        own = await desk.index_lists.take("My [red]picks", listed(tmp_path, row_of(desk, "TCS")), TODAY)
        assert own.before is None
        assert await found(desk, "index:myredpicks") == {"NSE:TCS"}
        (row, _) = await desk.audit.rows(action="INSTRUMENTS_IMPORTED", limit=2)
        assert (row.details["index"], row.details["as_of"]) == ("NIFTY 50", TODAY.isoformat())
    async with paper_desk(tmp_path, demo=False) as desk:
        assert await found(desk, "index:nifty50") == {"NSE:TCS", "NSE:INFY"}
        classes_file(tmp_path).write_text("[[index]]\nname = 5\n", encoding="utf-8")
        await desk.market.load()
        assert "NSE:RELIANCE" in await found(desk, "index:nifty50"), "a file that is none is passed over"
        with pytest.raises(BadInput, match="mend or remove it"):
            await desk.index_lists.take("nifty50", listed(tmp_path, row_of(desk, "TCS")), TODAY)


async def test_what_is_odd_is_named_by_row_and_nothing_is_taken(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        before = await found(desk, "index:nifty50")
        bad = listed(
            tmp_path,
            row_of(desk, "TCS"),
            row_of(desk, "TCS"),
            "Tata,IT,tcs,EQ,INE467B01029",
            "Tata,IT,WIPRO,EQ,1234",
            "Tata,IT,INFY,EQ,INE000A01019",
            "Tata,IT,,EQ,INE467B01029",
            "Tata,IT,SBIN",
        )
        with pytest.raises(FileProblem) as told:
            await desk.index_lists.take("nifty50", bad, TODAY)
        assert {problem.row for problem in told.value.problems} >= {3, 4, 5, 7, 8}
        good = listed(tmp_path, row_of(desk, "TCS"))
        for name, day, words in (
            ("nifty50", date(2026, 3, 29), "the list that stands is of 2026-03-30"),
            ("nifty50", date(2027, 1, 1), "give a day up to"),
            ("!!", TODAY, "letters or digits"),
            ("x" * 41, TODAY, "1 to 40"),
            ("a\x1bb", TODAY, "cannot be seen"),
        ):
            with pytest.raises(BadInput, match=words):
                await desk.index_lists.take(name, good, day)
        assert await found(desk, "index:nifty50") == before
        assert not classes_file(tmp_path).exists()
        told_of = await desk.audit.rows(action="INSTRUMENTS_IMPORTED")
        assert [row for row in told_of if "index" in row.details] == []
