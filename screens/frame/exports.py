"""Tables written to files, safe to open in a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data import home
from data.clock import IST
from data.spreadsheets.written import written_rows
from data.vocabulary import ExportKind
from engine.words.audit import detail_words
from engine.words.privacy import hidden, is_private
from widgets.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.book.audit_views import AuditRecord
    from engine.desk import Desk
    from engine.review.searching import TrailSearch
    from screens.frame.shell import Table


def exports_folder(desk: Desk) -> Path:
    """Where files go; made on first use, for its owner's eyes only."""
    folder = home.exports_folder(desk.home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def stamp(desk: Desk) -> str:
    """The market's time in India for a file's name."""
    return desk.market.now().astimezone(IST).strftime("%Y%m%d-%H%M%S")


def free_path(desk: Desk, name: str, kind: str = "csv") -> Path:
    """A file of that name which is not there yet; a market may stand still between two of them."""
    path = exports_folder(desk) / f"{name}-{stamp(desk)}.{kind}"
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{name}-{stamp(desk)}-{number}.{kind}")
    return path


def text_path(desk: Desk, name: str) -> Path:
    """Where a text of that name goes."""
    return free_path(desk, name, "txt")


def short_path(desk: Desk, path: Path) -> str:
    """A file's path as said in a toast: below the desk's folder where it lies there."""
    return str(path.relative_to(desk.home)) if path.is_relative_to(desk.home) else str(path)


def write_table(
    desk: Desk, table: Table, kind: ExportKind = ExportKind.CSV, path: Path | None = None
) -> Path:
    """Write a table's rows, raw figures and full names where it has them; returns the path.

    Under privacy amounts and names are masked in it too. Raises `BadInput` where it cannot be written.
    """
    path = path or free_path(desk, table.name, kind.value)
    record = table.record or (lambda row: {c.title or c.key: c.cell(row) for c in table.columns})
    write_records(path, [record(row) for row in table.rows], kind)
    return path


def write_records(path: Path, records: Sequence[Mapping[str, str]], kind: ExportKind) -> None:
    """Write rows under all the columns that any of them has. Raises `BadInput` where it cannot be written."""
    names = list(dict.fromkeys(name for each in records for name in each))
    with written_rows(path, names, kind) as write:
        for each in records:
            write([plain(hidden(each.get(name, ""))) for name in names])


async def write_audit(desk: Desk, search: TrailSearch, path: Path, kind: ExportKind = ExportKind.CSV) -> int:
    """Write all rows that a search finds, the newest first; returns how many.

    With all that their hashes are made of, but under privacy: then their details are in masked words.
    """
    count = 0
    with written_rows(path, AUDIT_COLUMNS, kind) as write:
        async for page in search.pages():
            for row in page.rows:
                write([plain(cell) for cell in whole_audit_record(desk, row).values()])
            count += len(page.rows)
    return count


AUDIT_COLUMNS = (
    *("row", "market time", "at", "by", "via", "what", "code", "order", "run", "plan", "details"),
    *("hash before", "proof", "hash"),
)
"""What a row of the audit has in a file."""


def whole_audit_record(desk: Desk, row: AuditRecord) -> dict[str, str]:
    """A row of the audit by the words of its columns, its details to the letter but under privacy."""
    private = is_private()
    cells = (
        str(row.seq),
        f"{desk.shown_at(row.at).astimezone(IST):%Y-%m-%d %H:%M:%S}",
        row.at.isoformat(),
        row.actor,
        row.via,
        row.action,
        desk.clients.code_of(row.client_id) or "",
        str(row.order_id or ""),
        str(row.run_number or ""),
        str(row.plan_number or ""),
        hidden(detail_words(row.details)) if private else row.details.text(),
        row.previous,
        "" if private else row.proof,
        row.hash,
    )
    return dict(zip(AUDIT_COLUMNS, cells, strict=True))
