"""What does each kind of job. None of it writes at a broker; a second time it changes nothing."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from data.errors import BadInput, TradedeskError
from data.vocabulary import ConnectionKind, ExportKind, ExportWhat, JobKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from engine.desk import Desk
    from engine.jobs.asked import (
        BackupCheckAsked,
        BooksReadAsked,
        ClientImportAsked,
        DayReportAsked,
        ExportAsked,
        InstrumentImportAsked,
        ReconciliationAsked,
        StatementAsked,
    )
    from engine.jobs.working import Doer, JobAtWork

    Work: TypeAlias = Callable[[Desk, JobAtWork], Awaitable[Mapping[str, Any]]]


class NotRead(TradedeskError):  # noqa: N818 - what came of it
    """A client's books could not be read at its broker now; another attempt may."""


def doers_of(desk: Desk) -> Mapping[JobKind, Doer]:
    """What does the jobs of a desk, by kind."""
    return {kind: partial(work, desk) for kind, work in _WORK.items()}


async def _day_report(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    from engine.people.leaving import kept_report
    from tradedesk.jobs.days import day_of, write_folder

    asked: DayReportAsked = at_work.asked
    found = await day_of(desk, asked.day)
    if asked.client_ids is not None:
        found = kept_report(found, frozenset(asked.client_ids), desk.workings.kept.book)
    folder, files = await write_folder(desk, found, asked.whose)
    return {"folder": str(folder), "files": len(files), "clients": len(found.clients)}


async def _statement(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    from data.home import exports_folder
    from tradedesk.jobs.days import day_of, write_statement
    from tradedesk.reports.day_folder import file_word

    asked: StatementAsked = at_work.asked
    found = await day_of(desk, asked.day, asked.client_id)
    code, ending = desk.clients.get(asked.client_id).code, "xlsx" if asked.workbook else "pdf"
    out = exports_folder(desk.home) / f"{asked.day.isoformat()}-{file_word(code)}.{ending}"
    return {"file": str(await write_statement(desk, found, asked.client_id, out))}


async def _export(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    from screens.frame.desk_records import desk_records
    from screens.frame.exports import exports_folder, write_audit, write_records

    asked: ExportAsked = at_work.asked
    path = exports_folder(desk) / f"{asked.what.value}-job{at_work.job.number}.{asked.format.value}"
    if asked.what is ExportWhat.AUDIT:
        from engine.colon.asked import UNASKED

        rows = await write_audit(desk, await desk.audit.search(UNASKED), path, asked.format)
        return {"file": str(path), "rows": rows}
    ids = asked.client_ids
    if ids is not None and asked.what not in (ExportWhat.CLIENTS, ExportWhat.FUNDS):
        ids = [order.id for order in desk.orders.all() if order.client_id in ids]
    records = desk_records(desk, asked.what, ids)
    write_records(path, records, ExportKind(asked.format))
    return {"file": str(path), "rows": len(records)}


async def _client_import(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    from data.vocabulary import ImportDoes

    asked: ClientImportAsked = at_work.asked
    looked = await desk.importing.look(unchanged(asked.file, asked.sha256), None, asked.change_existing)
    does = (ImportDoes.ADD, ImportDoes.CHANGE, ImportDoes.SAME, ImportDoes.REFUSED)
    result = {one.value: looked.count(one) for one in does}
    with at_work.ends_with(result):
        await desk.importing.carry_out(looked, asked.without_refused)
    return result


async def _instrument_import(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    from asyncio import to_thread

    from data.reference.instruments import read_kite_instruments

    asked: InstrumentImportAsked = at_work.asked
    path = unchanged(asked.file, asked.sha256)
    taken = await to_thread(read_kite_instruments, path)
    complete = not taken.unread
    if desk.connections.kind is ConnectionKind.PAPER:
        from tradedesk.compose.brokers.paper_prices import take_instruments

        names = (await take_instruments(desk, taken.instruments, path.name, complete)).taken
    else:
        names = await desk.market.store_instruments(taken.instruments, path.name, complete=complete)
    return {
        "rows": taken.rows,
        "taken": len(taken.instruments),
        "unread": len(taken.unread),
        "renamed": len(names.renames),
        "doubts": list(names.doubts),
    }


def unchanged(file: str, digest: str) -> Path:
    """The file of an import, which must be what it was when that was asked for. Raises `BadInput`."""
    if digest_of_file(Path(file)) != digest:
        raise BadInput("file", file, "it is another than when the import was asked for: ask again")
    return Path(file)


def digest_of_file(path: Path) -> str:
    """The SHA-256 of a file. Raises `BadInput` where it cannot be read."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as problem:
        raise BadInput("file", str(path), f"it cannot be read: {problem.strerror}") from None


async def _reconciliation(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    asked: ReconciliationAsked = at_work.asked
    if desk.workings.engine.shares_books:
        return await _read(desk, (asked.client_id,))
    code = desk.clients.get(asked.client_id).code
    if not await desk.reconcile.check(asked.client_id):
        raise NotRead(f"the books of {code} could not be read and compared")
    return {"breaks": len(desk.reconcile.breaks(asked.client_id))}


async def _books_read(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    asked: BooksReadAsked = at_work.asked
    return await _read(desk, asked.client_ids)


async def _read(desk: Desk, client_ids: Collection[int]) -> Mapping[str, Any]:
    """Read books for the desks that have these clients, who take up what was read."""
    from collections import Counter

    found = await desk.readings.read(client_ids)
    if not found:
        raise NotRead("nobody's books could be read")
    says = Counter(one.says.value for one in found)
    return {"read": len(found), "not_read": len(client_ids) - len(found), **says}


async def _firm_reserve(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    return await desk.firm_wide.reserve(at_work)


async def _audit_check(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    report = await desk.audit.examine(whole=True)
    if not report.ok:
        raise BadInput("audit", report.rows, f"it does not verify: {'; '.join(report.found)}")
    return {"rows": report.rows, "head": report.head}


async def _backup_check(desk: Desk, at_work: JobAtWork) -> Mapping[str, Any]:
    asked: BackupCheckAsked = at_work.asked
    file, seen = await desk.keeping.check_backup(Path(asked.file) if asked.file else None)
    if seen.found:
        raise BadInput("backup", str(file), f"its books do not verify: {'; '.join(seen.found)}")
    return {"file": str(file), "audit_rows": seen.audit_rows, "audit_head": seen.audit_head}


_WORK: Mapping[JobKind, Work] = {
    JobKind.DAY_REPORT: _day_report,
    JobKind.STATEMENT: _statement,
    JobKind.EXPORT: _export,
    JobKind.CLIENT_IMPORT: _client_import,
    JobKind.INSTRUMENT_IMPORT: _instrument_import,
    JobKind.RECONCILIATION: _reconciliation,
    JobKind.BOOKS_READ: _books_read,
    JobKind.FIRM_RESERVE: _firm_reserve,
    JobKind.AUDIT_CHECK: _audit_check,
    JobKind.BACKUP_CHECK: _backup_check,
}
