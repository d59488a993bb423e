"""What waits for the next day: pledges to accept, shares to release, ex-dates of what is held, GTTs."""

from datetime import date

from data.clock import IST
from data.vocabulary import Product
from engine.book.kept import Kept
from engine.close.resting import RestingAtBrokers
from engine.close.views import ForTomorrow
from engine.mtf.service import Mtf
from engine.timing import Timing


class ListsTomorrow:
    """Lists it from what the desk knows."""

    def __init__(self, kept: Kept, timing: Timing, mtf: Mtf, resting: RestingAtBrokers) -> None:
        self._kept = kept
        self._timing = timing
        self._mtf = mtf
        self._resting = resting

    async def look(self) -> ForTomorrow:
        """What waits now, once brokers were asked for what rests there."""
        await self._resting.look()
        return await self.list()

    async def list(self) -> ForTomorrow:
        """What waits now; of what rests at brokers as they were last asked."""
        await self._mtf.read()
        book, until = self._kept.book, self._timing.next_day
        pledges = tuple(
            (
                book.clients[one.client_id].code,
                one.tradingsymbol,
                f"{one.accept_by.astimezone(IST):%d %b %H:%M}",
            )
            for one in self._mtf.pledges()
            if one.open
        )
        held = {one.key for of in book.holdings.values() for one in of if one.quantity}
        tpin = tuple(
            client.code
            for client in book.open_clients()
            if not client.authorised
            and any(_settled(one.product, one.free) for one in book.holdings.get(client.id, ()))
        )
        last, kept = self._resting.last, self._resting.any_kept()
        ex_dates = self._ex_dates(held, until)
        return ForTomorrow(pledges, tpin, ex_dates, kept, last.at, last.found, last.unread)

    def _ex_dates(self, held: set[str], until: date | None) -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (one.key.partition(":")[2], one.purpose, one.ex_date.isoformat())
            for one in self._mtf.actions.all()
            if one.key in held and (until is None or one.ex_date <= until)
        )


def _settled(product: Product, free: int) -> bool:
    return product is not Product.MIS and free > 0
