"""The command line about days of the exchanges and files of lists: what is asked for, and what is said."""

from datetime import date

import pytest

from data.errors import BadInput
from engine.colon.asked import AskedCalendar, AskedLists
from engine.colon.completing import completions
from engine.colon.grammar import parse
from engine.words.colon import asked_words
from tests.tradedesk.test_colon import knowing


async def test_a_day_a_years_list_and_lists_of_shares_are_typed_as_they_are_said(tmp_path):
    file = tmp_path / "REG1 IND171126.csv"
    file.touch()
    async with knowing(tmp_path / "home") as (_, known):
        read = {
            "calendar": AskedCalendar(),
            "calendar 2026-11-24": AskedCalendar(date(2026, 11, 24)),
            f"calendar import {file}": AskedCalendar(path=file),
            f'calendar import "{file}" settlement': AskedCalendar(path=file, settlement=True),
            f"lists import {file}": AskedLists(path=file),
            f'lists import "{file}" as Restricted on 2026-11-17': AskedLists(
                "restricted", file, date(2026, 11, 17)
            ),
        }
        assert {line: parse(line, known) for line in read} == read
        assert [asked_words(asked, known.select) for asked in read.values()] == [
            "what the day is to the exchanges",
            "what 24 Nov 2026 is to the exchanges",
            "shows what taking the holidays of REG1 IND171126.csv would change; asks",
            "shows what taking the days that do not settle of REG1 IND171126.csv would change; asks",
            "shows what taking REG1 IND171126.csv would change; asks",
            "shows what taking REG1 IND171126.csv as restricted would change; asks",
        ]
        offered = [one.word for one in completions(f"lists import {tmp_path}/", known)]
        assert f'"{file}"' in offered


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("calendar tomorrow", "day"),
        ("calendar 2026-11-24 2026-11-25", "word"),
        ("calendar import", "file"),
        ("calendar import settlement", "file"),
        ("calendar import nowhere.csv", "file"),
        ("lists import", "file"),
        ("lists import x as gsm on monday", "as-of"),
    ],
)
async def test_what_is_no_day_and_no_file_is_named(tmp_path, line, field):
    async with knowing(tmp_path) as (_, known):
        with pytest.raises(BadInput) as refused:
            parse(line, known)
    assert refused.value.field == field
