"""Tables written to files, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from data import home
from data.clock import IST
from data.errors import BadInput
from data.spreadsheets.cells import safe_text
from engine.words.audit import detail_words
from engine.words.privacy import hidden, is_private
from widgets.text import plain

if TYPE_CHECKING:
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


def safe_cell(text: str) -> str:
    """Plain text that no spreadsheet takes for a formula; signed figures stay figures."""
    return safe_text(plain(text))


def write_table(desk: Desk, table: Table) -> Path:
    """Write a table's rows as CSV, raw figures and full names where it has them; returns the path.

    Under privacy amounts and names are masked in it too.
    """
    path = free_path(desk, table.name)
    record = table.record or (lambda row: {c.title or c.key: c.cell(row) for c in table.columns})
    records = [record(row) for row in table.rows]
    names = dict.fromkeys(name for each in records for name in each)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names or [column.title or column.key for column in table.columns])
        writer.writerows([safe_cell(hidden(each.get(name, ""))) for name in names] for each in records)
    return path


async def write_audit(desk: Desk, search: TrailSearch, path: Path) -> int:
    """Write all rows that a search finds as CSV, the newest first; returns how many.

    With all that their hashes are made of, but under privacy: then their details are in masked words.
    """
    part, count = path.with_name(f"{path.name}.part"), 0
    try:
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            part.chmod(0o600)
            writer = csv.writer(file)
            async for page in search.pages():
                records = [whole_audit_record(desk, row) for row in page.rows]
                if not count and records:
                    writer.writerow(records[0])
                writer.writerows([safe_cell(cell) for cell in one.values()] for one in records)
                count += len(records)
        part.replace(path)
    except OSError as problem:
        raise BadInput("file", str(path), f"it cannot be written: {problem.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return count


def whole_audit_record(desk: Desk, row: AuditRecord) -> dict[str, str]:
    """A row of the audit by the words of its columns, its details to the letter but under privacy."""
    private = is_private()
    return {
        "row": str(row.seq),
        "market time": f"{desk.shown_at(row.at).astimezone(IST):%Y-%m-%d %H:%M:%S}",
        "at": row.at.isoformat(),
        "by": row.actor,
        "via": row.via,
        "what": row.action,
        "code": desk.clients.code_of(row.client_id) or "",
        "order": str(row.order_id or ""),
        "run": str(row.run_number or ""),
        "plan": str(row.plan_number or ""),
        "details": hidden(detail_words(row.details)) if private else row.details.text(),
        "hash before": row.previous,
        "proof": "" if private else row.proof,
        "hash": row.hash,
    }
