"""The flatten service: what one would do now, begun once, followed to its certificate, found and carried on.

A flatten is durable. One engine carries it out at a time; when that has ended, whoever follows it carries it
on. The same flatten asked for twice is one.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import TypeVar

from brokers.connections import Readers
from data.errors import BadInput
from data.home import certificates_folder
from data.records import replace
from data.repositories.trading import flattens
from data.repositories.trading.flattens import StoredFlatten, StoredLine
from data.repositories.trading.requests import cancelled_for
from data.store import Unit
from data.vocabulary import (
    FlattenLineState,
    FlattenReason,
    FlattenState,
    FlattenWhat,
    HaltScope,
    Product,
)
from engine.book.halt_file import halt_file_stamp
from engine.book.halt_scope import Passes
from engine.book.kept import Kept
from engine.book.views import ClientView
from engine.events import Event, FlattenChanged, OrderChanged, TapeLine
from engine.execution.trading import require_trading
from engine.execution.workers import Workers
from engine.flatten.booked import FlattenLost, begin, certify, stop, take_over
from engine.flatten.driver import CarriedFlatten, Driver
from engine.flatten.looking import Looking
from engine.flatten.placing import Placing
from engine.flatten.positions import Position, goal_of
from engine.flatten.prices import first_limit
from engine.flatten.viewing import absent, flatten_view, in_scope
from engine.flatten.views import FlattenPosition, FlattenProgress, FlattenProspect, FlattenView
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.news import FlattenInterrupted
from engine.rules import READERS, Rules
from engine.timing import Timing

T = TypeVar("T")
log = logging.getLogger(__name__)


class Flattens:
    """Takes positions flat, and finds what was taken flat."""

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
        self._rules = rules
        self._watcher = workers.watcher
        self._looking = Looking(kept, timing, venues)
        self._placing = Placing(kept, timing, engine, rules, self._looking)
        self._driver = Driver(kept, timing, engine, workers, self._looking, self._placing)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._readers = Readers(kept.book.carrier_of, READERS)
        self._moved = asyncio.Event()
        self.going: tuple[FlattenProgress, ...] = ()
        """How far flattens are that have not ended, whosever they are, as `keep_counted` read them last."""
        kept.bus.subscribe(self._hear)

    def close(self) -> None:
        """Carry nothing on; what was begun is found and carried on by whoever follows it next."""
        for task in self._tasks.values():
            task.cancel()

    def _hear(self, event: Event) -> None:
        """Have the flattens counted that this process, or by their orders another, moves on."""
        book = self._kept.book
        if isinstance(event, FlattenChanged) or (
            isinstance(event, OrderChanged)
            and any(book.orders[one].flatten_number for one in event.order_ids if one in book.orders)
        ):
            self._moved.set()

    async def keep_counted(self) -> None:
        """Keep `going` as it is, for as long as the desk lives."""
        while True:
            self._moved.clear()
            try:
                await self._count()
            except Exception as problem:  # whatever it was, the next look may read them
                log.warning("flattens could not be counted: %s", problem)
            if not self.going:
                await self._moved.wait()
            await self._timing.wall.sleep(self._timing.waits.heartbeat_s)

    async def _count(self) -> None:
        """Count those that have not ended, and tell once of each whose engine has."""
        async with self._kept.store.reader() as reader:
            read = await flattens.read_counts(reader)
        told = {one.number for one in self.going if not one.carried}
        self.going = tuple(
            FlattenProgress(
                one.number, one.flat, one.left, one.positions, self._engine.lives(one.instance_id)
            )
            for one in read
        )
        dead = [one for one in self.going if not one.carried and one.number not in told]
        now = self._timing.wall.now()
        news = [FlattenInterrupted(one.number, one.flat, one.positions) for one in dead]
        self._kept.bus.publish([TapeLine(now, one) for one in news])

    # --- before it begins ---

    async def prospect(self, scope: HaltScope, value: str, what: FlattenWhat) -> FlattenProspect:
        """Read the clients of a scope, and say what a flatten would send now; nothing is written.

        Raises `BadInput` for a scope that the desk does not know.
        """
        clients = self._clients(scope, value)
        found = await self._each(clients, lambda client: self._client_prospect(client, what))
        positions = [one for of_client, _ in found for one in of_client]
        ends = self._timing.intraday_ends(client.broker for client in clients)
        return FlattenProspect(
            scope,
            value,
            what,
            tuple(sorted(positions, key=lambda one: (not one.reason, one.code, one.tradingsymbol))),
            sum(others for _, others in found),
            tuple(ends),
            absent(clients, {one.client_id for one in positions}),
        )

    def _clients(self, scope: HaltScope, value: str) -> list[ClientView]:
        found = in_scope(self._kept.book, scope, value)
        if not found and scope is not HaltScope.EVERYTHING:
            raise BadInput(scope.value, value, "give one that the desk knows")
        return sorted(found, key=lambda client: client.code)

    async def _each(
        self, clients: Collection[ClientView], of: Callable[[ClientView], Awaitable[T]]
    ) -> list[T]:
        async def one(client: ClientView) -> T:
            async with self._readers.of(client.id):
                return await of(client)

        return list(await asyncio.gather(*(one(client) for client in clients)))

    async def _client_prospect(
        self, client: ClientView, what: FlattenWhat
    ) -> tuple[list[FlattenPosition], int]:
        """What a flatten would send for a client, and how many positions of it are not in it."""
        reason = self._looking.unreachable(client.id)
        unread = not reason and not await self._watcher.read(client.id)
        why = self._watcher.why_unread(client.id) if unread else ""
        read = why if reason or unread else await self._looking.positions(client.id)
        if isinstance(read, str):
            if self._looking.nothing_known(client):
                return [], 0
            unknown = FlattenPosition(client.id, client.code, client.name, "", "", "", Product.MIS, None)
            return [replace(unknown, reason=reason or FlattenReason.UNREACHABLE, detail=read)], 0
        wanted = [one for one in read.of.values() if one.in_scope(what)]
        others = sum(bool(one.net or one.pledged) for one in read.of.values()) - len(wanted)
        return [await self._wanted(client, one, what) for one in wanted], max(0, others)

    async def _wanted(self, client: ClientView, position: Position, what: FlattenWhat) -> FlattenPosition:
        key = f"{position.exchange}:{position.tradingsymbol}"
        made = FlattenPosition(
            client.id,
            client.code,
            client.name,
            position.security,
            key,
            position.tradingsymbol,
            position.product,
            position.in_scope(what),
        )
        instrument = self._looking.instrument(key)
        if instrument is None:
            return replace(made, reason=FlattenReason.REFUSED, detail=f"{key} is not known")
        goal = goal_of(what, position, instrument, client.authorised)
        barred = self._looking.barred(client.id, instrument, position.product)
        if barred or not goal.quantity:
            return replace(made, reason=barred or goal.rest)
        quote = await self._looking.quote(key)
        if quote is None:
            return replace(made, side=goal.side, quantity=goal.quantity, reason=FlattenReason.PRICE_STALE)
        limit = first_limit(goal.side, quote, instrument, self._rules.protection_bps)
        return replace(
            made,
            side=goal.side,
            quantity=goal.quantity,
            limit_paise=limit,
            last_paise=quote.last_paise,
            reason=goal.rest,
            t1=goal.t1,
        )

    # --- beginning and following ---

    async def start(self, scope: HaltScope, value: str, what: FlattenWhat, seen: int | None = None) -> int:
        """Begin a flatten; returns its number, or that of the same one where it goes on already.

        It passes the halts that stand now, and no later one. One of nothing ends at once, with a certificate.
        `seen` is for how many positions the trader was shown that it sends. Raises `BadInput` where that has
        changed, a `Refusal` where the desk may not trade, and `StoreError`.
        """
        await require_trading(self._kept.store, self._engine)
        passes = [halt.number for halt in self._kept.book.halts]
        stamp = halt_file_stamp(self._kept.halt_file)
        found = await self.prospect(scope, value, what)
        if seen is not None and seen != found.sent:
            raise BadInput("positions", seen, f"there are {found.sent} to send now; look again")
        return await self._begin(found, self._engine.actor, passes, stamp)

    async def start_alone(
        self, client_id: int, what: FlattenWhat, by: str, also: Callable[[Unit, int], None]
    ) -> int:
        """Begin a flatten of one client that nobody typed; returns its number.

        It passes no halt under which nothing may leave. `also` is done in its commit, with its number, and
        keeps it from beginning where it raises. Raises a `Refusal` where the desk may not trade.
        """
        await require_trading(self._kept.store, self._engine)
        found = await self.prospect(HaltScope.CLIENT, str(client_id), what)
        return await self._begin(found, by, [], "", also)

    async def _begin(
        self,
        found: FlattenProspect,
        by: str,
        passes: list[int],
        halt_file: str,
        also: Callable[[Unit, int], None] | None = None,
    ) -> int:
        """Write a flatten of what was found, and carry it out; returns its number."""
        flatten = StoredFlatten(
            number=0,
            scope=found.scope,
            value=found.value,
            what=found.what,
            by=by,
            at=self._timing.wall.now(),
            trading_date=self._timing.market.trading_day,
            instance_id=self._engine.id,
            passes=passes,
            halt_file=halt_file,
            state=FlattenState.GOING,
        )
        lines = [self._line(one) for one in found.positions]

        def unit_of_work(unit: Unit) -> int:
            number = begin(unit, flatten, lines, self._engine)
            if also is not None:
                also(unit, number)
            return number

        number = await self._engine.write_signed_on(unit_of_work)
        if (await self._read(number))[0].instance_id == self._engine.id:
            self._carry(number)
        return number

    def _line(self, one: FlattenPosition) -> StoredLine:
        exchange = one.key.partition(":")[0]
        going = FlattenLineState.GOING
        made = StoredLine(0, one.client_id, one.security, one.product, exchange, one.tradingsymbol, going)
        if one.net is None:
            left, now = FlattenLineState.LEFT, self._timing.wall.now()
            return replace(made, state=left, reason=one.reason, detail=one.detail, ended_at=now)
        return replace(made, net_before=one.net)

    def _carry(self, number: int) -> "asyncio.Task[None]":
        task = self._tasks.get(number)
        if task is None or task.done():
            task = self._tasks[number] = asyncio.create_task(self._run(number))
        return task

    async def _run(self, number: int) -> None:
        """Carry a flatten to its certificate, unless another engine does by now."""
        stored, lines = await self._read(number)
        until = self._timing.wall.monotonic() + self._timing.waits.flatten_deadline_s
        job = CarriedFlatten(stored, Passes(frozenset(stored.passes), stored.halt_file, stored.at), until)
        watching = asyncio.create_task(self._look_for_stop(job))
        try:
            await self._driver.carry_out(job, lines)
            made = await self.view(number)
            ended = replace(made, state=FlattenState.DONE, ended_at=self._timing.wall.now())
            await self._kept.store.write(lambda unit: certify(unit, ended, self._engine))
            self._leave_file(ended)
        except* FlattenLost:
            pass
        finally:
            watching.cancel()

    async def _look_for_stop(self, job: CarriedFlatten) -> None:
        """Note that a flatten was stopped, by whichever process."""
        while not job.stopped:
            await self._timing.wall.sleep(self._timing.waits.flatten_poll_s)
            try:
                stored, _ = await self._read(job.flatten.number)
                job.stopped = bool(stored.stopped_by)
            except Exception as problem:  # whatever it was, the next look may read it
                log.warning("flatten %s could not be read: %s", job.flatten.number, problem)

    def _leave_file(self, made: FlattenView) -> None:
        """Keep a copy of a certificate outside the database."""
        folder = certificates_folder(self._kept.home)
        with suppress(OSError):
            folder.mkdir(exist_ok=True, mode=0o700)
            text = json.dumps(made.to_json(), indent=2, ensure_ascii=False)
            (folder / f"flatten-{made.number}.json").write_text(text, encoding="utf-8")

    async def follow(self, number: int) -> FlattenView:
        """Wait for the certificate of a flatten, and carry it on where the engine that did has ended.

        Raises `BadInput` for a number that is no flatten's.
        """
        while True:
            stored, _ = await self._read(number)
            if stored.state is FlattenState.DONE:
                return await self.view(number)
            task = self._tasks.get(number)
            if task is not None and not task.done():
                await asyncio.wait({task})
                task.result()
            elif stored.instance_id == self._engine.id:
                self._carry(number)
            elif not self._engine.lives(stored.instance_id):
                await self._take_over(stored)
            else:
                await self._timing.wall.sleep(self._timing.waits.flatten_poll_s)

    async def carry_on(self, number: int) -> bool:
        """Carry on a flatten whose engine has ended, over the halts it passed; returns whether it was so.

        Raises `BadInput` for a number that is no flatten's, and a `Refusal` where the desk may not trade.
        """
        await require_trading(self._kept.store, self._engine)
        stored, _ = await self._read(number)
        if stored.state is FlattenState.DONE or self._engine.lives(stored.instance_id):
            return False
        await self._take_over(stored)
        return True

    async def _take_over(self, stored: StoredFlatten) -> None:
        if await self._engine.write_signed_on(lambda unit: take_over(unit, stored, self._engine)):
            self._carry(stored.number)

    async def stop(self, number: int) -> bool:
        """Have a flatten send nothing more; what lives of it is cancelled. Returns whether it was going.

        Raises `BadInput` for a number that is no flatten's.
        """
        await self._read(number)
        by = self._engine.actor
        return await self._engine.write_signed_on(lambda unit: stop(unit, number, by))

    # --- looking ---

    async def view(self, number: int) -> FlattenView:
        """A flatten as it stands, or as its certificate says. Raises `BadInput` for an unknown number."""
        stored, lines = await self._read(number)
        if stored.certificate is not None:
            return FlattenView.from_json(stored.certificate)
        async with self._kept.store.reader() as reader:
            cancelled = await cancelled_for(reader, f"flatten {number}")
        carried = self._engine.lives(stored.instance_id)
        return flatten_view(self._kept.book, stored, lines, cancelled, carried)

    async def all(self) -> list[FlattenView]:
        """Every flatten, the newest first."""
        async with self._kept.store.reader() as reader:
            stored = await flattens.read_flattens(reader)
        return [await self.view(one.number) for one in stored]

    async def _read(self, number: int) -> tuple[StoredFlatten, Sequence[StoredLine]]:
        async with self._kept.store.reader() as reader:
            stored = await flattens.read_flatten(reader, number)
            if stored is None:
                raise BadInput("flatten", number, "no flatten has this number")
            return stored, await flattens.read_lines(reader, number)
