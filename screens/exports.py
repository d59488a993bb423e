"""Tables written to files, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from data.clock import IST
from widgets.formats import plain

if TYPE_CHECKING:
    from engine.desk import Desk
    from screens.workspace import Table


def exports_folder(desk: Desk) -> Path:
    """Where files go; made on first use, for its owner's eyes only."""
    folder = desk.home / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def stamp(desk: Desk) -> str:
    """The wall time in India for a file's name."""
    return desk.clock.now().astimezone(IST).strftime("%Y%m%d-%H%M%S")


def short_path(desk: Desk, path: Path) -> str:
    """A file's path as said in a toast: below the desk's folder where it lies there."""
    return str(path.relative_to(desk.home)) if path.is_relative_to(desk.home) else str(path)


def safe_cell(text: str) -> str:
    """Plain text that no spreadsheet takes for a formula; signed figures stay figures."""
    text = plain(text).strip()
    if text[:1] in ("=", "@") or (
        text[:1] in ("+", "-") and not text[1:].replace(",", "").replace(".", "").isdigit()
    ):
        return f"'{text}"
    return text


def write_table(desk: Desk, table: Table) -> Path:
    """Write all of a table's columns and rows as CSV; gives the path."""
    path = exports_folder(desk) / f"{table.name}-{stamp(desk)}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.title or column.key for column in table.columns])
        writer.writerows([safe_cell(column.cell(row)) for column in table.columns] for row in table.rows)
    return path
