"""Who carries out what the trader has confirmed: sends, cancels, changes, reads and books."""

from msgspec import Struct

from engine.booking.recorder import Recorder
from engine.execution.changes.cancels import Canceller
from engine.execution.changes.modifies import Changer
from engine.execution.looking import NoCancels, NoChanges, NoSends
from engine.execution.sending.dispatch import Dispatcher
from engine.execution.watching.book_reads import Watcher


class Workers(Struct, frozen=True):
    """The five that share one desk's work; each is told by the recorder what was booked.

    On a desk that only looks there is nobody who sends, cancels or changes.
    """

    recorder: Recorder
    watcher: Watcher
    dispatcher: Dispatcher | NoSends
    canceller: Canceller | NoCancels
    changer: Changer | NoChanges

    async def settle(self) -> None:
        """Wait until nothing is under way: every call has ended and every fact is booked."""
        await self.dispatcher.settle()
        await self.changer.settle()
        await self.recorder.flush()
