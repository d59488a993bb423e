"""Halt and cancel-all: stop first, then cancel; `certifying.py` reads back until nothing is live.

The HALT file is written and synced before anything else, since the last line before every send looks for
it; then one commit writes the halt, frees what was never sent and asks for every other cancel.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from data.errors import BadInput, StoreFailed, shortened
from data.records import replace
from data.repositories.base import DatabaseError
from data.repositories.trading.halts import FiredHalt, fired_halt, unfinished_halts
from data.store import GateMode, StoreError, StoreUnread, Unit
from data.vocabulary import HaltScope, HaltStrength, OrderState
from data.writing.asked import CommandKnown
from engine.book.halt_file import read_halt_file, write_halt_file
from engine.book.halt_scope import HaltView
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.events import HaltChanged, TapeLine
from engine.execution.workers import Workers
from engine.halt.booked import (
    FILE_ONLY,
    OpenedHalt,
    as_fired,
    book_certificate,
    is_in,
    members_of,
    resume_by_word,
)
from engine.halt.broker_books import FromBooks
from engine.halt.certificate import Certificate, write_certificate
from engine.halt.certifying import Certifying, words_of
from engine.halt.emergency import (
    as_booked,
    certify_from_books,
    leave_certificate,
    left_certificates,
    read_certificate,
    set_aside,
)
from engine.halt.hearing import flag_in_file, is_flagged, unbooked_name
from engine.halt.opening import Opening
from engine.halt.others import HaltsHeard
from engine.halt.sweep import Before
from engine.halt.views import Exposure, Unwritten
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.news import CertificateLeftOut
from engine.refusals import LooksOnly
from engine.rules import Rules
from engine.timing import Timing

log = logging.getLogger(__name__)


class Halts:
    """Fires halts, follows each to its certificate, and resumes them by number."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
        rules: Rules,
        workers: Workers,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._rules = rules
        self._canceller = workers.canceller
        self._opening = Opening(kept)
        self._certifying = Certifying(kept, timing, venues, rules, workers, engine)
        self._tasks: set[asyncio.Task[Certificate]] = set()
        self._not_taken: set[Path] = set()
        self._heard = HaltsHeard(kept, timing)
        self.unwritten: Unwritten | None = None

    @property
    def firing(self) -> bool:
        """Whether a cancel-all of everything is under way here."""
        return bool(self._tasks)

    def active(self) -> list[HaltView]:
        """The halts that stand, oldest first; a HALT file without a row comes last, as `FILE_ONLY`."""
        standing, book = list(self._kept.book.halts), self._kept.book
        if not any(halt.stops_desk for halt in standing):
            told = read_halt_file(self._kept.halt_file)
            if told is not None:
                members = members_of(book.clients, *self.own_scope) if self.shared else frozenset[int]()
                of_file = HaltView(FILE_ONLY, *self.own_scope, *told, members)
                standing.append(replace(of_file, home=book.home_id, here=self.shared))
        return standing

    @property
    def shared(self) -> bool:
        """Whether several desks share these books, so that a halt may be of this one alone."""
        return bool(self._kept.book.home_id)

    @property
    def own_scope(self) -> tuple[HaltScope, str]:
        """What a halt of this desk's clients is of: this desk, or everything where it is the only one."""
        leases = self._kept.store.leases
        return (HaltScope.EVERYTHING, "") if leases is None else (HaltScope.DESK, leases.who.name)

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
        halt = HaltView(FILE_ONLY, scope, value, self._timing.wall.now(), "", members, home=book.home_id)
        live = [book.orders[order_id] for order_id in sorted(book.live)]
        return [order for order in live if is_in(halt, book.clients.get(order.client_id), order.key)]

    def check_scope(self, scope: HaltScope, value: str) -> str:
        """The scope's value as stored. Raises `BadInput` for a broker, group, client or symbol not known."""
        book = self._kept.book
        known: dict[HaltScope, Callable[[], Iterable[str]]] = {
            HaltScope.EVERYTHING: lambda: [""],
            HaltScope.BROKER: lambda: {client.broker for client in book.clients.values()},
            HaltScope.GROUP: book.groups,
            HaltScope.CLIENT: lambda: map(str, book.clients),
            HaltScope.DESK: lambda: [value for scope, value in [self.own_scope] if scope is HaltScope.DESK],
            HaltScope.SYMBOL: lambda: [value if self._market_data.index.get(value) else ""],
        }
        if value not in set(known[scope]()) or (scope is HaltScope.SYMBOL and not value):
            raise BadInput(scope.value, value, "give one that the desk knows")
        return value

    def fire_now(self, by: str, firm: bool = False) -> "asyncio.Task[Certificate]":
        """Start a cancel-all of all that this desk has, or with `firm` of every desk on these books.

        The task belongs to the desk, no screen can end it.
        """
        task = asyncio.create_task(self.fire(by, *((HaltScope.EVERYTHING, "") if firm else self.own_scope)))
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
        every order of this home, is written for everything, or this desk, at strength `all` alone.
        Returns when nothing is live or the deadline has passed; the reading goes on after that. Raises
        `LooksOnly` where nothing here can cancel, `BadInput` for an unknown scope, `StoreError` when not even
        the halt could be written; then the cancels were sent all the same, and for everything the HALT file
        stands. They are sent too, ahead of the commit, when that takes longer than `Waits.write_lock_wait_s`.
        """
        if self._engine.looks_only:
            raise LooksOnly  # before the HALT file: who reads it would take the desk's orders for cancelled
        value = self.check_scope(scope, value)
        at, self.unwritten = self._timing.wall.now(), None
        book = self._kept.book
        members, of_desk = members_of(book.clients, scope, value), scope is HaltScope.DESK
        unbooked = HaltView(
            FILE_ONLY, scope, value, at, by, members, strength, book.home_id, of_desk and self.shared
        )
        no_file = write_halt_file(self._kept.halt_file, by, at) if unbooked.stops_desk else ""
        begun = self._opening.begin(unbooked)
        writing, flag = begun.opened, ""
        await self._patiently(writing)
        reading, done = None, FromBooks(0, 0)
        in_scope = [order.id for order in self._in_scope(scope, value)]
        if not writing.done() or writing.exception() is not None:
            if is_flagged(unbooked) and not begun.has_row:
                flag = unbooked_name(at, by)
                self._kept.line.raise_flag(flag)
            reading = self._certifying.round(unbooked, Before(dict.fromkeys(in_scope, 0), {}))
            done = await reading.books.cancel_all()
        try:
            opened = await writing
        except Exception as problem:  # whatever it was, the cancels are out, and what they did is told
            if reading is None or isinstance(problem, StoreUnread | CommandKnown):
                raise  # a halt was kept: the next opening follows it, or whoever asked twice does
            why = words_of(problem)
            orders = len(in_scope) + done.others
            made = await certify_from_books(self._timing, self._connections, self._rules, reading, why)
            kept = leave_certificate(self._kept.home, made) is not None
            unwritten = Unwritten(at, by, why, orders, done.taken, made.unread, made, kept, no_file)
            self.unwritten = unwritten
            self._kept.bus.publish([HaltChanged(FILE_ONLY)])
            kind = type(problem) if isinstance(problem, StoreError) else StoreFailed
            raise kind(f"{why}; {unwritten.words}") from problem
        if reading is not None:  # what its cancels met that the books did not know as live
            opened.before.orders = reading.reach.late | opened.before.orders
        if flag:
            self._kept.line.raise_flag(str(opened.halt.number), flag)
        self._engine.reached("halt_written")
        self._canceller.carry_out(opened.asked.requests)
        met = None if reading is None else reading.reach.met
        return await self._certifying.follow(opened.halt, opened.before, met)

    async def _patiently(self, writing: "asyncio.Future[OpenedHalt]") -> None:
        """Wait for the halt's commit, but not long: another process may hold the lock, frozen."""
        patience = asyncio.create_task(self._timing.wall.sleep(self._timing.waits.write_lock_wait_s))
        try:
            await asyncio.wait({writing, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()

    async def book_left(self, follow: bool = False) -> set[int]:
        """Take certificates up into the books that those could not take as they were made.

        Each once, however often a program ends on the way: its file goes after the commit, and what was
        committed is known by its halt. The halt stands from then on by its row; with `follow` what it asked
        for is carried out and read here. Returns the clients of whom the brokers have told what the books do
        not know yet. Raises `StoreError`; a file that holds no certificate is set aside and told once.
        """
        self._leave_again()
        told, book = set[int](), self._kept.book
        for path in left_certificates(self._kept.home):
            try:
                made = read_certificate(path)
                if made is None:
                    continue
                booked = await self._kept.store.write(
                    lambda unit, made=made: book_certificate(unit, made, book.clients, book.home_id),
                    GateMode.ALONE,
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
            self._certifying.made[made.number] = made
            self.unwritten = None
            if made.scope is HaltScope.EVERYTHING and made.strength is HaltStrength.ALL:
                self._kept.line.raise_flag(str(booked.number), unbooked_name(made.at, made.by))
            told.update(line.client_id for line in made.lines)
            self._kept.bus.publish([HaltChanged(made.number)])
            if follow and booked.opened is not None:
                halt, before = booked.opened.halt, booked.opened.before
                self._canceller.carry_out(booked.opened.asked.requests)
                self._certifying.read_on_later(halt, before, self._certifying.round(halt, before), made)
        return told & book.clients.keys()

    def _leave_again(self) -> None:
        """Try again to write the HALT file and to keep the certificate, where the home took neither."""
        lost = self.unwritten
        if lost is None or (lost.kept and not lost.no_file):
            return
        no_file = write_halt_file(self._kept.halt_file, lost.by, lost.at) if lost.no_file else ""
        kept = lost.kept or leave_certificate(self._kept.home, lost.certificate) is not None
        self.unwritten = replace(lost, kept=kept, no_file=no_file)

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
        for opened in await self._opening.sweep_left():
            self._canceller.carry_out(opened.asked.requests)
            self._own(asyncio.create_task(self._certifying.follow(opened.halt, opened.before)))
        for stored in found:
            if stored.home and stored.home != self._kept.book.home_id:  # its own desk says what became of it
                continue
            halt, before = self._as_left(stored)
            made = self._certifying.made.get(halt.number)
            if made is None:
                self._own(asyncio.create_task(self._certifying.follow(halt, before)))
            elif stored.resumed_at is None:
                reading = self._certifying.round(halt, before)
                self._certifying.read_on_later(halt, before, reading, made)

    def _as_left(self, stored: FiredHalt) -> tuple[HaltView, Before]:
        """A halt and what it met, as its row says; what ended on an earlier day needs no certificate."""
        before = Before.from_json(stored.before)
        if not self.shared:  # else other desks' are told apart as it is followed
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
        return await self._certifying.follow(*self._as_left(stored))

    def _own(self, task: "asyncio.Task[Certificate]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def resume(self, number: int, word: str, by: str) -> int:
        """End a halt; returns its number. `FILE_ONLY` gets its row, and so a number, as it ends.

        `word` must be `resume`. Raises `BadInput` for another word, a halt that does not stand, or one of a
        guard, which ends as its guard is armed again.
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

        halt, clients = standing[number], self._kept.book.clients
        ended, none_left = await self._kept.store.write(
            lambda unit: resume_by_word(unit, halt, by, clients, self._kept.book.home_id), GateMode.ALONE
        )
        named = flag_in_file(self._kept.halt_file)
        if number == FILE_ONLY and named:  # for other desks to know the halt by its number, and that it ended
            self._kept.line.raise_flag(str(ended), named)
        self._kept.line.lower_flag(str(ended))
        if none_left:
            self._kept.halt_file.unlink(missing_ok=True)
            self.unwritten = None
            self._kept.bus.publish([HaltChanged(ended)])
        return ended

    def certificate(self, number: int) -> Certificate | None:
        """The certificate of a halt as last made; None while there is none yet."""
        return self._certifying.made.get(number)

    def latest(self) -> Certificate | None:
        """The newest certificate."""
        return self._certifying.made[max(self._certifying.made)] if self._certifying.made else None

    async def load(self) -> None:
        """Read stored certificates, and write the HALT file again if a halt stands without it."""
        await self.follow_others()

    async def follow_others(self) -> None:
        """Do what halts of other processes ask: read their certificates, write the HALT file or remove it.

        When this desk knew of each is kept, where several share the books.
        """
        await self.load_certificates()
        if not self._tasks:
            self._heard.have_file()
        await self._heard.say_known()

    async def load_certificates(self) -> None:
        """Read stored certificates, the latest of each halt, of other processes' halts too."""
        await self._certifying.load()

    async def close(self) -> None:
        """Wait for cancel-alls under way; what only reads on ends here."""
        later = self._certifying.stop_reading()
        await asyncio.gather(*self._tasks, *later, return_exceptions=True)


def _read_everything(unit: Unit) -> None:
    unit.touched.everything = True
