"""Writing a halt with its cancels: in one commit where a file has one writer, in two where many write.

Of the two the first stops what others begin from then on, whoever is at work and however long; the second
waits for those to end, and meets whatever they reserved or claimed before they could know.
"""

import asyncio

from msgspec import Struct

from data.records import replace
from data.repositories.trading.halts import fired_halt, unswept_halts
from data.store import GateMode
from engine.book.halt_scope import HaltView
from engine.book.kept import Kept
from engine.execution.changes.cancels import CancelsAsked
from engine.halt.booked import OpenedHalt, announce_halt, as_fired, open_halt, sweep_halt
from engine.halt.hearing import is_flagged
from engine.halt.sweep import Before


class OpeningHalt(Struct, frozen=True):
    """A halt that is being written, and where that takes two commits, the first of them."""

    opened: "asyncio.Future[OpenedHalt]"
    announced: "asyncio.Future[tuple[HaltView, Before]] | None" = None

    @property
    def has_row(self) -> bool:
        """Whether it is known to stand in the books, though not yet what it meets."""
        first = self.announced
        return first is not None and first.done() and not first.cancelled() and first.exception() is None


class Opening:
    """Writes halts for one engine."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def begin(self, unbooked: HaltView) -> OpeningHalt:
        """Begin to write a halt; the future raises as `Store.write` does."""
        store, clients = self._kept.store, self._kept.book.clients
        if not store.on_server:
            return OpeningHalt(
                store.submit(lambda unit: open_halt(unit, replace(unbooked, at=unit.now), clients))
            )
        me = 0 if store.leases is None else store.leases.instance_id
        announcing = store.submit(
            lambda unit: announce_halt(unit, replace(unbooked, at=unit.now), clients, me), GateMode.PAST
        )
        return OpeningHalt(asyncio.ensure_future(self._sweep_behind(announcing)), announcing)

    async def _sweep_behind(self, announcing: "asyncio.Future[tuple[HaltView, Before]]") -> OpenedHalt:
        """Write the second commit; should it fail, the halt stands, and the next opening sweeps it."""
        halt, met = await announcing
        if is_flagged(halt):
            self._kept.line.raise_flag(str(halt.number))
        opened = await self._sweep(halt, met)
        if opened is not None:
            return opened
        async with self._kept.store.reader() as reader:  # another engine has swept it meanwhile
            stored = await fired_halt(reader, halt.number)
        assert stored is not None
        return OpenedHalt(halt, Before.from_json(stored.before), CancelsAsked({}, {}, ()))

    async def sweep_left(self) -> list[OpenedHalt]:
        """Sweep the halts that stand announced, since whoever fired them has ended before."""
        async with self._kept.store.reader() as reader:
            left = [as_fired(one) for one in await reader.run_sync(unswept_halts)]
        found = [await self._sweep(halt, Before({}, {})) for halt in left]
        return [one for one in found if one is not None]

    async def _sweep(self, halt: HaltView, met: Before) -> OpenedHalt | None:
        clients = self._kept.book.clients
        return await self._kept.store.write(lambda unit: sweep_halt(unit, halt, clients, met), GateMode.ALONE)
