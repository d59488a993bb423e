"""Clients: the roster, its import from a file, and changes of status."""

import csv
import difflib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select, update

from data.audit import AuditEntry
from data.clock import MarketClock
from data.columns import table
from data.csvfiles import FileProblem, Problem, Row, read_rows
from data.errors import BadInput
from data.ledger import Line, Transfer, post
from data.money import paise_from_text
from data.store import Unit
from data.tables import Client, ClientGroup, Funds, Hold, SizingBase
from data.vocabulary import Account, ClientStatus, HoldKind, SessionState
from engine.book.kept import Kept
from engine.book.views import ClientView
from engine.instances import ThisEngine
from engine.timing import Timing

REQUIRED = ("code", "name", "broker", "broker_user_id", "status", "capital", "available")
OPTIONAL = ("status_reason", "mtf_limit", "groups", "phone")
_CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,19}")
"""What a shell takes for a word; what begins with `-` it takes for an option."""

BROKERS = ("zerodha", "upstox", "groww", "paper")
"""Brokers a client's account may be at."""

_EXAMPLE = [
    "AM1042",
    "Aarav Mehta",
    "zerodha",
    "DR4411",
    "active",
    "500000",
    "450000",
    "",
    "200000",
    "HNI;North",
    "",
]


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client as a file or a form gives it; money in paise. A hold comes on top of what is available."""

    code: str
    name: str
    broker: str
    broker_user_id: str
    status: ClientStatus
    capital_paise: int
    available_paise: int
    status_reason: str = ""
    status_since: date | None = None
    mtf_limit_paise: int = 0
    groups: tuple[str, ...] = ()
    phone: str = ""
    session: SessionState = SessionState.OK
    hold_paise: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, in clients."""

    added: int
    updated: int
    unchanged: int
    client_ids: tuple[int, ...] = ()


def template() -> str:
    """A client file with its header and one example row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*REQUIRED, *OPTIONAL))
    writer.writerow(_EXAMPLE)
    return out.getvalue()


def read_client_file(path: Path) -> dict[int, NewClient]:
    """Clients of a CSV file by row. Raises `FileProblem` with every bad row; then none may be used."""
    problems: list[Problem] = []
    clients: dict[int, NewClient] = {}
    codes: dict[str, int] = {}
    users: dict[str, int] = {}
    for row in read_rows(path, REQUIRED, OPTIONAL, faults=problems):
        try:
            client = _client_of(row)
        except _RowProblem as found:
            problems += found.problems
            continue
        for seen, value, field in (
            (codes, client.code.upper(), "code"),
            (users, f"{client.broker}/{client.broker_user_id.upper()}", "broker_user_id"),
        ):
            first = seen.setdefault(value, row.number)
            if first != row.number:
                problems.append(
                    Problem(
                        row.number,
                        field,
                        row.values[field],
                        f"row {first} has it already; each is given once",
                    )
                )
        clients[row.number] = client
    if problems:
        raise FileProblem(path, problems)
    return clients


class _RowProblem(Exception):  # noqa: N818 - carries problems
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


def _client_of(row: Row) -> NewClient:
    values, problems = row.values, list[Problem]()

    def word(field: str, known: Iterable[str]) -> str:
        given = values[field].strip().lower()
        if given not in known:
            words = f"give one of {', '.join(known)}"
            problems.append(Problem(row.number, field, values[field], words))
        return given

    def money(field: str) -> int:
        text = values.get(field, "") or "0"
        try:
            paise = paise_from_text(text, field)
        except BadInput as bad:
            problems.append(Problem(row.number, field, text, bad.expected))
            return 0
        if paise < 0:
            problems.append(Problem(row.number, field, text, "give zero or more rupees"))
        return paise

    code = values["code"].strip()
    if _CODE.fullmatch(code) is None or code.isdigit():
        words = (
            "give 1 to 20 letters, digits, - or _, the first no -, at least one no digit: digits alone are a "
            "client's id"
        )
        problems.append(Problem(row.number, "code", code, words))
    status, broker = word("status", [s.value for s in ClientStatus]), word("broker", BROKERS)
    capital, available, mtf_limit = money("capital"), money("available"), money("mtf_limit")
    if problems:
        raise _RowProblem(problems)
    return NewClient(
        code=code,
        name=values["name"].strip(),
        broker=broker,
        broker_user_id=values["broker_user_id"].strip(),
        status=ClientStatus(status),
        capital_paise=capital,
        available_paise=available,
        status_reason=values.get("status_reason", ""),
        mtf_limit_paise=mtf_limit,
        groups=_groups(values.get("groups", "")),
        phone=values.get("phone", ""),
    )


def _groups(text: str) -> tuple[str, ...]:
    """Group names of one field, each once however it is written."""
    names = (name.strip() for name in text.split(";"))
    return tuple({name.casefold(): name for name in names if name}.values())


@dataclass(frozen=True, slots=True)
class ClientsTotal:
    """Clients with nothing against trading, and the capital of all in paise."""

    ready: int
    capital_paise: int


class Clients:
    """The roster of the desk."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine

    def all(self) -> list[ClientView]:
        """Every client, by code."""
        return list(self._kept.book.clients.values())

    def get(self, client_id: int) -> ClientView:
        """One client. Raises `BadInput` for an unknown id."""
        client = self._kept.book.clients.get(client_id)
        if client is None:
            raise BadInput("client", client_id, "no client has this id")
        return client

    def find(self, code_or_id: str | int) -> ClientView:
        """A client by code or id. Raises `BadInput` with the nearest codes."""
        text = str(code_or_id).strip()
        book = self._kept.book
        by_code = book.by_code.get(text.upper())
        if by_code is not None:
            return book.clients[by_code]
        if text.isdecimal() and int(text) in book.clients:
            return book.clients[int(text)]
        close = difflib.get_close_matches(text.upper(), book.by_code, n=3, cutoff=0.5)
        hint = f"; nearest: {', '.join(close)}" if close else ""
        raise BadInput("client", text, f"no client has this code or id{hint}")

    def search(self, text: str) -> list[ClientView]:
        """Clients whose code begins with, or whose name holds, the text."""
        wanted = text.strip().upper()
        starts = [c for c in self.all() if c.code.upper().startswith(wanted)]
        return starts + [c for c in self.all() if wanted in c.name.upper() and c not in starts]

    def ready_count(self) -> int:
        """Clients with nothing against trading."""
        return sum(client.gate is None for client in self._kept.book.clients.values())

    def total(self, client_ids: Iterable[int]) -> ClientsTotal:
        """How many of some clients are ready, and the capital that they are sized on together."""
        shown = [self.get(client_id) for client_id in client_ids]
        return ClientsTotal(sum(c.gate is None for c in shown), sum(c.capital_paise for c in shown))

    def groups(self) -> list[str]:
        """All group names."""
        return sorted({name for client in self.all() for name in client.groups})

    async def import_csv(self, path: Path, change_existing: bool = False) -> ImportReport:
        """Add the clients of a file, all or none. Raises `FileProblem` naming each bad row.

        A code that exists is a problem unless `change_existing`; then its words, groups and MTF limit are
        taken over and its capital counts from the next trading day. Money of an existing client is never
        changed by a file: the broker's figures are adopted at the day's opening.
        """
        clients = read_client_file(path)
        return await self._engine.write_signed_on(
            lambda unit: self._store(unit, path, clients, change_existing)
        )

    async def add(self, clients: Sequence[NewClient]) -> ImportReport:
        """Add clients that are not there yet, all or none."""
        numbered = dict(enumerate(clients, start=1))
        return await self._engine.write_signed_on(lambda unit: self._store(unit, None, numbered, False))

    def _store(
        self, unit: Unit, path: Path | None, by_row: Mapping[int, NewClient], change_existing: bool
    ) -> ImportReport:
        stored = table(Client)
        existing = {row.code.upper(): row for row in unit.connection.execute(select(stored))}
        taken = {(row.broker, row.broker_user_id.upper()): row.code for row in existing.values()}
        problems: list[Problem] = []
        clients = list(by_row.values())
        for number, client in by_row.items():
            holder = taken.get((client.broker, client.broker_user_id.upper()))
            if client.code.upper() in existing and not change_existing:
                problems.append(
                    Problem(
                        number, "code", client.code, "it is on the desk already; --update changes its words"
                    )
                )
            elif holder is not None and holder.upper() != client.code.upper():
                problems.append(
                    Problem(
                        number, "broker_user_id", client.broker_user_id, f"client {holder} has this account"
                    )
                )
        if problems:
            raise FileProblem(path or Path("clients"), problems)
        fresh = [client for client in clients if client.code.upper() not in existing]
        known = [client for client in clients if client.code.upper() in existing]
        ids = list(unit.take_ids("client", len(fresh)))
        add_clients(unit, list(zip(ids, fresh, strict=True)), self._timing.market, self._engine.actor)
        changed = sum(self._change(unit, existing[client.code.upper()], client) for client in known)
        unit.touched.roster = True
        return ImportReport(len(fresh), changed, len(known) - changed, tuple(ids))

    def _change(self, unit: Unit, row: Any, client: NewClient) -> bool:
        values = {
            "name": client.name,
            "status": client.status.value,
            "status_reason": client.status_reason,
            "phone": client.phone,
            "capital_paise": client.capital_paise,
        }
        groups, funds = table(ClientGroup), table(Funds)
        before = {
            name
            for (name,) in unit.connection.execute(select(groups.c.name).where(groups.c.client_id == row.id))
        }
        limit = unit.connection.execute(
            select(funds.c.mtf_limit_paise).where(funds.c.client_id == row.id)
        ).scalar_one()
        if (
            all(getattr(row, name) == value for name, value in values.items())
            and before == set(client.groups)
            and limit == client.mtf_limit_paise
        ):
            return False
        stored = table(Client)
        unit.connection.execute(
            update(stored).where(stored.c.id == row.id).values(**values, updated_at=unit.now)
        )
        unit.connection.execute(
            update(funds).where(funds.c.client_id == row.id).values(mtf_limit_paise=client.mtf_limit_paise)
        )
        unit.connection.execute(delete(groups).where(groups.c.client_id == row.id))
        unit.insert(ClientGroup, [{"client_id": row.id, "name": name} for name in client.groups])
        unit.audit(
            AuditEntry("CLIENT_CHANGED", self._engine.actor, client_id=row.id, details={"code": row.code})
        )
        return True

    async def set_status(self, client_id: int, status: ClientStatus, reason: str) -> None:
        """Make a client active, inactive or pending, with the reason that plans will show."""
        client = self.get(client_id)

        def unit_of_work(unit: Unit) -> None:
            stored = table(Client)
            unit.connection.execute(
                update(stored)
                .where(stored.c.id == client_id)
                .values(
                    status=status.value,
                    status_reason=reason,
                    status_since=self._timing.market.trading_day,
                    updated_at=unit.now,
                )
            )
            unit.audit(
                AuditEntry(
                    "CLIENT_STATUS",
                    self._engine.actor,
                    client_id=client_id,
                    details={"from": client.status.value, "to": status.value, "reason": reason},
                )
            )
            unit.touched.roster = True

        await self._kept.store.write(unit_of_work)


def add_clients(
    unit: Unit, numbered: Sequence[tuple[int, NewClient]], market_clock: MarketClock, actor: str
) -> None:
    """Insert clients with their opening money, holds and today's sizing base."""
    day = market_clock.trading_day
    unit.insert(
        Client,
        [
            {
                "id": client_id,
                "code": new.code,
                "name": new.name,
                "broker": new.broker,
                "broker_user_id": new.broker_user_id,
                "status": new.status.value,
                "status_reason": new.status_reason,
                "status_since": new.status_since,
                "session": new.session.value,
                "capital_paise": new.capital_paise,
                "phone": new.phone,
                "created_at": unit.now,
                "updated_at": unit.now,
            }
            for client_id, new in numbered
        ],
    )
    unit.insert(
        Funds,
        [{"client_id": client_id, "mtf_limit_paise": new.mtf_limit_paise} for client_id, new in numbered],
    )
    unit.insert(
        ClientGroup,
        [{"client_id": client_id, "name": name} for client_id, new in numbered for name in new.groups],
    )
    if numbered:
        unit.connection.execute(
            insert(table(SizingBase)),
            [
                {
                    "client_id": client_id,
                    "trading_date": day,
                    "capital_paise": new.capital_paise,
                    "source": "import",
                }
                for client_id, new in numbered
            ],
        )
    transfers: list[Transfer] = []
    holds: list[dict[str, Any]] = []
    held = [pair for pair in numbered if pair[1].hold_paise]
    for client_id, new in numbered:
        total = new.available_paise + new.hold_paise
        if total:
            transfers.append(
                Transfer(
                    client_id,
                    "opening",
                    day,
                    [Line(Account.AVAILABLE, total), Line(Account.EXTERNAL, -total)],
                    evidence="import",
                )
            )
    for hold_id, (client_id, new) in zip(unit.take_ids("hold", len(held)), held, strict=True):
        holds.append(
            {
                "id": hold_id,
                "client_id": client_id,
                "kind": HoldKind.PAYOUT.value,
                "amount_paise": new.hold_paise,
                "reason": "payout asked for by the client",
                "opened_at": unit.now,
                "released_at": None,
            }
        )
        transfers.append(
            Transfer(
                client_id,
                "hold",
                day,
                [Line(Account.AVAILABLE, -new.hold_paise), Line(Account.BLOCKED, new.hold_paise)],
                evidence=f"hold:{hold_id}",
            )
        )
    unit.insert(Hold, holds)
    post(unit, transfers)
    for client_id, new in numbered:
        unit.audit(
            AuditEntry(
                "CLIENT_ADDED",
                actor,
                client_id=client_id,
                details={
                    "code": new.code,
                    "broker": new.broker,
                    "status": new.status.value,
                    "capital_paise": new.capital_paise,
                    "available_paise": new.available_paise,
                },
            )
        )
