"""What of a halt is another desk's to cancel, where several share the books: told until it has ended."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress

from data.engines.shared.leases import lease_holders, lease_rows
from data.leasing.leases import holder_lives
from data.repositories.trading.halt_desks import DeskUnderHalt, OrderUnderHalt, orders_under, read_desks
from data.repositories.trading.halts import LiveOrder, live_orders
from data.store import StoreError
from data.vocabulary import LIVE_STATES, OrderState
from engine.book.halt_scope import HaltView
from engine.book.kept import Kept
from engine.halt.certificate import CertificateDesk, CertificateUnread
from engine.halt.sweep import Before, after
from engine.instances import ThisEngine


class HaltElsewhere:
    """The orders that halts met of clients whom this desk has not."""

    def __init__(self, kept: Kept, engine: ThisEngine) -> None:
        self._kept = kept
        self._engine = engine
        self._met: dict[int, frozenset[int]] = {}

    def part(self, number: int, before: Before) -> None:
        """Leave in what a halt met this desk's orders alone, and know the others."""
        if not self._kept.store.owning.leased:
            return
        book = self._kept.book
        self._met[number] = frozenset(before.orders.keys() - book.orders.keys())
        before.orders = {i: paise for i, paise in before.orders.items() if i in book.orders}
        before.available = {c: paise for c, paise in before.available.items() if c in book.clients}

    async def desks(self, halt: HaltView, before: Before) -> tuple[CertificateDesk, ...]:
        """Every desk that had clients of a halt, by the rows of all of them; none where nothing is shared."""
        if not self._kept.store.owning.leased:
            return ()
        met = self._met.get(halt.number, frozenset()) | before.orders.keys()
        async with self._kept.store.reader() as reader:
            found = await read_desks(reader, halt.number)
            orders = await orders_under(reader, halt.number, sorted(met))
            holders = await reader.run_sync(lease_holders)
        living = {number for number, one in holders.items() if holder_lives(one)}
        return tuple(_desk(halt, one, orders, one.instance_id in living) for one in found)

    async def take_over(self, number: int) -> None:
        """Take the clients of whom orders that a halt met live still at desks that have died.

        Their cancels go on here then. What cannot be written now is tried again at the next look.
        """
        leases = self._kept.store.leases
        if leases is None or not leases.instance_id or leases.left_s() <= 0 or not self._met.get(number):
            return
        met = self._met[number]
        async with self._kept.store.reader() as reader:
            live = {one.client_id for one in await reader.run_sync(live_orders) if one.id in met}
            holders = await reader.run_sync(lease_holders)
            rows = await reader.run_sync(lease_rows)
        dead = {
            row.client_id
            for row in rows
            if (holder := holders.get(row.instance_id)) is None or not holder_lives(holder)
        }
        if wanted := frozenset(live & dead) - leases.held:
            with suppress(StoreError):
                await self._kept.store.write(lambda unit: self._engine.take_over(unit, wanted))

    async def unread(self, number: int) -> tuple[CertificateUnread, ...]:
        """The clients of other desks of whom orders live that this halt met, each with who has it."""
        if not (met := self._met.get(number)):
            return ()
        async with self._kept.store.reader() as reader:
            live = [order for order in await reader.run_sync(live_orders) if order.id in met]
        return tuple(self._told(client_id, orders) for client_id, orders in sorted(_by_client(live).items()))

    def _told(self, client_id: int, orders: list[LiveOrder]) -> CertificateUnread:
        book = self._kept.book
        count = f"{len(orders)} orders live" if len(orders) > 1 else "an order lives"
        if (client := book.clients.get(client_id)) is not None:  # it has come to this desk meanwhile
            return CertificateUnread(client_id, client.code, client.name, f"{count} still", 0, ())
        other = book.elsewhere.get(client_id)
        if other is None:
            return CertificateUnread(client_id, str(client_id), "", f"{count} at another desk", 0, ())
        does = "asked to cancel there" if other.desk else "take the client, and they are cancelled here"
        return CertificateUnread(client_id, other.code, other.name, f"{other.words}: {count}, {does}", 0, ())


def _desk(
    halt: HaltView, desk: DeskUnderHalt, orders: Sequence[OrderUnderHalt], lives: bool
) -> CertificateDesk:
    """What became of a halt at a desk."""
    own = [one for one in orders if one.client_id in desk.clients]
    states = Counter(one.state for one in own)
    firsts = [one.first_at for one in own if one.first_at is not None]
    lasts = [one.last_at for one in own if one.last_at is not None]
    return CertificateDesk(
        number=desk.instance_id,
        name=desk.name,
        clients=len(desk.clients),
        orders=len(own),
        cancelled=states[OrderState.CANCELLED],
        filled=states[OrderState.FILLED],
        unknown=sum(states[state] for state in LIVE_STATES),
        knew_s=None if desk.knew_at is None else after(halt, desk.knew_at),
        first_cancel_s=after(halt, min(firsts)) if firsts else None,
        last_cancel_s=after(halt, max(lasts)) if lasts else None,
        lives=lives,
    )


def _by_client(orders: list[LiveOrder]) -> dict[int, list[LiveOrder]]:
    found = defaultdict[int, list[LiveOrder]](list)
    for order in orders:
        found[order.client_id].append(order)
    return found
