"""A day as files: the folder of the desk and every client, or one statement, as it stands or was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import BadInput
from data.records import replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from data.writing.whole_folder import WrittenFile
    from engine.close.views import DayReport
    from engine.desk import Desk


def of_whom(desk: Desk) -> tuple[int, ...] | None:
    """Whose files a day's job that is asked for here is of; None for everybody's.

    They are those that whoever asks may see, of several desks on the same books those of this one.
    """
    scope = desk.who.scope()
    if scope is None and desk.leases.shared:
        scope = frozenset(one.id for one in desk.clients.all())
    return None if scope is None else tuple(sorted(scope))


async def day_of(desk: Desk, day: date, client_id: int | None = None) -> DayReport:
    """The day as it was closed, else as it stands; of one client alone where one is named.

    Raises `BadInput` for a day that has not come, or on which no books were opened.
    """
    try:
        found = await desk.close.report(day)
    except BadInput:
        return await desk.close.preview(day, None if client_id is None else [client_id], costs=True)
    if client_id is None:
        return found
    return replace(found, clients=tuple(one for one in found.clients if one.client_id == client_id))


async def write_folder(desk: Desk, report: DayReport, whose: str) -> tuple[Path, Sequence[WrittenFile]]:
    """Write a day's folder away from the event loop; returns where it is and its files. Raises `BadInput`."""
    from asyncio import to_thread

    from tradedesk.reports.day_folder import write_day

    accounts = await desk.statements.of_day([one.client_id for one in report.clients], report.day)
    return await to_thread(write_day, desk.home, report, accounts, whose)


async def write_statement(
    desk: Desk, report: DayReport, client_id: int | None, out: Path | None, whose: str = ""
) -> Path:
    """Write a client's statement, or the desk's report where none is named. Raises `BadInput`."""
    from asyncio import to_thread

    from tradedesk.reports.one_file import write_one

    accounts = await desk.statements.of_day([one.client_id for one in report.clients], report.day)
    return await to_thread(write_one, desk.home, report, accounts, client_id, out, whose)
