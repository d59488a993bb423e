"""A day's folder in the home: the desk's report and every client's statement, all of them or none.

Names begin with the day, so that they sort alike wherever a file is sent to.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from data.errors import BadInput
from data.home import days_folder
from data.writing.whole_folder import WrittenFile, put_folder_whole
from engine.close.views import ClientDay, DayReport
from tradedesk.reports.document import PrintedTable, Report
from tradedesk.reports.letterhead import Letterhead, letterhead_of
from tradedesk.reports.pdf import pdf_of
from tradedesk.reports.plain import csv_of
from tradedesk.reports.statements import client_statement, desk_report
from tradedesk.reports.tables import Accounts
from tradedesk.reports.workbook import workbook_of

DESK = "desk"
"""What the files of a report of the whole desk are called."""


def day_folder(home: Path, report: DayReport, whose: str = "") -> Path:
    """Where a day's files are: later revisions beside the first one, and beside the desk's somebody's own."""
    rev = "provisional" if report.provisional else f"rev{report.rev}" if report.rev > 1 else ""
    return days_folder(home) / "-".join(filter(None, (report.day.isoformat(), rev, file_word(whose))))


def write_day(
    home: Path, report: DayReport, accounts: Accounts, whose: str = ""
) -> tuple[Path, tuple[WrittenFile, ...]]:
    """Write a day's folder; returns where it is and its files with their hashes.

    `whose` names the person whose clients alone the report has, empty where it is the desk's.
    Raises `BadInput` for a letterhead that cannot be used, or a folder that cannot be written.
    """
    head, logo = letterhead_of(home)
    folder = day_folder(home, report, whose)
    try:
        return folder, put_folder_whole(folder, day_files(report, accounts, head, logo, whose))
    except OSError as problem:
        raise BadInput("folder", str(folder), f"it cannot be written: {problem.strerror}") from None


def day_files(
    report: DayReport, accounts: Accounts, head: Letterhead, logo: bytes | None, whose: str = ""
) -> Iterator[tuple[str, bytes]]:
    """The files of a day by name, made one after the other."""
    day, name = report.day.isoformat(), file_word(whose) or DESK
    whole = desk_report(report, accounts, whole=True, whose=whose)
    yield f"{day}-{name}.pdf", pdf_of(desk_report(report, accounts, whole=False, whose=whose), head, logo)
    yield f"{day}-{name}.xlsx", workbook_of(whole, head)
    yield f"{day}-{name}.json", _json(report)
    for part in whole.parts:
        if isinstance(part, PrintedTable):
            yield f"{day}-{part.name.lower()}.csv", csv_of(part)
    for name, statement in statements_of(report, accounts):
        yield f"statements/{day}-{name}.pdf", pdf_of(statement, head, logo)


def file_name(one: ClientDay) -> str:
    """A client's code as the name of a file."""
    return file_word(one.code)


def file_word(text: str) -> str:
    """A text as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


def statements_of(report: DayReport, accounts: Accounts) -> Iterator[tuple[str, Report]]:
    """Each client's statement under a name that a file can have and that no other client has."""
    taken: set[str] = set()
    for one in report.clients:
        name = file_name(one)
        if name.lower() in taken:
            name = f"{name}-{one.client_id}"
        taken.add(name.lower())
        yield name, client_statement(report, one, accounts[one.client_id])


def _json(report: DayReport) -> bytes:
    from msgspec import json

    from tradedesk.cli.views.eod import day_shape

    return json.format(json.encode(day_shape(report)), indent=1) + b"\n"
