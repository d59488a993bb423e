"""Clients: the roster, its import from a file, and changes of one: its words, status and pause."""

import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.csvfiles import FileProblem, Problem
from data.errors import BadInput
from data.json_values import JsonObject
from data.records import replace
from data.repositories.accounts import clients as stored
from data.repositories.accounts.clients import ClientRow
from data.repositories.accounts.standing import standing_of_client
from data.repositories.base import On
from data.store import Unit
from data.vocabulary import ClientStatus
from engine.accounts.adding import add_clients, clashes, closing_problems
from engine.accounts.client_edit import ClientEdit, apply_edit, group_name, standing_words, text_of
from engine.accounts.client_file import ClientRows, NewClient, edit_of
from engine.book.kept import Kept
from engine.book.roster import found_among
from engine.book.views import ClientView
from engine.events import TapeLine
from engine.instances import ThisEngine
from engine.news import PauseEnded
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
        """Every client that is not closed, by code."""
        return self._kept.book.open_clients()

    def closed(self) -> list[ClientView]:
        """Every client that is closed, by code."""
        return [one for one in self._kept.book.clients.values() if one.status is ClientStatus.CLOSED]

    def get(self, client_id: int) -> ClientView:
        """One client. Raises `BadInput` for an unknown id."""
        client = self._kept.book.clients.get(client_id)
        if client is None:
            raise BadInput("client", client_id, "no client has this id")
        return client

    def code_of(self, client_id: int | None) -> str | None:
        """A client's code; the number itself where no client has it, None where there is none."""
        client = self._kept.book.clients.get(client_id or 0)
        return client.code if client is not None else None if client_id is None else str(client_id)

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
        shown, ready = [self.get(client_id) for client_id in client_ids], self._kept.book.ready
        return ClientsTotal(sum(c.id in ready for c in shown), sum(c.capital_paise for c in shown))

    def groups(self) -> list[str]:
        """All group names, those by rule among them."""
        return self._kept.book.groups()

    async def add(self, clients: Sequence[NewClient]) -> ImportReport:
        """Add clients that are not there yet, all or none."""
        rows = ClientRows(dict(enumerate(clients, start=1)), frozenset())
        return await self._engine.write_signed_on(lambda unit: self.store(unit, None, rows, False))

    def against(self, on: On, rows: ClientRows, change_existing: bool) -> list[Problem]:
        """What is against taking the clients of a file as the books stand."""
        existing = {client.code.upper(): client for client in stored.every_client(on)}
        problems = clashes(existing, rows.by_row, change_existing)
        for number, client in rows.by_row.items():
            problems += self._group_problems(number, client) + closing_problems(on, existing, number, client)
        return problems

    def store(self, unit: Unit, path: Path | None, rows: ClientRows, change_existing: bool) -> ImportReport:
        """Add and change the clients of a file, all or none. Raises `FileProblem` with every bad row."""
        if problems := self.against(unit, rows, change_existing):
            raise FileProblem(path or Path("clients"), problems)
        existing = {client.code.upper(): client for client in stored.every_client(unit)}
        clients = list(rows.by_row.values())
        fresh = [client for client in clients if client.code.upper() not in existing]
        known = [client for client in clients if client.code.upper() in existing]
        ids = list(unit.take_ids("client", len(fresh)))
        numbered = list(zip(ids, fresh, strict=True))
        day, actor = self._timing.market.trading_day, self._engine.actor
        add_clients(unit, numbered, day, actor, self._kept.book.carrier_for, self._timing.calendar)
        self._engine.adopt(unit, ids)
        changed = sum(
            apply_edit(unit, existing[client.code.upper()], edit_of(client, rows.fields), day, actor)
            for client in known
        )
        unit.touched.roster = True
        return ImportReport(len(fresh), changed, len(known) - changed, tuple(ids))

    def _group_problems(self, number: int, client: NewClient) -> list[Problem]:
        words = "this group is by rule: nobody is put into it by hand"
        return [
            Problem(number, "groups", name, words)
            for name in client.groups
            if name in self._kept.book.group_rules
        ]

    # --- changes of one client ---

    async def edit(self, client_id: int, edit: ClientEdit) -> bool:
        """Change what is given of a client; returns whether anything differed. The audit has both.

        Raises `BadInput` for a status without a reason, a group that is one by rule, and for a client that is
        to be closed while shares, a loan, money owed or orders stand.
        """
        client = self.get(client_id)
        checked = self._checked(client, edit)

        def unit_of_work(unit: Unit) -> bool:
            if checked.status is ClientStatus.CLOSED:
                _check_nothing_stands(unit, client)
            row = stored.client_of(unit, client_id)
            assert row is not None
            return apply_edit(unit, row, checked, self._timing.market.trading_day, self._engine.actor)

        return await self._engine.write_signed_on(unit_of_work)

    def _checked(self, client: ClientView, edit: ClientEdit) -> ClientEdit:
        """The edit with its texts made plain. Raises `BadInput`."""
        if edit.name is not None:
            edit = replace(edit, name=text_of("name", edit.name))
        if edit.phone is not None:
            edit = replace(edit, phone=text_of("phone", edit.phone, 0))
        if edit.groups is not None:
            edit = replace(edit, groups=self._fixed(edit.groups))
        least = 0 if edit.status in (None, ClientStatus.ACTIVE) else 1
        if edit.status_reason is not None or least:
            edit = replace(edit, status_reason=text_of("reason", edit.status_reason or "", least))
        if edit.capital_paise is not None and edit.capital_paise < 0:
            raise BadInput("capital", edit.capital_paise, "give zero or more rupees")
        if edit.mtf_limit_paise is not None and edit.mtf_limit_paise < 0:
            raise BadInput("mtf_limit", edit.mtf_limit_paise, "give zero or more rupees")
        if client.status is ClientStatus.CLOSED and edit.status is None:
            raise BadInput("client", client.code, "it is closed; give it another status first")
        return edit

    def _fixed(self, names: Iterable[str]) -> tuple[str, ...]:
        """Names of groups as they are known already, else as typed. Raises `BadInput` for one by rule."""
        known = {name.casefold(): name for name in self.groups()}
        found: dict[str, str] = {}
        for one in names:
            name = group_name(one)
            name = known.get(name.casefold(), name)
            if name in self._kept.book.group_rules:
                raise BadInput("group", one, "this group is by rule: nobody is put into it by hand")
            found[name.casefold()] = name
        return tuple(found.values())

    async def standing(self, client_id: int) -> str:
        """What stands against closing a client, in words; empty where nothing does."""
        async with self._kept.store.reader() as reader:
            found = await reader.run_sync(lambda on: standing_of_client(on, client_id))
        return standing_words(found)

    async def set_status(self, client_id: int, status: ClientStatus, reason: str) -> None:
        """Give a client another status, with the reason that plans will show. Raises `BadInput`."""
        await self.edit(client_id, ClientEdit(status=status, status_reason=reason))

    async def pause(self, client_id: int, reason: str, until: datetime | None = None) -> None:
        """Send no order for a client until the market's time of `until`, or without an end.

        What is unsent is denied as it would leave; cancels, changes of live orders and flattens still go.
        Raises `BadInput` without a reason, and for a client that is not active.
        """
        client, told = self.get(client_id), text_of("reason", reason)
        if client.status is not ClientStatus.ACTIVE:
            raise BadInput("client", client.code, f"it is {client.status.value}, and nothing is sent for it")

        def unit_of_work(unit: Unit) -> None:
            row = stored.client_of(unit, client_id)
            assert row is not None
            now = replace(row, pause_reason=told, paused_at=unit.now, paused_until=until, updated_at=unit.now)
            stored.save_client(unit, now)
            details = {"code": row.code, "before": _pause_details(row), "after": _pause_details(now)}
            actor = self._engine.actor
            unit.audit(AuditEntry(AuditAction.CLIENT_PAUSED, actor, client_id=client_id, details=details))
            unit.touched.roster = True

        await self._engine.write_signed_on(unit_of_work)

    async def unpause(self, client_id: int) -> None:
        """Trade for a client again. Raises `BadInput` where it is not paused."""
        client = self.get(client_id)

        def unit_of_work(unit: Unit) -> None:
            row = stored.client_of(unit, client_id)
            if row is None or row.paused_at is None:
                raise BadInput("client", client.code, "it is not paused")
            _end_pause(unit, row, self._engine.actor, at_its_time=False)

        await self._engine.write_signed_on(unit_of_work)

    async def end_pauses(self) -> None:
        """End every pause whose time has come by the market's clock. Raises `StoreError`."""
        now = self._timing.market.now()
        ends = [client.paused_until for client in self._kept.book.clients.values()]
        if not any(end is not None and end <= now for end in ends):
            return

        def unit_of_work(unit: Unit) -> None:
            for row in stored.pauses_due(unit, now):
                _end_pause(unit, row, self._engine.actor, at_its_time=True)

        await self._kept.store.write(unit_of_work)


def _check_nothing_stands(unit: Unit, client: ClientView) -> None:
    """Refuse to close a client of whom anything stands. Raises `BadInput`."""
    if words := standing_words(standing_of_client(unit, client.id)):
        raise BadInput("client", client.code, f"it cannot be closed while something stands: {words}")


def _pause_details(row: ClientRow) -> JsonObject | None:
    if row.paused_at is None:
        return None
    until = None if row.paused_until is None else row.paused_until.isoformat()
    return {"reason": row.pause_reason, "until": until}


def _end_pause(unit: Unit, row: ClientRow, actor: str, at_its_time: bool) -> None:
    stored.save_client(
        unit, replace(row, pause_reason="", paused_at=None, paused_until=None, updated_at=unit.now)
    )
    details = {"code": row.code, "before": _pause_details(row), "after": None, "at_its_time": at_its_time}
    unit.audit(AuditEntry(AuditAction.CLIENT_PAUSE_ENDED, actor, client_id=row.id, details=details))
    if at_its_time:
        unit.publish(TapeLine(unit.now, PauseEnded(row.code, row.pause_reason)))
    unit.touched.roster = True
