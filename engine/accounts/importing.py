"""Lists of clients taken in and given out: which column is what, what would change, and the whole at once."""

import csv
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from data.csvfiles import FileProblem, Problem, column_name
from data.errors import BadInput
from data.money import BPS, rupees_of
from data.records import values_of
from data.repositories.accounts.column_maps import ColumnMapRow, column_map, keep_column_map
from data.sheets import Sheet, read_sheet
from data.store import Unit
from engine.accounts.client_columns import guessed, missing, rows_of, signature
from engine.accounts.client_edit import ClientEdit
from engine.accounts.client_file import OPTIONAL, REQUIRED, ClientRows, NewClient, edit_of, read_client_file
from engine.accounts.clients import Clients, ImportReport
from engine.book.kept import Kept
from engine.book.views import ClientView, FundsView
from engine.instances import ThisEngine

KIND = "clients"
"""What the columns are kept for."""


class Does(StrEnum):
    """What becomes of a row."""

    ADD = "add"
    CHANGE = "change"
    SAME = "same"
    REFUSED = "refused"


class ImportLine(Struct, frozen=True):
    """One row of a file: what it would do, what it changes of its client, and what is against it."""

    row: int
    code: str
    name: str
    does: Does
    client_id: int | None = None
    edit: ClientEdit | None = None
    problems: tuple[Problem, ...] = ()


class ImportPlan(Struct, frozen=True):
    """What taking a file would do. `columns` say which header is which field; `missing` are yet to be said.

    `known` says how the columns were found: the desk's own, kept from an earlier time, or guessed by name.
    """

    headers: tuple[str, ...]
    sample: tuple[str, ...]
    columns: Mapping[str, str]
    known: str
    missing: tuple[str, ...]
    lines: tuple[ImportLine, ...] = ()

    def count(self, does: Does) -> int:
        """How many rows would do this."""
        return sum(line.does is does for line in self.lines)

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
        sheet = read_sheet(path)
        found, known = await self._columns(sheet, columns)
        sample = sheet.rows[0][1]
        if lacking := missing(found):
            return ImportPlan(sheet.headers, sample, found, known, tuple(lacking))
        try:
            rows = rows_of(path, sheet, found)
        except FileProblem as bad:
            return ImportPlan(sheet.headers, sample, found, known, (), _refused(bad.problems))
        async with self._kept.store.reader() as reader:
            against = await reader.run_sync(lambda on: self._clients.against(on, rows, change_existing))
        lines = tuple(self._line(number, client, rows, against) for number, client in rows.by_row.items())
        return ImportPlan(sheet.headers, sample, found, known, (), lines)

    async def take(
        self, path: Path, columns: Mapping[str, str] | None = None, change_existing: bool = False
    ) -> ImportReport:
        """Add the clients of a file, all or none, and keep which column is what where that was said.

        A code that exists is a problem unless `change_existing`; then what the file has of it is taken over,
        and a capital counts from the next trading day. Money of an existing client is never changed by a
        file: the broker's figures are adopted at the day's opening. Raises `FileProblem` naming each bad row.
        """
        if columns is None and _is_own(path):
            rows = read_client_file(path)
            return await self._engine.write_signed_on(
                lambda unit: self._clients.store(unit, path, rows, change_existing)
            )
        sheet = read_sheet(path)
        found, _ = await self._columns(sheet, columns)
        taken = rows_of(path, sheet, found)

        def unit_of_work(unit: Unit) -> ImportReport:
            kept = ColumnMapRow(KIND, signature(sheet), dict(found), self._engine.actor, unit.now)
            keep_column_map(unit, kept)
            return self._clients.store(unit, path, taken, change_existing)

        return await self._engine.write_signed_on(unit_of_work)

    async def _columns(self, sheet: Sheet, said: Mapping[str, str] | None) -> tuple[dict[str, str], str]:
        """The columns of a table: what is said over what was kept, else over what is known by its name."""
        async with self._kept.store.reader() as reader:
            kept = await reader.run_sync(lambda on: column_map(on, KIND, signature(sheet)))
        names = {column_name(header) for header in sheet.headers}
        own = "the desk's own" if names.issuperset(REQUIRED) else "known by name"
        found, known = (guessed(sheet.headers), own) if kept is None else (kept.columns, "kept")
        together = {**found, **(said or {})}
        return {field: header for field, header in together.items() if header}, "as said" if said else known

    def _line(
        self, number: int, client: NewClient, rows: ClientRows, against: Sequence[Problem]
    ) -> ImportLine:
        problems = tuple(problem for problem in against if problem.row == number)
        before = self._clients.by_code(client.code)
        named = (number, client.code, client.name)
        if problems:
            return ImportLine(*named, Does.REFUSED, problems=problems)
        if before is None:
            return ImportLine(*named, Does.ADD)
        edit = differing(before, edit_of(client, rows.fields))
        does = Does.SAME if edit == ClientEdit() else Does.CHANGE
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


def _refused(problems: Sequence[Problem]) -> tuple[ImportLine, ...]:
    by_row: dict[int, list[Problem]] = {}
    for problem in problems:
        by_row.setdefault(problem.row, []).append(problem)
    return tuple(ImportLine(row, "", "", Does.REFUSED, problems=tuple(of)) for row, of in by_row.items())


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
    return [values[field] for field in (*REQUIRED, *OPTIONAL)]
