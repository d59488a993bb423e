"""What is read of a client's account: money, shares, orders, trades, margins and charges."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from brokers.contract import (
    BrokerAccount,
    BrokerError,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerRows,
    BrokerTrade,
    Conditional,
    NotAsked,
    TradedLine,
)
from brokers.meter import CallKind
from brokers.upstox.answers.account import funds_of
from brokers.upstox.answers.conditionals import conditionals_of
from brokers.upstox.answers.orders import latest, order_of, orders_of, trades_of
from brokers.upstox.answers.portfolio import Portfolio
from brokers.upstox.answers.rows import UpstoxRow, listed
from brokers.upstox.charges import charges_call, charges_of
from brokers.upstox.listings import UpstoxListings
from brokers.upstox.margins import margin_call, own_bps
from brokers.wire.calls import Call
from brokers.wire.margins import MarginBuy, shares_by_product
from brokers.wire.outcomes import BAD_INPUT
from brokers.wire.reading import Reading
from brokers.wire.shares import SoldCounting
from data.clock import IST, Clock
from data.reference.instruments import Instrument
from data.reference.rates import Charges
from data.vocabulary import Product

DOUBT_LASTS_S = 900.0
"""For how long a placement without an answer is looked for by its tag; by then the engine has its word."""

MTF_LASTS_S = 30.0
"""For how long loans are taken from the positions read last, since every read counts against the account."""


class UpstoxBooks:
    """Reads accounts. `in_doubt` are tags of placements that may or may not have been taken, by account."""

    def __init__(
        self,
        reading: Reading,
        listings: UpstoxListings,
        clock: Clock,
        in_doubt: Mapping[BrokerAccount, dict[str, float]],
    ) -> None:
        self._reading = reading
        self._listings = listings
        self._clock = clock
        self._in_doubt = in_doubt
        self.counting = SoldCounting()
        self._mtf: dict[BrokerAccount, tuple[float, object]] = {}

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        """The client's money, and what is lent by its MTF positions as last read, now if not lately."""
        call = Call(CallKind.FUNDS, "GET", "/v3/user/get-funds-and-margin")
        answer = await self._reading.answer(account, call)
        lent = self._mtf.get(account)
        if lent is None or self._clock.monotonic() - lent[0] > MTF_LASTS_S:
            lent = await self._read_mtf(account)
        return funds_of(answer, lent[1], self._clock.now())

    async def holdings(self, account: BrokerAccount) -> BrokerRows[BrokerHolding]:
        """The client's shares, today's included."""
        held, day = [
            listed(await self._reading.answer(account, Call(CallKind.HOLDINGS, "GET", path)))
            for path in ("/v2/portfolio/long-term-holdings", "/v2/portfolio/short-term-positions")
        ]
        today = self._clock.now().astimezone(IST).date()
        gathered = Portfolio(self._listings.key, self.counting, account.user_id, today)
        return gathered.read(held, day, (await self._read_mtf(account))[1])

    async def _read_mtf(self, account: BrokerAccount) -> tuple[float, object]:
        call = Call(CallKind.HOLDINGS, "GET", "/v3/portfolio/mtf-positions")
        found = (self._clock.monotonic(), listed(await self._reading.answer(account, call)))
        self._mtf[account] = found
        return found

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        """The client's order book of today, in the exchanges and products that the desk trades.

        A placement that got no answer and is not in it is looked for by its tag beside it.
        """
        call = Call(CallKind.ORDERS, "GET", "/v2/order/retrieve-all")
        answer = listed(await self._reading.answer(account, call))
        book = orders_of(answer, account.user_id, self._listings.key, self._clock.now())
        if not (doubts := self._in_doubt.get(account)):
            return book
        found = list(book.taken)
        seen = {tag for order in book for tag in order.tags}
        for tag, since in list(doubts.items()):
            by_tag: list[BrokerOrder] = []
            if tag not in seen and self._clock.monotonic() - since <= DOUBT_LASTS_S:
                by_tag = await self._by_tag(account, tag)
                if not by_tag:
                    continue
            found += by_tag
            doubts.pop(tag, None)  # another read, or the placement's own answer, may have done so meanwhile
        return BrokerRows(tuple(found), book.unread, book.passed_over)

    async def _by_tag(self, account: BrokerAccount, tag: str) -> list[BrokerOrder]:
        """The orders that bear a tag, each as it is now; none where Upstox knows of none."""
        call = Call(CallKind.ORDERS, "GET", "/v2/order/history", query={"tag": tag})
        try:
            answer = listed(await self._reading.answer(account, call))
        except BrokerError as error:
            if error.code == BAD_INPUT:  # it says so too of a tag that no order has
                return []
            raise
        states = orders_of_states(answer, account.user_id, self._listings, self._clock.now())
        return [order for order in latest(states) if tag in order.tags]

    async def trades(self, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
        """The client's fills of today."""
        call = Call(CallKind.TRADES, "GET", "/v2/order/trades/get-trades-for-day")
        answer = listed(await self._reading.answer(account, call))
        return trades_of(answer, account.user_id, self._listings.key)

    async def conditionals(self, account: BrokerAccount) -> BrokerRows[Conditional]:
        """The client's GTT orders that may still place one."""
        call = Call(CallKind.CONDITIONALS, "GET", "/v3/order/gtt")
        return conditionals_of(listed(await self._reading.answer(account, call)), self._listings.key)

    async def margins(
        self, account: BrokerAccount, instrument: Instrument, price_paise: int, products: Collection[Product]
    ) -> Mapping[Product, int | None]:
        """The client's own share of a buy at this price by product; None where Upstox refuses the product."""
        token = self._listings.tokens([instrument.key]).get(instrument.key)
        if token is None:
            raise NotAsked(f"Upstox lists no {instrument.key}", BAD_INPUT)

        async def own(product: Product) -> int:
            buy = MarginBuy(instrument, product, price_paise)
            return own_bps(buy, await self._reading.answer(account, margin_call(buy, token)))

        return await shares_by_product(products, own, BAD_INPUT)

    async def order_charges(self, account: BrokerAccount, orders: Sequence[TradedLine]) -> list[Charges]:
        """The charges of these orders by kind, one call each. Raises `BrokerError`."""
        found: list[Charges] = []
        for order in orders:
            key = f"{order.exchange}:{order.tradingsymbol}"
            token = self._listings.tokens([key]).get(key)
            if token is None:
                raise NotAsked(f"Upstox lists no {key}", BAD_INPUT)
            found.append(charges_of(await self._reading.answer(account, charges_call(order, token))))
        return found


def orders_of_states(
    answer: object, user_id: str, listings: UpstoxListings, as_of: datetime
) -> list[BrokerOrder]:
    """Every state in an order's history that can be read; one row an order and state."""

    def take(row: UpstoxRow) -> BrokerOrder | None:
        return order_of(row, user_id, listings.key, as_of) if row.traded_here else None

    return UpstoxRow.taken("order history", answer, take)[0]
