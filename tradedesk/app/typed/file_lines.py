"""What a typed line about a file does: a list looked at before it is taken, a table of the desk written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import BadInput, TradedeskError
from data.vocabulary import ExportKind, ExportWhat
from engine.colon.asked import UNASKED, AskedCalendar, AskedEvidence, AskedExport, AskedImport
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from screens.frame.workspace import Framed

if TYPE_CHECKING:
    from tradedesk.app.shell import ShellApp


def about_files(app: ShellApp, asked: AskedImport | AskedExport | AskedEvidence) -> None:
    """Open the list, or write table or evidence. Raises `BadInput` where there is no table to be written."""
    if isinstance(asked, AskedImport):
        from screens.importing.screen import ImportScreen

        app.push_screen(ImportScreen(asked.path))
    elif isinstance(asked, AskedEvidence):
        app.run_worker(_evidence(app, asked.order_id), exit_on_error=False)
    elif asked.what is ExportWhat.AUDIT:
        app.say("the audit is being written to a file")
        app.run_worker(_audit(app, asked.kind), exit_on_error=False)
    elif asked.what is None:
        _table_here(app, asked.kind)
    else:
        _of_desk(app, asked.what, asked.kind)


def about_calendar(app: ShellApp, asked: AskedCalendar) -> None:
    """Open what a day is, or a year's list as it would be taken."""
    from screens.importing.calendar_card import CalendarCard, take_year

    if not isinstance(app.screen, Framed):
        return
    if asked.path is None:
        app.screen.open_card(CalendarCard(asked.day or app.desk.market_clock.trading_day))
    else:
        take_year(app.screen, asked.path, settlement=asked.settlement)


def _table_here(app: ShellApp, kind: ExportKind) -> None:
    from screens.frame.exports import short_path, write_table

    table = app.screen.table() if isinstance(app.screen, Framed) else None
    if table is None or not table.rows:
        raise BadInput("table", "", "what has the focus is no table with rows; say which: export clients")
    path = write_table(app.desk, table, kind)
    app.say(f"{counted(len(table.rows), 'row')} written to {short_path(app.desk, path)}")


def _of_desk(app: ShellApp, what: ExportWhat, kind: ExportKind) -> None:
    from screens.frame.desk_records import desk_records
    from screens.frame.exports import free_path, short_path, write_records

    shown = app.screen.in_view(what) if isinstance(app.screen, Framed) else None
    records = desk_records(app.desk, what, shown)
    if not records:
        raise BadInput("export", what.value, "there is no row of it in view")
    path = free_path(app.desk, what.value, kind.value)
    write_records(path, records, kind)
    of = "in view" if shown is not None else "of the desk"
    app.say(f"{counted(len(records), 'row')} {of} written to {short_path(app.desk, path)}")


async def _audit(app: ShellApp, kind: ExportKind) -> None:
    from screens.audit.screen import AuditScreen
    from screens.frame.exports import free_path, short_path, write_audit

    desk, screen = app.desk, app.screen
    path = free_path(desk, "audit", kind.value)
    wish = screen.wish if isinstance(screen, AuditScreen) else UNASKED
    try:
        written = await write_audit(desk, await desk.audit.search(wish), path, kind)
    except TradedeskError as problem:
        app.say(refusal_words(problem), "error")
    else:
        app.say(f"{counted(written, 'row')} written to {short_path(desk, path)}")


async def _evidence(app: ShellApp, order_id: int) -> None:
    from screens.frame.exports import short_path

    try:
        made = await app.desk.evidence.write(order_id)
    except TradedeskError as problem:
        app.say(refusal_words(problem), "error")
    else:
        app.say(f"evidence on order {order_id}: {short_path(app.desk, made.folder)}, seal {made.seal[:16]}…")
