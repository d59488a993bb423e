"""Halt and cancel-all: stop first, then cancel, read back until nothing is live, and certify.

The HALT file is written and synced before anything else, since the last line before every send looks for
it; then one commit writes the halt, frees what was never sent and asks for every other cancel.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from data.asked import CommandKnown
from data.errors import BadInput, shortened
from data.repositories.base import DatabaseError
from data.repositories.halts import (
    FiredHalt,
    fired_halt,
    read_certificates,
    refused_orders,
    released_since,
    unfinished_halts,
)
from data.store import StoreError, StoreFailed, StoreUnread, Unit
from data.vocabulary import HaltScope, HaltStrength, OrderState
from engine.book.halt_file import halt_file_stands, read_halt_file, write_halt_file
from engine.book.kept import Kept
from engine.book.views import HaltView, OrderView
from engine.events import HaltChanged, TapeLine
from engine.execution.book_reads import Watcher
from engine.execution.cancels import Canceller
from engine.halt.booked import (
    FILE_ONLY,
    as_fired,
    book_certificate,
    is_in,
    members_of,
    open_halt,
    resume_halt,
    store_certificate,
)
from engine.halt.certificate import Certificate, CertificateUnread, write_certificate
from engine.halt.conditionals import look_at_conditionals
from engine.halt.emergency import (
    as_booked,
    certify_from_books,
    leave_certificate,
    left_certificates,
    read_certificate,
    set_aside,
)
from engine.halt.round import FromBooks, Round
from engine.halt.sweep import Before, Results, certify
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.news import CertificateLeftOut
from engine.rules import Rules
from engine.timing import Timing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a cancel-all would meet now; money in paise."""

    live: int
    unsent: int
    unknown: int
    clients: int
    blocked_paise: int

    @property
    def orders(self) -> int:
        """All orders that it would cancel."""
        return self.live + self.unsent + self.unknown


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A halt that the store did not take: why, the orders in its scope, and the cancels brokers took.

    `unread` are the clients whose books could not be read meanwhile, `certificate` what the brokers' books
    showed of the cancels; it is `kept` in a file that the books take up as soon as they can be written.
    """

    at: datetime
    by: str
    why: str
    orders: int
    taken: int
    unread: tuple[CertificateUnread, ...]
    certificate: Certificate
    kept: bool

    @property
    def words(self) -> str:
        """What the brokers did all the same."""
        codes = ", ".join(one.code for one in self.unread)
        left = f"; NOT READ, so what lives there is not known: {codes}" if codes else ""
        kept = "" if self.kept else "; its certificate could not be kept in a file either"
        return f"the brokers took {self.taken} cancels all the same{left}{kept}"


class Halts:
    """Fires halts, follows each to its certificate, and resumes them by number."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
        rules: Rules,
        canceller: Canceller,
        watcher: Watcher,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._venues = venues
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._rules = rules
        self._canceller = canceller
        self._watcher = watcher
        self._certificates: dict[int, Certificate] = {}
        self._tasks: set[asyncio.Task[Certificate]] = set()
        self._later: set[asyncio.Task[None]] = set()
        self._not_taken: set[Path] = set()
        self.unwritten: Unwritten | None = None

    @property
    def firing(self) -> bool:
        """Whether a cancel-all of everything is under way here."""
        return bool(self._tasks)

    def active(self) -> list[HaltView]:
        """The halts that stand, oldest first; a HALT file without a row comes last, as `FILE_ONLY`."""
        standing = list(self._kept.book.halts)
        if not any(halt.stops_desk for halt in standing):
            told = read_halt_file(self._kept.halt_file)
            if told is not None:
                standing.append(HaltView(FILE_ONLY, HaltScope.EVERYTHING, "", *told))
        return standing

    def exposure(self, scope: HaltScope = HaltScope.EVERYTHING, value: str = "") -> Exposure:
        """What a cancel-all of this scope would meet now."""
        orders = self._in_scope(scope, value)
        states = Counter(order.state for order in orders)
        return Exposure(
            live=states[OrderState.OPEN] + states[OrderState.SENDING],
            unsent=states[OrderState.RESERVED],
            unknown=states[OrderState.UNKNOWN],
            clients=len({order.client_id for order in orders}),
            blocked_paise=sum(order.blocked_paise for order in orders),
        )

    def _in_scope(self, scope: HaltScope, value: str) -> list[OrderView]:
        book = self._kept.book
        members = members_of(book.clients, scope, value)
        halt = HaltView(FILE_ONLY, scope, value, self._timing.wall.now(), "", members)
        live = [book.orders[order_id] for order_id in sorted(book.live)]
        return [order for order in live if is_in(halt, book.clients.get(order.client_id), order.key)]

    def check_scope(self, scope: HaltScope, value: str) -> str:
        """The scope's value as stored. Raises `BadInput` for a broker, group, client or symbol not known."""
        book = self._kept.book
        known: dict[HaltScope, Callable[[], Iterable[str]]] = {
            HaltScope.EVERYTHING: lambda: [""],
            HaltScope.BROKER: lambda: {client.broker for client in book.clients.values()},
            HaltScope.GROUP: lambda: {name for c in book.clients.values() for name in c.groups},
            HaltScope.CLIENT: lambda: map(str, book.clients),
            HaltScope.SYMBOL: lambda: [value if self._market_data.index.get(value) else ""],
        }
        if value not in set(known[scope]()) or (scope is HaltScope.SYMBOL and not value):
            raise BadInput(scope.value, value, "give one that the desk knows")
        return value

    def fire_now(self, by: str) -> "asyncio.Task[Certificate]":
        """Start a cancel-all of everything; the task belongs to the desk, no screen can end it."""
        task = asyncio.create_task(self.fire(by))
        self._own(task)
        return task

    async def fire(
        self,
        by: str,
        scope: HaltScope = HaltScope.EVERYTHING,
        value: str = "",
        strength: HaltStrength = HaltStrength.ALL,
    ) -> Certificate:
        """Halt a scope, cancel what is live in it, and return the certificate.

        Either strength cancels all; they differ in what may leave afterwards. The HALT file, which stops
        every order, is written for everything at strength `all` alone.
        Returns when nothing is live or the deadline has passed; the reading goes on after that. Raises
        `BadInput` for an unknown scope, `StoreError` when not even the halt could be written; then the
        cancels were sent all the same, and for everything the HALT file stands. They are sent too, ahead of
        the commit, when that takes longer than `Waits.write_lock_wait_s`.
        """
        value = self.check_scope(scope, value)
        at, self.unwritten = self._timing.wall.now(), None
        book = self._kept.book
        unbooked = HaltView(FILE_ONLY, scope, value, at, by, members_of(book.clients, scope, value), strength)
        if unbooked.stops_desk:
            write_halt_file(self._kept.halt_file, by, at)
        writing = self._kept.store.submit(
            lambda unit: open_halt(unit, replace(unbooked, at=unit.now), book.clients)
        )
        await self._patiently(writing)
        reading, done = None, FromBooks(0, 0)
        in_scope = [order.id for order in self._in_scope(scope, value)]
        if not writing.done() or writing.exception() is not None:
            reading = self._round(unbooked, Before(dict.fromkeys(in_scope, 0), {}))
            done = await reading.cancel_from_books()
        try:
            opened = await writing
        except Exception as problem:  # whatever it was, the cancels are out, and what they did is told
            if reading is None or isinstance(problem, StoreUnread | CommandKnown):
                raise  # a halt was kept: the next opening follows it, or whoever asked twice does
            why = _words(problem)
            orders = len(in_scope) + done.others
            made = await certify_from_books(
                self._kept.book, self._timing, self._connections, self._rules, reading, unbooked, why
            )
            kept = leave_certificate(self._kept.home, made) is not None
            unwritten = Unwritten(at, by, why, orders, done.taken, made.unread, made, kept)
            self.unwritten = unwritten
            self._kept.bus.publish([HaltChanged(FILE_ONLY)])
            kind = type(problem) if isinstance(problem, StoreError) else StoreFailed
            raise kind(f"{why}; {unwritten.words}") from problem
        if reading is not None:  # what its cancels met that the books did not know as live
            opened.before.orders = reading.late | opened.before.orders
        self._engine.reached("halt_written")
        self._canceller.carry_out(opened.asked.requests)
        return await self._follow(opened.halt, opened.before)

    def _round(self, halt: HaltView, before: Before) -> Round:
        return Round(
            self._kept,
            self._timing,
            self._venues,
            self._canceller,
            self._watcher,
            halt,
            before,
        )

    async def _patiently(self, writing: "asyncio.Future[Any]") -> None:
        """Wait for the halt's commit, but not long: another process may hold the lock, frozen."""
        patience = asyncio.create_task(self._timing.wall.sleep(self._timing.waits.write_lock_wait_s))
        await asyncio.wait({writing, patience}, return_when=asyncio.FIRST_COMPLETED)
        patience.cancel()

    async def _follow(self, halt: HaltView, before: Before) -> Certificate:
        """Read back until nothing in scope is live or the deadline is past, then store the certificate."""
        reading = self._round(halt, before)
        try:
            try:
                made = await self._until_over(halt, before, reading)
            except Exception as problem:  # whatever it was, what the brokers' books show is told
                log.exception("halt %s could not be followed to a stored certificate", halt.number)
                made = await certify_from_books(
                    self._kept.book,
                    self._timing,
                    self._connections,
                    self._rules,
                    reading,
                    halt,
                    _words(problem),
                )
                made = replace(made, unsent_freed=before.unsent_freed)
                self._certificates[halt.number] = made
                if leave_certificate(self._kept.home, made) is None:
                    raise
        except BaseException:
            reading.close()
            raise
        self._read_on_later(halt, before, reading, made)
        return made

    async def _until_over(self, halt: HaltView, before: Before, reading: Round) -> Certificate:
        """Read until all is quiet or the deadline is past; returns the certificate of that, stored."""
        began = self._timing.wall.monotonic()
        deadline, doubtful = began + reading.deadline_s(), began + self._timing.waits.halt_doubt_s
        while True:
            await reading.go_on(self._timing.waits.halt_readback_s)
            now = self._timing.wall.monotonic()
            over = now >= deadline or (now >= doubtful and reading.only_doubt())
            made = await self._certify(halt, before, reading, final=over)
            if over or reading.is_quiet():
                break
        made = await self._with_conditionals(made, reading)
        await self._keep(made)
        return made

    def _read_on_later(self, halt: HaltView, before: Before, reading: Round, made: Certificate) -> None:
        """Go on reading after a certificate that is not the last word; the task is the desk's."""
        task = asyncio.create_task(self._read_on(halt, before, reading, made))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _read_on(self, halt: HaltView, before: Before, reading: Round, kept: Certificate) -> None:
        """Store another certificate whenever what it says changes, until it has ended or is resumed."""
        try:
            while not kept.ended and halt.number in {one.number for one in self._kept.book.halts}:
                await self._timing.wall.sleep(self._timing.waits.live_poll_s)
                await reading.go_on(self._timing.waits.live_poll_s)
                made = await self._certify(halt, before, reading, final=True)
                made = replace(
                    made, conditionals=kept.conditionals, conditionals_unread=kept.conditionals_unread
                )
                self._certificates[halt.number] = made
                if made.says_other_than(kept):
                    with suppress(StoreError, DatabaseError):  # said again at the next look
                        await self._keep(made)
                        kept = made
        finally:
            reading.close()

    async def _certify(self, halt: HaltView, before: Before, reading: Round, final: bool) -> Certificate:
        """The certificate as the books were last read; `final` where nobody waits for those who were not."""
        async with self._kept.store.reader() as connection:
            refused = await refused_orders(connection, before.orders)
            released = await released_since(connection, before.orders, halt.number)
        results = Results(
            refused=refused,
            released=released,
            tried=self._canceller.tried,
            read_at=self._timing.wall.now(),
            ended=reading.is_ended(),
            clients=len(reading.clients),
            external=reading.external(),
            unread=reading.unread(final),
            not_signed_in=reading.not_signed_in,
            unread_rows=reading.unread_rows(),
            passed_over=reading.passed_over(),
        )
        made = certify(self._kept.book, halt, before, results, self._canceller.sent)
        self._certificates[halt.number] = made
        self._kept.bus.publish([HaltChanged(halt.number)])
        return made

    async def _with_conditionals(self, made: Certificate, reading: Round) -> Certificate:
        """The certificate with the clients' GTTs and alerts, read once all cancels are out."""
        found, unread = await look_at_conditionals(
            self._kept.book, self._timing, self._connections, self._rules, reading.clients
        )
        made = replace(made, conditionals=found, conditionals_unread=unread)
        self._certificates[made.number] = made
        self._kept.bus.publish([HaltChanged(made.number)])
        return made

    async def _keep(self, made: Certificate) -> None:
        version = await self._kept.store.write(lambda unit: store_certificate(unit, made))
        write_certificate(self._kept.home, made, version)

    async def book_left(self, follow: bool = False) -> set[int]:
        """Take certificates up into the books that those could not take as they were made.

        Each once, however often a program ends on the way: its file goes after the commit, and what was
        committed is known by its halt. The halt stands from then on by its row; with `follow` what it asked
        for is carried out and read here. Returns the clients of whom the brokers have told what the books do
        not know yet. Raises `StoreError`; a file that holds no certificate is set aside and told once.
        """
        told, book = set[int](), self._kept.book
        for path in left_certificates(self._kept.home):
            try:
                made = read_certificate(path)
                if made is None:
                    continue
                booked = await self._kept.store.write(
                    lambda unit, made=made: book_certificate(unit, made, book.clients)
                )
            except StoreError:
                raise
            except Exception as problem:
                self._leave_out(path, problem)
                continue
            with suppress(OSError):  # a file that stays is known by its halt
                path.unlink(missing_ok=True)
            if not booked.version:
                continue
            made = as_booked(made, booked.number)
            write_certificate(self._kept.home, made, booked.version)
            self._certificates[made.number] = made
            self.unwritten = None
            told.update(line.client_id for line in made.lines)
            self._kept.bus.publish([HaltChanged(made.number)])
            if follow and booked.opened is not None:
                halt, before = booked.opened.halt, booked.opened.before
                self._canceller.carry_out(booked.opened.asked.requests)
                self._read_on_later(halt, before, self._round(halt, before), made)
        return told & book.clients.keys()

    def _leave_out(self, path: Path, problem: Exception) -> None:
        """Tell once of a file that could not be taken up; where that is its own fault, it is set aside."""
        of_the_machine = isinstance(problem, (OSError, DatabaseError))
        name = path.name if of_the_machine else set_aside(path)
        if path in self._not_taken:
            return
        self._not_taken.add(path)
        words = problem.orig if isinstance(problem, DatabaseError) else problem
        why = shortened(f"{type(problem).__name__}: {words}")
        log.error("a certificate could not be taken up; it stands as certificates/%s: %s", name, why)
        self._kept.bus.publish([TapeLine(self._timing.wall.now(), CertificateLeftOut(name, why))])

    async def take_up(self) -> None:
        """Follow halts that stand, and that an earlier run of the program left before their end."""
        async with self._kept.store.reader() as connection:
            found = await unfinished_halts(connection)
        for stored in found:
            halt, before = self._as_left(stored)
            made = self._certificates.get(halt.number)
            if made is None:
                self._own(asyncio.create_task(self._follow(halt, before)))
            elif stored.resumed_at is None:
                reading = self._round(halt, before)
                self._read_on_later(halt, before, reading, made)

    def _as_left(self, stored: FiredHalt) -> tuple[HaltView, Before]:
        """A halt and what it met, as its row says; what ended on an earlier day needs no certificate."""
        before = Before.from_json(stored.before)
        known = {i: paise for i, paise in before.orders.items() if i in self._kept.book.orders}
        before.orders = known
        return as_fired(stored), before

    async def follow(self, number: int) -> Certificate:
        """Follow to its certificate a halt that another engine fired and may not be alive to follow.

        Raises `BadInput` for a number without a row of its own.
        """
        await self._kept.store.write(_read_everything)  # the other's commit, before it is noticed
        async with self._kept.store.reader() as connection:
            stored = await fired_halt(connection, number)
        if stored is None:
            raise BadInput("halt", number, "no halt has this number")
        await self._canceller.resume()
        return await self._follow(*self._as_left(stored))

    def _own(self, task: "asyncio.Task[Certificate]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def resume(self, number: int, word: str, by: str) -> int:
        """End a halt; returns its number. `FILE_ONLY` gets its row, and so a number, as it ends.

        `word` must be `resume`. Raises `BadInput` for another word or a halt that does not stand.
        """
        if word.strip().lower() != "resume":
            raise BadInput("answer", word, "type resume")
        await self.book_left()
        standing = {halt.number: halt for halt in self.active()}
        if number == FILE_ONLY and number not in standing:  # its row has been made meanwhile
            rows = [halt.number for halt in standing.values() if halt.stops_desk]
            number = rows[-1] if rows else number
        if number not in standing:
            active = ", ".join(map(str, standing)) or "none"
            raise BadInput("halt", number, f"halts that stand: {active}")

        ended, none_left = await self._kept.store.write(lambda unit: resume_halt(unit, standing[number], by))
        if none_left:
            self._kept.halt_file.unlink(missing_ok=True)
            self.unwritten = None
            self._kept.bus.publish([HaltChanged(ended)])
        return ended

    def certificate(self, number: int) -> Certificate | None:
        """The certificate of a halt as last made; None while there is none yet."""
        return self._certificates.get(number)

    def latest(self) -> Certificate | None:
        """The newest certificate."""
        return self._certificates[max(self._certificates)] if self._certificates else None

    async def load(self) -> None:
        """Read stored certificates, and write the HALT file again if a halt stands without it."""
        await self.load_certificates()
        standing = [halt for halt in self._kept.book.halts if halt.stops_desk]
        if standing and not halt_file_stands(self._kept.halt_file):
            write_halt_file(self._kept.halt_file, standing[-1].by, standing[-1].at)

    async def load_certificates(self) -> None:
        """Read stored certificates, the latest of each halt, of other processes' halts too."""
        async with self._kept.store.reader() as connection:
            for one in await read_certificates(connection):
                self._certificates[one.halt_number] = Certificate.from_json(one.body)

    async def close(self) -> None:
        """Wait for cancel-alls under way; what only reads on ends here."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._later, return_exceptions=True)


def _read_everything(unit: Unit) -> None:
    unit.touched.everything = True


def _words(problem: Exception) -> str:
    return str(problem) if isinstance(problem, StoreError) else f"{type(problem).__name__}: {problem}"
