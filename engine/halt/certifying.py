"""Following a halt to its certificate: read back until nothing is live, certify, and read on after that."""

import asyncio
import logging
from collections.abc import Collection, Iterator
from contextlib import suppress

from data.records import replace
from data.repositories.base import DatabaseError
from data.repositories.trading.halts import (
    read_certificates,
    refused_orders,
    released_since,
)
from data.store import StoreError
from engine.book.halt_scope import HaltView
from engine.book.kept import Kept
from engine.events import HaltChanged
from engine.execution.workers import Workers
from engine.halt.booked import (
    store_certificate,
)
from engine.halt.certificate import Certificate, write_certificate
from engine.halt.conditionals import ConditionalsRead, keeping, look_at_conditionals
from engine.halt.elsewhere import HaltElsewhere
from engine.halt.emergency import (
    certify_from_books,
    leave_certificate,
)
from engine.halt.reach import Met
from engine.halt.round import Round
from engine.halt.sweep import Before, Results, certify
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.rules import Rules
from engine.timing import Timing

log = logging.getLogger(__name__)


class Certifying:
    """Follows halts that stand, and has the certificate of each as last made."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        venues: Venues,
        rules: Rules,
        workers: Workers,
        engine: ThisEngine,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._venues = venues
        self._connections = venues.connections
        self._rules = rules
        self._workers = workers
        self.made: dict[int, Certificate] = {}
        """By the number of their halt."""
        self._elsewhere = HaltElsewhere(kept, engine)
        self._later: set[asyncio.Task[None]] = set()

    def round(self, halt: HaltView, before: Before) -> Round:
        """A round of reads for a halt and what it met."""
        return Round(
            self._kept,
            self._timing,
            self._venues,
            self._workers,
            halt,
            before,
        )

    async def follow(self, halt: HaltView, before: Before, met: Met | None = None) -> Certificate:
        """Read back until nothing in scope is live or the deadline is past, then store the certificate.

        `met` are orders from elsewhere that cancels sent ahead of the halt's commit have met.
        """
        self._elsewhere.part(halt.number, before)
        reading = self.round(halt, before)
        reading.reach.met |= met or {}
        try:
            try:
                made = await self._until_over(halt, before, reading)
            except Exception as problem:  # whatever it was, what the brokers' books show is told
                log.exception("halt %s could not be followed to a stored certificate", halt.number)
                made = await certify_from_books(
                    self._timing, self._connections, self._rules, reading, words_of(problem)
                )
                made = replace(made, unsent_freed=before.unsent_freed)
                self.made[halt.number] = made
                if leave_certificate(self._kept.home, made) is None:
                    raise
        except BaseException:
            reading.close()
            raise
        self.read_on_later(halt, before, reading, made)
        return made

    async def _until_over(self, halt: HaltView, before: Before, reading: Round) -> Certificate:
        """Read until all is quiet or the deadline is past; returns the certificate of that, stored."""
        began = self._timing.wall.monotonic()
        deadline, doubtful = began + reading.reach.deadline_s(), began + self._timing.waits.halt_doubt_s
        while True:
            await reading.go_on(self._timing.waits.halt_readback_s)
            now = self._timing.wall.monotonic()
            over = now >= deadline or (now >= doubtful and reading.only_doubt())
            made = await self._certify(halt, before, reading, final=over)
            if over or (reading.is_quiet() and not made.unread):
                break
            self._show(made)
        clients = keeping(self._connections, reading.reach.clients)
        if clients:  # at some brokers they take dozens of calls each: what is proven is kept first
            made = ConditionalsRead((), clients, made.at).over(made, self._kept.book)
            made = replace(made, conditionals_at=None)
            self._show(made)
            await self._keep(made)
            made = await self._with_conditionals(made, clients)
        self._show(made)
        await self._keep(made)
        return made

    def read_on_later(self, halt: HaltView, before: Before, reading: Round, made: Certificate) -> None:
        """Go on reading after a certificate that is not the last word; the task is the desk's."""
        task = asyncio.create_task(self._read_on(halt, before, reading, made))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _read_on(self, halt: HaltView, before: Before, reading: Round, kept: Certificate) -> None:
        """Store another certificate whenever what it says changes, until it has ended or is resumed.

        GTTs and alerts that were not read are looked for again, at growing intervals.
        """
        waits, left = self._timing.waits, frozenset(self._ids(kept.conditionals_unread))
        pause_s = waits.live_poll_s
        try:
            while (left or not kept.ended) and halt.number in {one.number for one in self._kept.book.halts}:
                await self._timing.wall.sleep(pause_s)
                pause_s = waits.live_poll_s if not kept.ended else min(2 * pause_s, waits.idle_poll_s)
                if not kept.ended:
                    await reading.go_on(waits.live_poll_s)
                made = self._beside(await self._certify(halt, before, reading, final=True), kept)
                unread = {one.client_id for one in made.unread}
                if wanted := left - unread:
                    made = await self._with_conditionals(made, wanted, left - wanted)
                    left = frozenset(self._ids(made.conditionals_unread))
                self._show(made)
                if made.says_other_than(kept):
                    with suppress(StoreError, DatabaseError):  # said again at the next look
                        await self._keep(made)
                        kept = made
        finally:
            reading.close()

    def _ids(self, codes: Collection[str]) -> Iterator[int]:
        by_code = self._kept.book.by_code
        return (by_code[code.upper()] for code in codes if code.upper() in by_code)

    def _beside(self, made: Certificate, kept: Certificate) -> Certificate:
        """A later certificate with what an earlier one says of GTTs and alerts."""
        return replace(
            made,
            conditionals=kept.conditionals,
            conditionals_unread=kept.conditionals_unread,
            conditionals_at=kept.conditionals_at,
        )

    def _show(self, made: Certificate) -> None:
        self.made[made.number] = made
        self._kept.bus.publish([HaltChanged(made.number)])

    async def _certify(self, halt: HaltView, before: Before, reading: Round, final: bool) -> Certificate:
        """The certificate as the books were last read; `final` where nobody waits for those who were not."""
        async with self._kept.store.reader() as connection:
            refused = await refused_orders(connection, before.orders)
            released = await released_since(connection, before.orders, halt.at)
        await self._elsewhere.take_over(halt.number)
        others = await self._elsewhere.unread(halt.number)
        results = Results(
            refused=refused,
            released=released,
            tried=self._workers.canceller.tried,
            read_at=self._timing.wall.now(),
            ended=reading.is_ended() and not others,
            clients=len(reading.reach.clients),
            external=reading.external(),
            unread=reading.unread(final) + others,
            not_signed_in=reading.reach.not_signed_in,
            unread_rows=reading.unread_rows(),
            passed_over=reading.passed_over(),
        )
        made = certify(self._kept.book, halt, before, results, self._workers.canceller.sent)
        return replace(made, desks=await self._elsewhere.desks(halt, before))

    async def _with_conditionals(
        self, made: Certificate, clients: Collection[int], others: frozenset[int] = frozenset()
    ) -> Certificate:
        """The certificate with these clients' GTTs and alerts too; `others` stay unread."""
        read = await look_at_conditionals(
            self._kept.book, self._timing, self._connections, self._rules, clients
        )
        return replace(read, unread=read.unread | others).over(made, self._kept.book)

    async def _keep(self, made: Certificate) -> None:
        version = await self._kept.store.write(lambda unit: store_certificate(unit, made))
        write_certificate(self._kept.home, made, version)

    async def load(self) -> None:
        """Read stored certificates, the latest of each halt, of other processes' halts too."""
        async with self._kept.store.reader() as connection:
            for one in await read_certificates(connection):
                self.made[one.halt_number] = Certificate.from_json(one.body)

    def stop_reading(self) -> set[asyncio.Task[None]]:
        """End what only reads on; returns its tasks, which the caller waits for."""
        for task in self._later:
            task.cancel()
        return self._later


def words_of(problem: Exception) -> str:
    """Why something could not be written, for the certificate and the refusal."""
    return str(problem) if isinstance(problem, StoreError) else f"{type(problem).__name__}: {problem}"
