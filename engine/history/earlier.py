"""Clients' days of before the books, read from a file: a row a client and day, all of it or nothing.

Columns are code, day (2026-11-17), portfolio, and where known flow (paid in, below zero paid out) and
net_pnl, in rupees. Without a flow there was none; without a net the day brought what the portfolio changed by
beyond it. The first day of a client begins its course, and what it brought is not known.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from msgspec import Struct, convert

from data.clock import day_from_text
from data.csvfiles import CsvRow, FileProblem, Problem, read_rows
from data.errors import BadInput
from data.money import amount_words, paise_from_text
from data.repositories.history.days import ToldDay

TOLERANCE_PAISE = 100
"""By so much a row may miss what the day before, its flow and its net come to: others round to rupees."""

_ALSO_CALLED = {
    "client": "code",
    "date": "day",
    "value": "portfolio",
    "portfolio_value": "portfolio",
    "net": "net_pnl",
}


class _DayCells(Struct, frozen=True):
    """A row of the file as it stands."""

    code: str
    day: str
    portfolio: str
    flow: str = ""
    net_pnl: str = ""


class _Row(Struct, frozen=True):
    """A row that could be read; a net that is not told is None."""

    number: int
    code: str
    client_id: int
    day: date
    portfolio_paise: int
    flow_paise: int
    net_pnl_paise: int | None


def read_earlier(path: Path, clients: Mapping[str, int], before: date) -> list[ToldDay]:
    """The days of a file, by client and day. `clients` are numbers by code.

    Raises `FileProblem` with every bad row, `OSError` where the file cannot be read.
    """
    problems: list[Problem] = []
    needed, also = ("code", "day", "portfolio"), ("flow", "net_pnl")
    rows = read_rows(path, needed, also, _ALSO_CALLED, problems)
    read = [one for row in rows if (one := _read(row, clients, before, problems)) is not None]
    read.sort(key=lambda one: (one.client_id, one.day))
    days: list[ToldDay] = []
    last: _Row | None = None
    for one in read:
        known = last if last is not None and last.client_id == one.client_id else None
        days.append(_told(one, known, problems))
        last = one
    if not rows and not problems:
        problems.append(Problem(1, "rows", "", "give a row for each client and day"))
    if problems:
        raise FileProblem(path, problems)
    return days


def _read(row: CsvRow, clients: Mapping[str, int], before: date, problems: list[Problem]) -> _Row | None:
    told, faults = convert(row.values, _DayCells), len(problems)
    code = told.code.upper()
    if code not in clients:
        problems.append(Problem(row.number, "code", told.code, "give the code of a client of this desk"))
    day = _day(row.number, told.day, before, problems)

    def paise(field: str, text: str) -> int | None:
        try:
            return paise_from_text(text, field) if text else None
        except BadInput as bad:
            problems.append(Problem(row.number, field, text, bad.expected))
            return None

    portfolio, flow = paise("portfolio", told.portfolio), paise("flow", told.flow)
    net = paise("net_pnl", told.net_pnl)
    if len(problems) > faults or day is None:
        return None
    return _Row(row.number, code, clients[code], day, portfolio or 0, flow or 0, net)


def _day(number: int, text: str, before: date, problems: list[Problem]) -> date | None:
    try:
        day = day_from_text(text, "day", "give a day such as 2026-11-17")
    except BadInput as bad:
        problems.append(Problem(number, "day", text, bad.expected))
        return None
    if day >= before:
        expected = f"give a day before {before.isoformat()}, from when on this desk keeps its own"
        problems.append(Problem(number, "day", text, expected))
        return None
    return day


def _told(row: _Row, before: _Row | None, problems: list[Problem]) -> ToldDay:
    """A day behind the one before it; the first brings nothing that is known."""
    if before is None:
        return ToldDay(row.client_id, row.day, row.portfolio_paise, 0, 0)
    if before.day == row.day:
        expected = f"{row.code} has this day in row {before.number} too"
        problems.append(Problem(row.number, "day", row.day.isoformat(), expected))
    grown = row.portfolio_paise - before.portfolio_paise - row.flow_paise
    net = grown if row.net_pnl_paise is None else row.net_pnl_paise
    if abs(grown - net) > TOLERANCE_PAISE:
        expected = f"the day before, the flow and {amount_words(grown)} come to this portfolio"
        problems.append(Problem(row.number, "net_pnl", amount_words(net), expected))
    return ToldDay(row.client_id, row.day, row.portfolio_paise, row.flow_paise, net)
