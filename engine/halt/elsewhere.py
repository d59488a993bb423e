"""What of a halt is another desk's to cancel, where several share the books: told until it has ended."""

from collections import defaultdict

from data.repositories.trading.halts import LiveOrder, live_orders
from engine.book.kept import Kept
from engine.halt.certificate import CertificateUnread
from engine.halt.sweep import Before


class HaltElsewhere:
    """The orders that halts met of clients whom this desk has not."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._met: dict[int, frozenset[int]] = {}

    def part(self, number: int, before: Before) -> None:
        """Leave in what a halt met this desk's orders alone, and know the others."""
        if not self._kept.store.owning.leased:
            return
        book = self._kept.book
        self._met[number] = frozenset(before.orders.keys() - book.orders.keys())
        before.orders = {i: paise for i, paise in before.orders.items() if i in book.orders}
        before.available = {c: paise for c, paise in before.available.items() if c in book.clients}

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


def _by_client(orders: list[LiveOrder]) -> dict[int, list[LiveOrder]]:
    found = defaultdict[int, list[LiveOrder]](list)
    for order in orders:
        found[order.client_id].append(order)
    return found
