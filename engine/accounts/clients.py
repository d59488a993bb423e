"""Clients: the roster, its import from a file, and changes of status."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.csvfiles import FileProblem, Problem
from data.errors import BadInput
from data.ledger import Line, Transfer, post
from data.records import replace
from data.repositories.accounts import clients as stored
from data.repositories.accounts.clients import ClientRow, HoldRow
from data.store import Unit
from data.vocabulary import Account, ClientStatus, HoldKind, TransferKind
from engine.accounts.client_file import NewClient, read_client_file
from engine.book.kept import Kept
from engine.book.roster import found_among
from engine.book.views import ClientView
from engine.instances import ThisEngine
from engine.timing import Timing


class ImportReport(Struct, frozen=True):
    """What an import did, in clients."""

    added: int
    updated: int
    unchanged: int
    client_ids: tuple[int, ...] = ()


class ClientsTotal(Struct, frozen=True):
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

    def by_code(self, code: str) -> ClientView | None:
        """The client with exactly this code, in any letter case."""
        client_id = self._kept.book.by_code.get(code.upper())
        return None if client_id is None else self._kept.book.clients[client_id]

    def search(self, text: str) -> list[ClientView]:
        """Clients whose code begins with, or whose name holds, the text."""
        return found_among(self.all(), text)

    def ready_count(self) -> int:
        """Clients with nothing against trading."""
        return len(self._kept.book.ready)

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
        existing = {client.code.upper(): client for client in stored.every_client(unit)}
        problems = _clashes(existing, by_row, change_existing)
        if problems:
            raise FileProblem(path or Path("clients"), problems)
        clients = list(by_row.values())
        fresh = [client for client in clients if client.code.upper() not in existing]
        known = [client for client in clients if client.code.upper() in existing]
        ids = list(unit.take_ids("client", len(fresh)))
        numbered = list(zip(ids, fresh, strict=True))
        day, actor = self._timing.market.trading_day, self._engine.actor
        add_clients(unit, numbered, day, actor, self._kept.book.carrier_for)
        changed = sum(self._change(unit, existing[client.code.upper()], client) for client in known)
        unit.touched.roster = True
        return ImportReport(len(fresh), changed, len(known) - changed, tuple(ids))

    def _change(self, unit: Unit, before: ClientRow, client: NewClient) -> bool:
        wanted = replace(
            before,
            name=client.name,
            status=client.status,
            status_reason=client.status_reason,
            phone=client.phone,
            capital_paise=client.capital_paise,
            discretionary=client.discretionary,
            multiplier_bps=client.multiplier_bps,
        )
        same_groups = stored.groups_of(unit, before.id) == set(client.groups)
        if (
            wanted == before
            and same_groups
            and stored.mtf_limit_of(unit, before.id) == client.mtf_limit_paise
        ):
            return False
        stored.save_client(unit, replace(wanted, updated_at=unit.now))
        stored.set_mtf_limit(unit, before.id, client.mtf_limit_paise)
        stored.set_groups(unit, before.id, client.groups)
        details = {"code": before.code}
        unit.audit(
            AuditEntry(AuditAction.CLIENT_CHANGED, self._engine.actor, client_id=before.id, details=details)
        )
        return True

    async def set_status(self, client_id: int, status: ClientStatus, reason: str) -> None:
        """Make a client active, inactive or pending, with the reason that plans will show."""
        client = self.get(client_id)

        def unit_of_work(unit: Unit) -> None:
            since = self._timing.market.trading_day
            stored.set_status(unit, client_id, status, reason, since, unit.now)
            details = {"from": client.status.value, "to": status.value, "reason": reason}
            unit.audit(
                AuditEntry(
                    AuditAction.CLIENT_STATUS, self._engine.actor, client_id=client_id, details=details
                )
            )
            unit.touched.roster = True

        await self._kept.store.write(unit_of_work)

    async def set_terms(
        self, client_id: int, discretionary: bool | None = None, multiplier_bps: int | None = None
    ) -> None:
        """Keep whether a client is traded for as the desk sees fit, and its multiplier; None leaves it."""
        client = self.get(client_id)
        fit = client.discretionary if discretionary is None else discretionary
        scale = client.multiplier_bps if multiplier_bps is None else multiplier_bps

        def unit_of_work(unit: Unit) -> None:
            row = stored.client_of(unit, client_id)
            assert row is not None
            wanted = replace(row, discretionary=fit, multiplier_bps=scale, updated_at=unit.now)
            stored.save_client(unit, wanted)
            details = {"code": row.code, "discretionary": fit, "multiplier_bps": scale}
            actor = self._engine.actor
            unit.audit(AuditEntry(AuditAction.CLIENT_CHANGED, actor, client_id=client_id, details=details))
            unit.touched.roster = True

        await self._kept.store.write(unit_of_work)


def _clashes(
    existing: Mapping[str, ClientRow], by_row: Mapping[int, NewClient], change_existing: bool
) -> list[Problem]:
    """Clients of a file whose code or account is another's on the desk."""
    taken = {(client.broker, client.broker_user_id.upper()): client.code for client in existing.values()}
    problems: list[Problem] = []
    for number, client in by_row.items():
        holder = taken.get((client.broker, client.broker_user_id.upper()))
        if client.code.upper() in existing and not change_existing:
            words = "it is on the desk already; --update changes its words"
            problems.append(Problem(number, "code", client.code, words))
        elif holder is not None and holder.upper() != client.code.upper():
            words = f"client {holder} has this account"
            problems.append(Problem(number, "broker_user_id", client.broker_user_id, words))
    return problems


def add_clients(
    unit: Unit,
    numbered: Sequence[tuple[int, NewClient]],
    day: date,
    actor: str,
    carrier_for: Callable[[str], str],
) -> None:
    """Insert clients with their opening money, holds and today's sizing base.

    `carrier_for` names the connection for a broker's clients.
    """
    rows = [_client_row(unit, client_id, new, carrier_for(new.broker)) for client_id, new in numbered]
    stored.add_clients(unit, rows)
    stored.add_funds(unit, [(client_id, new.mtf_limit_paise) for client_id, new in numbered])
    stored.add_to_groups(unit, [(client_id, name) for client_id, new in numbered for name in new.groups])
    stored.add_bases(unit, day, [(client_id, new.capital_paise) for client_id, new in numbered], "import")
    transfers = [
        Transfer(
            client_id,
            TransferKind.OPENING,
            day,
            [Line(Account.AVAILABLE, total), Line(Account.EXTERNAL, -total)],
            evidence="import",
        )
        for client_id, new in numbered
        if (total := new.available_paise + new.hold_paise)
    ]
    held = [pair for pair in numbered if pair[1].hold_paise]
    holds = [
        HoldRow(
            hold_id, client_id, HoldKind.PAYOUT, new.hold_paise, "payout asked for by the client", unit.now
        )
        for hold_id, (client_id, new) in zip(unit.take_ids("hold", len(held)), held, strict=True)
    ]
    transfers += [
        Transfer(
            hold.client_id,
            TransferKind.HOLD,
            day,
            [Line(Account.AVAILABLE, -hold.amount_paise), Line(Account.BLOCKED, hold.amount_paise)],
            evidence=f"hold:{hold.id}",
        )
        for hold in holds
    ]
    stored.add_holds(unit, holds)
    post(unit, transfers)
    for client_id, new in numbered:
        details = {
            "code": new.code,
            "broker": new.broker,
            "status": new.status.value,
            "capital_paise": new.capital_paise,
            "available_paise": new.available_paise,
        }
        unit.audit(AuditEntry(AuditAction.CLIENT_ADDED, actor, client_id=client_id, details=details))


def _client_row(unit: Unit, client_id: int, new: NewClient, connection: str) -> ClientRow:
    return ClientRow(
        id=client_id,
        code=new.code,
        name=new.name,
        broker=new.broker,
        broker_user_id=new.broker_user_id,
        status=new.status,
        status_reason=new.status_reason,
        status_since=new.status_since,
        session=new.session,
        capital_paise=new.capital_paise,
        phone=new.phone,
        created_at=unit.now,
        updated_at=unit.now,
        connection=connection,
        discretionary=new.discretionary,
        multiplier_bps=new.multiplier_bps,
    )
