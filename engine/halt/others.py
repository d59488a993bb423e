"""What halts that stand ask of a desk that has not fired them: the HALT file, and that it knew."""

from contextlib import suppress

from data.repositories.trading.halt_desks import desk_knows
from data.store import StoreError, Unit
from engine.book.halt_file import halt_file_stands, read_halt_file, write_halt_file
from engine.book.kept import Kept
from engine.events import HaltChanged
from engine.halt.booked import FILE_ONLY
from engine.timing import Timing


class HaltsHeard:
    """Follows the halts of one desk's books, whoever fired and ended them."""

    def __init__(self, kept: Kept, timing: Timing) -> None:
        self._kept = kept
        self._timing = timing
        self._known = set[int]()

    def have_file(self) -> None:
        """Have the HALT file stand where a halt stops this desk.

        The file of a halt that another desk has ended goes; one that is of no halt is left to the trader.
        """
        book, file = self._kept.book, self._kept.halt_file
        standing = [halt for halt in book.halts if halt.stops_desk]
        if standing and not halt_file_stands(file):
            write_halt_file(file, standing[-1].by, standing[-1].at)
        elif book.home_id and not standing and (told := read_halt_file(file)) is not None:
            ended = {(halt.at.replace(microsecond=0), halt.by) for halt in book.lifted if halt.stops_desk}
            if told in ended:
                file.unlink(missing_ok=True)
                self._kept.bus.publish([HaltChanged(FILE_ONLY)])

    async def say_known(self) -> None:
        """Keep when this desk knew of the halts that stand, for their certificates."""
        leases, at = self._kept.store.leases, self._timing.wall.now()
        new = {halt.number for halt in self._kept.book.halts} - self._known
        if leases is None or not leases.instance_id or not new:
            return
        me = leases.instance_id

        def keep(unit: Unit) -> None:
            for number in sorted(new):
                desk_knows(unit, number, me, at)

        with suppress(StoreError):  # said at the next change; nothing hangs on it but the certificate
            await self._kept.store.write(keep)
            self._known |= new
