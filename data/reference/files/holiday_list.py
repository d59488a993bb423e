"""Reading an exchange's own list of holidays: NSE's as CSV or JSON, BSE's as CSV.

NSE's JSON has a list a segment, of which `CM` (equity) is read; of the list of clearing holidays too.
Weekdays that are named are held against the dates, so that a list of another year is found out.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from data.csvfiles import FileProblem, Problem, decoded_lines, read_rows

SEGMENT = "CM"
"""NSE's word for the segment of equity."""

_ALSO_CALLED = {
    "date": "date",
    "trading_date": "date",
    "tradingdate": "date",
    "holiday_date": "date",
    "description": "name",
    "holiday": "name",
    "holidays": "name",
    "name": "name",
    "day": "weekday",
    "weekday": "weekday",
    "week_day": "weekday",
}
_FORMS = ("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%B %d %Y", "%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y")
DATES = "26-Jan-2027, 26 January 2027, January 26, 2027 or 2027-01-26"
"""How a date may be written."""


class ListedHoliday(Struct, frozen=True):
    """A holiday as it is listed, and the row of the file that it stands in."""

    row: int
    day: date
    name: str


class HolidayList(Struct, frozen=True):
    """The holidays of a file, and what is wrong with the rows that are none."""

    holidays: tuple[ListedHoliday, ...]
    problems: tuple[Problem, ...]


def read_holidays(path: Path) -> HolidayList:
    """The holidays that a file lists, each row judged by itself.

    Raises `FileProblem` where it is no such list at all, `OSError` where it cannot be read.
    """
    faults: list[Problem] = []
    found: list[ListedHoliday] = []
    rows = _of_json(path) if path.suffix.lower() == ".json" else _of_csv(path, faults)
    for row, values in rows:
        problem = _taken(row, values, found)
        if problem is not None:
            faults.append(problem)
    return HolidayList(tuple(found), tuple(sorted(faults, key=lambda one: one.row)))


def _of_csv(path: Path, faults: list[Problem]) -> list[tuple[int, Mapping[str, str]]]:
    rows = read_rows(path, ("date", "name"), ("weekday",), _ALSO_CALLED, faults)
    return [(row.number, row.values) for row in rows]


def _of_json(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    try:
        told: Any = json.loads("".join(decoded_lines(path)))
    except ValueError as error:
        raise FileProblem(path, [Problem(1, "file", path.name, f"it must be JSON: {error}")]) from None
    if isinstance(told, dict):
        told = cast("dict[str, Any]", told).get(SEGMENT)
    if not isinstance(told, list) or not told:
        words = f"it must have a list of holidays, or one under `{SEGMENT}`"
        raise FileProblem(path, [Problem(1, "file", path.name, words)])
    return [(number, _values(one)) for number, one in enumerate(cast("list[Any]", told), start=1)]


def _values(one: Any) -> Mapping[str, str]:
    if not isinstance(one, dict):
        return {}
    named = [(name.lower(), value) for name, value in cast("dict[str, Any]", one).items()]
    return {_ALSO_CALLED[name]: str(value).strip() for name, value in named if name in _ALSO_CALLED and value}


def _taken(row: int, values: Mapping[str, str], found: list[ListedHoliday]) -> Problem | None:
    """Add what a row lists; returns what is wrong with it, or None."""
    text, name = values.get("date", ""), re.sub(r"[*#@$\s]+$", "", values.get("name", "")).strip()
    day = _day(text)
    if day is None:
        return Problem(row, "date", text, f"write it as {DATES}")
    if not name:
        return Problem(row, "name", name, "say which holiday it is")
    weekday = values.get("weekday", "")
    if weekday and not f"{day:%A}".casefold().startswith(weekday.casefold()[:3]):
        return Problem(row, "weekday", weekday, f"{day:%d %b %Y} is a {day:%A}")
    same = next((one for one in found if one.day == day), None)
    if same is not None:
        return Problem(row, "date", text, f"row {same.row} has this date already")
    found.append(ListedHoliday(row, day, name))
    return None


def _day(text: str) -> date | None:
    plain = re.sub(r"[,.]", " ", text)
    plain = " ".join(plain.split())
    for form in _FORMS:
        try:
            return datetime.strptime(plain, form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    return None


def year_text(
    year: int,
    holidays: Mapping[date, str],
    settlement: Mapping[date, str] | None,
    source: str,
    author: str,
) -> str:
    """A year as a calendar file has it, with who put it there."""
    lines = ["[[year]]", f"year = {year}", f"source = {_quoted(source)}", f"author = {_quoted(author)}"]
    lines += ["[year.holidays]", *_days(holidays.items())]
    if settlement is not None:
        lines += ["[year.settlement_holidays]", *_days(settlement.items())]
    return "\n".join(lines) + "\n"


def _days(days: Iterable[tuple[date, str]]) -> Sequence[str]:
    return [f"{day.isoformat()} = {_quoted(name)}" for day, name in sorted(days)]


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's escapes are among its own."""
    return json.dumps(text, ensure_ascii=False)
