"""What a desk does with what others tell it: it reads their commits at once, and stops by the flag of a halt.

A flag only stops sooner. It has the HALT file written, which stops every send, until the books say that the
halt of its number has ended; that there is none proves nothing.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from data.repositories.base import DatabaseError
from data.repositories.trading.halts import is_resumed
from data.store import POLL_S, StoreError
from data.vocabulary import HaltScope
from engine.between.line import HINTED_POLL_S
from engine.book.halt_file import halt_file_stands, read_halt_file, write_halt_file
from engine.book.halt_scope import HaltView
from engine.book.kept import Kept
from engine.events import Event, HaltChanged
from engine.halt.booked import FILE_ONLY
from engine.timing import Timing

OF_FLAG = "the flag of halt "
"""Before a halt's name in a HALT file that was written by its flag."""

ASK_AGAIN_S = 1.0
"""How often the books are asked for a halt of which they have no row yet."""


def unbooked_name(at: datetime, by: str) -> str:
    """The name of a halt's flag while it has no row: whoever books it later finds it again."""
    return f"unbooked-{at:%Y%m%dT%H%M%S%f}-{crc32(by.encode()):08x}"


def is_flagged(halt: HaltView) -> bool:
    """Whether a halt has a flag: of everything, for every desk, and with nothing that may leave under it."""
    return halt.scope is HaltScope.EVERYTHING and not halt.reduces


def flag_in_file(path: Path) -> str:
    """The name of the flag by which a HALT file was written; empty for any other file, and for none."""
    told = read_halt_file(path)
    return told[1].removeprefix(OF_FLAG) if told is not None and told[1].startswith(OF_FLAG) else ""


class Hearing:
    """Takes what comes over the line of a desk."""

    def __init__(self, kept: Kept, timing: Timing) -> None:
        self._kept, self._timing = kept, timing
        self._up = set[str]()
        """Flags that were heard of, and whose halts have not ended as far as this desk knows."""
        self._changed = asyncio.Event()
        kept.line.hearer = self

    # --- what others tell ---

    def moved(self, desk: int, seq: int) -> None:
        """Read at once what another desk has committed."""
        self._kept.store.look(desk, seq)

    def flagged(self, halt: str) -> None:
        """Send nothing from now on."""
        self._kept.store.look()
        if halt not in self._up:
            self._up.add(halt)
            if not self._stands(halt):
                self._stop(halt)
            self._changed.set()

    def renamed(self, halt: str, number: str) -> None:
        """Know a halt by the number that it has in the books now."""
        self._up.discard(halt)
        if flag_in_file(self._kept.halt_file) == halt:
            self._write(number)
        self._up.add(number)
        self._changed.set()

    def joined(self, flags: Mapping[str, str]) -> None:
        """Read all that may have been missed, stop by each flag, and raise those that Redis has lost."""
        store = self._kept.store
        store.poll_s = HINTED_POLL_S
        store.look()
        for halt, before in flags.items():
            if before:
                self.renamed(before, halt)
            self.flagged(halt)
        for halt in self._kept.book.halts:
            if is_flagged(halt) and str(halt.number) not in flags:
                self._kept.line.raise_flag(str(halt.number))

    def lost(self) -> None:
        """Go by the books alone."""
        self._kept.store.poll_s = POLL_S
        self._kept.store.look()

    # --- what the books say of it ---

    async def keep(self) -> None:
        """Go on asking the books for as long as the desk lives; a flag's file may stand from before."""
        self._kept.bus.subscribe(self._follow)
        while True:
            self._changed.clear()
            changed = asyncio.ensure_future(self._changed.wait())
            waits: set[asyncio.Future[Any]] = {changed}
            if not await self._settle():
                waits.add(asyncio.ensure_future(self._timing.wall.sleep(ASK_AGAIN_S)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    def _follow(self, event: Event) -> None:
        if isinstance(event, HaltChanged):
            self._changed.set()

    async def _settle(self) -> bool:
        """Forget flags of halts that the books say have ended; returns whether none is to be asked about."""
        settled = True
        for halt in sorted(self._up | ({flag_in_file(self._kept.halt_file)} - {""})):
            if self._stands(halt) or not halt.isdigit():
                continue
            ended = False
            with suppress(StoreError, DatabaseError):
                async with self._kept.store.reader() as reader:
                    ended = await is_resumed(reader, int(halt))
            if ended:
                self._forget(halt)
            settled = settled and ended
        return settled

    def _stands(self, halt: str) -> bool:
        return any(str(one.number) == halt for one in self._kept.book.halts)

    def _stop(self, halt: str) -> None:
        if not halt_file_stands(self._kept.halt_file):
            self._write(halt)

    def _write(self, halt: str) -> None:
        write_halt_file(self._kept.halt_file, OF_FLAG + halt, self._timing.wall.now())
        self._kept.bus.publish([HaltChanged(FILE_ONLY)])

    def _forget(self, halt: str) -> None:
        """Remove what a halt that has ended has left: its flag, and its file where no other needs one."""
        self._up.discard(halt)
        self._kept.line.lower_flag(halt)
        if flag_in_file(self._kept.halt_file) != halt:
            return
        if left := sorted(self._up):
            self._write(left[-1])
            return
        with suppress(OSError):
            self._kept.halt_file.unlink(missing_ok=True)
        self._kept.bus.publish([HaltChanged(int(halt))])
