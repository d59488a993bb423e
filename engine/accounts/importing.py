"""Lists of clients taken in and given out: which column is what, what would change, and the whole at once."""

import asyncio
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.csvfiles import FileProblem, Problem, column_name
from data.errors import BadInput
from data.money import BPS, rupees_of
from data.records import replace, values_of
from data.repositories.accounts.column_maps import (
    ColumnMapRow,
    column_map,
    column_maps,
    forget_column_map,
    keep_column_map,
)
from data.spreadsheets.cells import safe_text
from data.spreadsheets.tables import Sheet, read_sheet
from data.store import Unit
from data.vocabulary import ImportDoes
from engine.accounts.client_columns import field_of, guessed, missing, rows_of, signature
from engine.accounts.client_edit import LONGEST_TEXT, ClientEdit
from engine.accounts.client_file import OPTIONAL, REQUIRED, ClientRows, NewClient, edit_of, read_client_file
from engine.accounts.clients import Clients, ImportReport
from engine.book.kept import Kept
from engine.book.views import ClientView, FundsView
from engine.instances import ThisEngine

KIND = "clients"
"""What the columns are kept for."""

SAMPLES = 3
"""First rows of a file that are shown under its headers."""


class ImportLine(Struct, frozen=True):
    """One row of a file: what it would do, what it changes of its client, and what is against it."""

    row: int
    code: str
    name: str
    does: ImportDoes
    client_id: int | None = None
    edit: ClientEdit | None = None
    problems: tuple[Problem, ...] = ()


class ImportPlan(Struct, frozen=True):
    """What taking a file would do. `columns` say which header is which field; `missing` are yet to be said.

    `known` says how the columns were found, `map_name` under which name they are kept where they are.
    `header_row` is the line of the headers, `samples` are the cells of the first rows under them.
    """

    path: Path
    headers: tuple[str, ...]
    header_row: int
    samples: tuple[tuple[str, ...], ...]
    columns: Mapping[str, str]
    known: str
    missing: tuple[str, ...]
    signature: str
    map_name: str = ""
    change_existing: bool = True
    lines: tuple[ImportLine, ...] = ()
    rows: ClientRows = ClientRows({}, frozenset())

    def count(self, does: ImportDoes) -> int:
        """How many rows would do this."""
        return sum(line.does is does for line in self.lines)

    @property
    def taken(self) -> int:
        """How many rows would add or change a client."""
        return self.count(ImportDoes.ADD) + self.count(ImportDoes.CHANGE)

    @property
    def problems(self) -> list[Problem]:
        """What is against taking it, in the order of its rows."""
        return [problem for line in self.lines for problem in line.problems]


class Importing:
    """Takes lists of clients in, all or none, and writes the desk's own."""

    def __init__(self, kept: Kept, engine: ThisEngine, clients: Clients) -> None:
        self._kept = kept
        self._engine = engine
        self._clients = clients

    async def look(
        self, path: Path, columns: Mapping[str, str] | None = None, change_existing: bool = True
    ) -> ImportPlan:
        """What taking a file would do, row by row; nothing is written. Raises `BadInput`, `OSError`."""
        sheet = await asyncio.to_thread(read_sheet, path, field_of)
        found, known, name = await self._columns(sheet, columns)
        plan = ImportPlan(
            path,
            sheet.headers,
            sheet.header_row,
            tuple(cells for _, cells in sheet.rows[:SAMPLES]),
            found,
            known,
            tuple(missing(found)),
            signature(sheet),
            name,
            change_existing,
        )
        if plan.missing:
            return plan
        rows = await asyncio.to_thread(rows_of, sheet, found)
        async with self._kept.store.reader() as reader:
            against = await reader.run_sync(lambda on: self._clients.against(on, rows, change_existing))
        problems = by_row([*rows.problems, *against])
        good = {number: client for number, client in rows.by_row.items() if number not in problems}
        lines = [self._line(number, client, rows.fields) for number, client in good.items()]
        cells = dict(sheet.rows)
        lines += [
            _refused(number, of, dict(zip(sheet.headers, cells.get(number, ()), strict=False)), found)
            for number, of in problems.items()
        ]
        lines.sort(key=lambda line: line.row)
        return replace(plan, lines=tuple(lines), rows=ClientRows(good, rows.fields))

    async def take(
        self,
        path: Path,
        columns: Mapping[str, str] | None = None,
        change_existing: bool = False,
        without_refused: bool = False,
    ) -> ImportReport:
        """Add the clients of a file, all or none, and keep which column is what where that was said.

        A code that exists is a problem unless `change_existing`; then what the file has of it is taken over,
        and a capital counts from the next trading day. Money of an existing client is never changed by a
        file: the broker's figures are adopted at the day's opening. Raises `FileProblem` naming each bad row,
        unless the refused ones are to be left out.
        """
        if columns is None and not without_refused and _is_own(path):
            rows = read_client_file(path)
            return await self._engine.write_signed_on(
                lambda unit: self._store(unit, path, rows, change_existing, ())
            )
        return await self.carry_out(await self.look(path, columns, change_existing), without_refused)

    async def carry_out(
        self, plan: ImportPlan, without_refused: bool = False, map_name: str = ""
    ) -> ImportReport:
        """Take what was looked at, by one commit, and keep its columns, under a name where one is given.

        Raises `FileProblem` for refused rows, unless they are to be left out, and for whatever has come to be
        against it since it was looked at; then nothing is taken.
        """
        if plan.missing:
            there = ", ".join(header for header in plan.headers if header)
            words = f"say which column it is; there are {there}"
            wrong = [Problem(plan.header_row, "column", field, words) for field in plan.missing]
            raise FileProblem(plan.path, wrong)
        if plan.problems and not without_refused:
            raise FileProblem(plan.path, plan.problems)
        left_out = tuple(line.row for line in plan.lines if line.does is ImportDoes.REFUSED)
        name = map_name.strip() or plan.map_name or plan.path.stem

        def unit_of_work(unit: Unit) -> ImportReport:
            columns = dict(plan.columns)
            kept = ColumnMapRow(
                KIND, plan.signature, columns, self._engine.actor, unit.now, name[:LONGEST_TEXT]
            )
            keep_column_map(unit, kept)
            return self._store(unit, plan.path, plan.rows, plan.change_existing, left_out)

        return await self._engine.write_signed_on(unit_of_work)

    def _store(
        self, unit: Unit, path: Path, rows: ClientRows, change_existing: bool, left_out: Sequence[int]
    ) -> ImportReport:
        report = self._clients.store(unit, path, rows, change_existing)
        details = {
            "file": path.name,
            "added": report.added,
            "changed": report.updated,
            "same": report.unchanged,
            "rows_left_out": list(left_out),
        }
        unit.audit(AuditEntry(AuditAction.CLIENTS_IMPORTED, self._engine.actor, details=details))
        return report

    async def maps(self) -> list[ColumnMapRow]:
        """Which columns are kept for lists of clients, by name."""
        async with self._kept.store.reader() as reader:
            return await reader.run_sync(lambda on: column_maps(on, KIND))

    async def forget_map(self, name: str) -> ColumnMapRow:
        """Keep the columns of this name no longer. Raises `BadInput`."""
        kept = await self.maps()
        found = next((one for one in kept if one.name.casefold() == name.strip().casefold()), None)
        if found is None:
            there = ", ".join(one.name for one in kept) or "none"
            raise BadInput("columns", name, f"none are kept under this name; there are {there}")
        await self._engine.write_signed_on(lambda unit: forget_column_map(unit, KIND, found.headers))
        return found

    async def _columns(self, sheet: Sheet, said: Mapping[str, str] | None) -> tuple[dict[str, str], str, str]:
        """The columns of a table: what is said over what was kept, else over what is known by its name.

        With how they were found, and the name under which they are kept.
        """
        async with self._kept.store.reader() as reader:
            kept = await reader.run_sync(lambda on: column_map(on, KIND, signature(sheet)))
        names = {column_name(header) for header in sheet.headers}
        own = "the desk's own" if names.issuperset(REQUIRED) else "known by name"
        found, known = (guessed(sheet.headers), own) if kept is None else (kept.columns, "kept")
        together = {**found, **(said or {})}
        columns = {field: header for field, header in together.items() if header}
        return columns, "as said" if said else known, "" if kept is None else kept.name

    def _line(self, number: int, client: NewClient, fields: frozenset[str]) -> ImportLine:
        before = self._clients.by_code(client.code)
        named = (number, client.code, client.name)
        if before is None:
            return ImportLine(*named, ImportDoes.ADD)
        edit = differing(before, edit_of(client, fields))
        does = ImportDoes.SAME if edit == ClientEdit() else ImportDoes.CHANGE
        return ImportLine(*named, does, before.id, edit)

    def write(self, path: Path) -> int:
        """Write every client that is not closed to a CSV file that can be imported; returns how many."""
        clients = self._clients.all()
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            path.chmod(0o600)
            writer = csv.writer(file)
            writer.writerow((*REQUIRED, *OPTIONAL))
            for client in clients:
                funds = self._kept.book.funds.get(client.id) or FundsView(client.id)
                writer.writerow(_own_row(client, funds))
        return len(clients)


def differing(client: ClientView, edit: ClientEdit) -> ClientEdit:
    """What of an edit is another than what stands."""
    standing = {
        **values_of(client),
        "groups": set(client.fixed_groups),
        "capital_paise": client.next_capital_paise,
    }
    given = {
        name: value
        for name, value in values_of(edit).items()
        if value is not None and (set(value) if name == "groups" else value) != standing[name]
    }
    return ClientEdit(**given)


def by_row(problems: Sequence[Problem]) -> dict[int, list[Problem]]:
    """Faults by the row that they are of."""
    found: dict[int, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.row, []).append(problem)
    return found


def _refused(
    number: int, problems: Sequence[Problem], cells: Mapping[str, str], columns: Mapping[str, str]
) -> ImportLine:
    code, name = (cells.get(columns.get(field, ""), "") for field in ("code", "name"))
    return ImportLine(number, code, name, ImportDoes.REFUSED, problems=tuple(problems))


def _is_own(path: Path) -> bool:
    """Whether a file is meant in the desk's own form, as its headers say; any other is asked about."""
    try:
        sheet = read_sheet(path)
    except BadInput:
        return path.suffix.lower() == ".csv"  # its faults are told row by row as those of an own file
    names = {column_name(header) for header in sheet.headers}
    return path.suffix.lower() == ".csv" and len(names & set(REQUIRED)) >= len(REQUIRED) - 1


def _own_row(client: ClientView, funds: FundsView) -> list[str]:
    """A client as the desk's own file has it, in the order of its columns."""
    values = {
        "code": client.code,
        "name": client.name,
        "broker": client.broker,
        "broker_user_id": client.broker_user_id,
        "status": client.status.value,
        "capital": f"{rupees_of(client.next_capital_paise):.2f}",
        "available": f"{rupees_of(funds.available_paise):.2f}",
        "status_reason": client.status_reason,
        "mtf_limit": f"{rupees_of(client.mtf_limit_paise):.2f}",
        "groups": ";".join(client.fixed_groups),
        "phone": client.phone,
        "discretionary": "yes" if client.discretionary else "no",
        "multiplier": f"{client.multiplier_bps / BPS:.4f}".rstrip("0").rstrip("."),
    }
    return [safe_text(values[field]) for field in (*REQUIRED, *OPTIONAL)]
