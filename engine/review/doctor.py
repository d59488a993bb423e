"""The doctor: re-derives every balance, checks chain and triggers, and says what it found."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from msgspec import Struct

from brokers.connections import Connections
from data.audit import DISTRUSTED, TRUSTED, AuditEntry
from data.clock import IST, SystemClock
from data.engines.database import Database
from data.engines.looks import apart, broken_references, integrity_faults
from data.errors import BadInput
from data.home import open_to_others, secrets_file
from data.migrating import copies_beside
from data.proving.evidence import not_both_ways, recompute
from data.proving.heads import heads_outside
from data.proving.leased import lease_faults
from data.proving.proofs import held
from data.proving.readable import unreadable
from data.proving.rederive import differences, not_accepted
from data.proving.stored_audit import stored_rows
from data.proving.verifying import accepted, first_of, verify
from data.repositories.accounts.breaks import fact_problems
from data.repositories.base import DatabaseError, Reader
from data.repositories.listings import listing_faults
from data.repositories.trading.orders import state_counts
from data.repositories.trading.plans import count_plans
from data.schema import changeable_tables, schema_faults, table_faults
from data.secrets import vault_state
from data.sign_in.passwords import cost_now, seconds_of_a_hash
from data.store import StoreError
from data.urls import left_outside
from data.vocabulary import ConnectionKind, OrderState
from data.writing.audit_writer import kept_heads, standing_stop, stop_words
from data.writing.counters import counter_faults
from engine.book.halt_file import read_halt_file
from engine.book.kept import Kept
from engine.halt.emergency import set_aside_before
from engine.instances import ThisEngine
from engine.review.findings import changed_plans
from engine.review.since import Look, looks_since
from engine.timing import Timing
from engine.words.firm.leases import line_words

TOLD_ONLY = ("orders", "broker's words")
"""Checks of the database that stop no trading: what all others find does, until it is accepted or mended."""


class Check(Struct, frozen=True):
    """One question the doctor asked. `ok` speaks of the books; an open UNKNOWN is no fault of theirs."""

    name: str
    ok: bool
    detail: str


class Doctor:
    """Examines the books of a desk; it changes nothing of them, and keeps in the audit what it found."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, connections: Connections) -> None:
        self._kept = kept
        self._engine = engine
        self._connections = connections
        self._timing = timing
        self._clock = timing.wall
        self.look_at_secrets: Callable[[], tuple[bool, str]] | None = None
        """Whether api secrets and tokens are where the books expect them, and words; may block."""

    async def run(self, since: date | None = None) -> list[Check]:
        """Every check, in the order a reader would want them.

        With `since`, a day, the books are looked at only where they changed from then on: what that finds
        stops trading too, what it does not find ends no stop. Raises `BadInput` for a day that is to come.
        """
        today = self._clock.now().astimezone(IST).date()
        if since is not None and since > today:
            raise BadInput("since", since.isoformat(), f"name today, {today.isoformat()}, or a day before")
        heads = self._kept.heads.path
        checks = await self._kept.store.read_aside(lambda reader: examine(reader, heads, since))
        await self._keep(checks, whole=since is None)
        if self._kept.heads.trouble:
            checks.append(Check("heads outside", False, self._kept.heads.trouble))
        checks.append(self._halts())
        checks += self._certificates()
        checks += self._home()
        checks.append(self._calendar())
        checks += self._copies()
        checks.append(await self._secrets())
        if words := line_words(await self._kept.line.look()):
            checks.append(Check("redis", True, words))  # without it nothing is wrong with the books
        if self._kept.book.people.any:
            checks.append(await self._sign_in())
        return checks

    async def _sign_in(self) -> Check:
        """How long a password takes to be looked at here, where people sign in."""
        seconds = await asyncio.to_thread(seconds_of_a_hash, SystemClock().monotonic)
        cost, people = cost_now(), self._kept.book.people
        able = [one for one in people.by_name.values() if not one.disabled]
        words = (
            f"Argon2id, {cost.passes} passes, {cost.memory_kib // 1024} MiB, {cost.lanes} lanes (RFC 9106)"
        )
        return Check("sign-in", True, f"{words}: {seconds:.2f} s a password; {len(able)} may sign in")

    async def _keep(self, checks: Sequence[Check], whole: bool) -> None:
        """Stop trading in every engine, at each opening too, by what was found; end it where nothing was.

        What was found before stands on where the look was not at the whole.
        """
        bad = [one for one in checks if not one.ok and one.name not in TOLD_ONLY]
        found = [f"{one.name}: {one.detail.partition('; head ')[0]}" for one in bad]
        before = list(await self._kept.store.read_aside(standing_stop))
        if not whole:
            found = [*before, *(words for words in found if words not in before)]
        if found == before:
            return
        action, details = (DISTRUSTED, {"found": found}) if found else (TRUSTED, {})
        with suppress(StoreError):  # what cannot be kept stops at least this engine
            await self._kept.store.write(
                lambda unit: unit.audit(AuditEntry(action, self._engine.actor, details=details))
            )
        self._engine.trading_disabled = stop_words(found) if found else await self._engine.look_at_books()

    def _certificates(self) -> list[Check]:
        """Files that a cancel-all may have left and that hold no certificate, if there are any."""
        aside = set_aside_before(self._kept.home)
        if not aside:
            return []
        words = (
            f"certificates/{aside[0]} could not be taken up, so that what a cancel-all did may not be in "
            f"the books: look into it, then remove it; such files there: {len(aside)}"
        )
        return [Check("certificates", False, words)]

    def _home(self) -> list[Check]:
        """Who else may use the folder, and a database where an earlier version would have put this home's."""
        words, others_write = open_to_others(self._kept.home)
        found = [Check("home folder", not others_write, words)] if words else []
        other = left_outside(self._kept.store.path)
        if other is None:
            return found
        words = (
            f"{other} is a database where an earlier version put the books of a home of this name, outside "
            "of it: see whether it is yours; nothing here reads or changes it"
        )
        return [*found, Check("home", True, words)]

    def _calendar(self) -> Check:
        """Up to which year the calendar goes, and who has changed what of it here."""
        calendar, day = self._timing.calendar, self._timing.market.trading_day
        missing = calendar.missing_year(day)
        own = [f"{one.what} ({one.file}, {one.source}, by {one.author})" for one in calendar.own_rows]
        rows = f"; own rows: {', '.join(own)}" if own else "; the program's own"
        if missing is not None:
            todo = (
                f"{missing} calendar not loaded: `tradedesk calendar import FILE` takes the exchange's list"
            )
            return Check("calendar", True, f"{todo}{rows}")
        return Check("calendar", True, f"{calendar.years[0]} to {calendar.years[-1]}{rows}")

    def _copies(self) -> list[Check]:
        """Copies of the books that migrations laid beside them, if there are any; nothing removes those."""
        copies = copies_beside(self._kept.store.path)
        if not copies:
            return []
        words = (
            f"{copies[-1].name} is {self._kept.store.path.name} as it was before it was brought to a later "
            f"version; remove it once nothing is missed; such copies there: {len(copies)}"
        )
        return [Check("copies", True, words)]

    async def _secrets(self) -> Check:
        """Where api secrets and tokens are kept; on paper there are none, and the keyring is left alone."""
        home = self._kept.home
        if self.look_at_secrets is not None:
            ok, words = await asyncio.to_thread(self.look_at_secrets)
            return Check("secrets", ok, words)
        if self._connections.kind is ConnectionKind.PAPER and not secrets_file(home).exists():
            return Check("secrets", True, "none are needed on paper")
        state = await asyncio.to_thread(vault_state, home)
        todo = f"; {state.todo}" if state.todo else ""
        return Check("secrets", state.ok, f"{state.backend}: {state.why}{todo}")

    def _halts(self) -> Check:
        """The halts that stand; a HALT file that no row explains stops every send and is told as a fault."""
        halts = self._kept.book.halts
        each = [f"{h.number} ({h.scope.value}{', reduce only' if h.reduces else ''})" for h in halts]
        standing = ", ".join(each) or "none"
        told = read_halt_file(self._kept.halt_file)
        if told is not None and not any(halt.stops_desk for halt in halts):
            at, by = told
            return Check(
                "halts",
                False,
                f"the HALT file ({at.astimezone(IST):%d %b %H:%M} IST by {by}) stands without a halt in the "
                "books: nothing is sent until `tradedesk resume --word resume` ends it",
            )
        file = "not there" if told is None else "there"
        return Check("halts", True, f"standing: {standing}; HALT file {file}")


def examine_books(books: Database, why_not_opened: Exception, since: date | None = None) -> list[Check]:
    """The checks of a database whose desk could not be opened, and why not."""
    words = getattr(why_not_opened, "orig", None) or why_not_opened
    opening = Check("opening", False, f"no desk can be opened: {words}")
    try:
        return [opening, *books.read(lambda reader: examine(reader, since=since))]
    except DatabaseError as problem:
        return [opening, Check("database", False, f"it cannot be read: {problem.orig}")]


def examine(reader: Reader, heads: Path | None = None, since: date | None = None) -> list[Check]:
    """The checks that need only the database, and the file of heads kept outside it.

    With `since` they are those that are quick in any file, and those of what changed from that day on.
    """
    checks: list[Check] = []

    def chain(one: Reader) -> tuple[bool, str]:
        return _chain(one, heads)

    looks = {**_LOOKS, "audit chain": chain}
    if since is not None:
        looks = {name: _LOOKS[name] for name in _QUICK} | looks_since(since, heads)
    for name, look in looks.items():
        try:
            with apart(reader):
                ok, words = look(reader)
        except Exception as problem:  # whatever ends one look is what it found, and spoils no other
            words = problem.orig if isinstance(problem, DatabaseError) else repr(problem)
            ok, words = False, f"it cannot be read: {words}"
        checks.append(Check(name, ok, words))
    return checks


def _database(reader: Reader) -> tuple[bool, str]:
    found = integrity_faults(reader)
    return not found, f"integrity: {'; '.join(found) or 'ok'}"


def _references(reader: Reader) -> tuple[bool, str]:
    found = _not_accepted(reader, [*broken_references(reader), *listing_faults(reader)])
    return not found, first_of(found) or "0 rows refer to nothing"


def _triggers(reader: Reader) -> tuple[bool, str]:
    found = [*schema_faults(reader), *_not_accepted(reader, table_faults(reader))]
    words = "all stand, and no trigger, view or index of another's"
    if changeable_tables(reader):
        words += (
            "; they alone keep append-only tables, which this user of the database may change: see db grant"
        )
    return not found, first_of(found) or words


def _balances(reader: Reader) -> tuple[bool, str]:
    found = differences(reader)
    found = not_accepted(found, accepted(reader)) if found else []
    return not found, first_of(found) or "every balance follows from its postings"


def _counters(reader: Reader) -> tuple[bool, str]:
    found = counter_faults(reader)
    return not found, first_of(found) or "no number is given out twice"


def _chain(reader: Reader, heads: Path | None) -> tuple[bool, str]:
    report = verify(stored_rows(reader), kept_heads(reader), heads_outside(heads))
    return report.ok, f"{report.message}; head {report.head[:12]}"


def _both_ways(reader: Reader) -> tuple[bool, str]:
    found = _not_accepted(reader, not_both_ways(reader))
    return not found, first_of(found) or "orders, runs, plans, fills and halts stand in it, and no others"


def _proofs(reader: Reader) -> tuple[bool, str]:
    made = recompute(reader)
    found = _not_accepted(reader, made.found)
    columns, tables = held()
    words = f"{made.held} rows are as the audit left them; {columns} columns of {tables} tables are held"
    if made.not_held:
        words += f"; {made.not_held} rows of earlier versions are not held"
    return not found, first_of(found) or words


def _not_accepted(reader: Reader, found: Sequence[str]) -> list[str]:
    """What was found and no trader has accepted (`tradedesk audit accept`)."""
    known = accepted(reader) if found else ()
    return [words for words in found if words not in known]


def _plans(reader: Reader) -> tuple[bool, str]:
    """Whether each stored plan still has the digest under which it was confirmed."""
    found = _not_accepted(reader, changed_plans(reader))
    count = count_plans(reader)
    return not found, first_of(found) or (
        "1 plan has its digest" if count == 1 else f"{count} plans have their digests"
    )


def _leases(reader: Reader) -> tuple[bool, str]:
    """Whether each attempt was written under the lease that its client had."""
    found = _not_accepted(reader, lease_faults(reader))
    return not found, first_of(found) or "each attempt was written by the desk that had its client"


def _values(reader: Reader) -> tuple[bool, str]:
    found = _not_accepted(reader, unreadable(reader))
    return not found, first_of(found) or "every stored value can be read"


def _orders(reader: Reader) -> tuple[bool, str]:
    counts = state_counts(reader)
    words = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "none"
    unknown = counts.get(OrderState.UNKNOWN.value, 0)
    return True, words + (f"; {unknown} wait for the broker's word" if unknown else "")


def _unbooked(reader: Reader) -> tuple[bool, str]:
    """Whether everything that brokers told is in the books."""
    rows = fact_problems(reader)
    if not rows:
        return True, "every fact is booked"
    first = "; ".join(f"{row.identity}: {row.problem}" for row in rows[:5])
    noun = "fact was" if len(rows) == 1 else "facts were"
    return False, f"{len(rows)} {noun} not booked, and the clients may only sell: {first}"


_LOOKS: dict[str, Look] = {
    "database": _database,
    "values": _values,
    "references": _references,
    "append-only triggers": _triggers,
    "balances": _balances,
    "counters": _counters,
    "audit rows": _both_ways,
    "proofs": _proofs,
    "plans": _plans,
    "leases": _leases,
    "orders": _orders,
    "broker's words": _unbooked,
}

_QUICK = ("append-only triggers", "counters", "orders", "broker's words")
"""Looks that take no longer the more the file holds, or hardly so."""
