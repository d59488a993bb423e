"""The paper exchange as a simulated broker calls it: off the event loop, events in order."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from brokers.contract import BrokerError, OrderRequest, OrderUpdate, Refused
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.prices import Listing, Quote
from brokers.simulators.exchange.rms import check_request
from brokers.simulators.exchange.schema import to_us
from data.vocabulary import PhaseKind

T = TypeVar("T")

_AFTER_HOURS = frozenset(
    {
        PhaseKind.CLOSED,
        PhaseKind.PRE_OPEN,
        PhaseKind.PRE_OPEN_LIMIT_ONLY,
        PhaseKind.PRE_OPEN_MATCHING,
        PhaseKind.POST_CLOSE,
    }
)


class Venue:
    """One exchange. Calls run on one worker thread, or on the loop where the exchange is in memory."""

    def __init__(self, exchange: PaperExchange) -> None:
        self.exchange = exchange
        self.market = exchange.market_clock
        self._seen = 0
        self._listings: dict[str, Listing] = {}
        self._worker: ThreadPoolExecutor | None = None
        self.on_update: Callable[[OrderUpdate], None] = _nothing

    def open(self) -> None:
        """Start the worker."""
        if not self.exchange.in_memory:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="simulated-exchange")

    async def close(self) -> None:
        """Finish what runs; the exchange stays open."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await asyncio.get_running_loop().run_in_executor(None, worker.shutdown)

    async def read(self, call: Callable[[], T]) -> T:
        """What a reading call returns. Raises `BrokerError` as the exchange does."""
        if self._worker is None:
            return call()
        return await asyncio.get_running_loop().run_in_executor(self._worker, call)

    async def write(self, call: Callable[[], T], then: Callable[[T], None] | None = None) -> T:
        """What a changing call returns; `then` is told first, then every order event that it brought."""
        result, updates = await self.read(partial(self._change, call))
        if then is not None:
            then(result)
        for update in updates:
            self.on_update(update)
        return result

    def _change(self, call: Callable[[], T]) -> tuple[T, list[OrderUpdate]]:
        result = call()
        numbered = self.exchange.updates_after(self._seen)
        if numbered:
            self._seen = numbered[-1][0]
        return result, [update for _, update in numbered]

    # --- market -------------------------------------------------------------------------------------------

    def listing(self, key: str) -> Listing | None:
        """An instrument by `EXCHANGE:SYMBOL`, as of the last `listings`."""
        return self._listings.get(key)

    async def listings(self) -> Mapping[str, Listing]:
        """All instruments by key, read again."""
        rows = await self.read(self.exchange.listings)
        self._listings = {row.instrument.key: row for row in rows}
        return self._listings

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Quote]:
        """The market now; unknown keys are missing."""
        if not keys:
            return {}
        quotes = await self.read(partial(self.exchange.quotes, keys))
        if any(key not in self._listings for key in quotes):
            await self.listings()
        return quotes

    async def knows(self, user_id: str) -> bool:
        """Whether the exchange has an account of this user."""
        try:
            await self.read(partial(self.exchange.funds, user_id))
        except BrokerError as error:
            if error.code == "unknown_account":
                return False
            raise
        return True

    def phase(self, listing: Listing) -> PhaseKind:
        """What the exchange allows for an instrument now."""
        return self.exchange.market.phase(listing.instrument, to_us(self.market.now()))

    def takes_after_market(self, listing: Listing) -> bool:
        """Whether an order for an instrument would wait for the market to open."""
        return self.phase(listing) in _AFTER_HOURS

    async def check(self, request: OrderRequest, *, after_market: bool) -> Refused | None:
        """What can be said against an order without its account; one for after hours is taken as if open."""
        key = f"{request.exchange}:{request.tradingsymbol}"
        quote = (await self.quotes((key,))).get(key)
        listing = self._listings.get(key)
        if quote is None or listing is None:
            return Refused("unknown_instrument", f"The instrument {key} does not exist.")
        phase = PhaseKind.CONTINUOUS if after_market else self.phase(listing)
        terms = check_request(request, listing.instrument, quote, phase)
        return terms if isinstance(terms, Refused) else None


def _nothing(_update: OrderUpdate) -> None:
    return
