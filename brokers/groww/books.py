"""What is read of a client's account: money, shares, orders, trades, margins and smart orders."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import cast

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
    PassedOver,
    UnreadRow,
)
from brokers.groww.answers.account import funds_of, trades_derivatives
from brokers.groww.answers.conditionals import MOST_ROWS, conditionals_of
from brokers.groww.answers.orders import order_of, orders_of, trades_of
from brokers.groww.answers.portfolio import GrowwPortfolio, positions_of_shares
from brokers.groww.answers.rows import CASH, FNO, GrowwRow, listed
from brokers.groww.calls import PROFILE
from brokers.groww.listings import GrowwListings
from brokers.groww.margins import margin_call, own_bps
from brokers.groww.market import GrowwMarket
from brokers.groww.orders import detail_call
from brokers.meter import CallKind
from brokers.wire.calls import Call
from brokers.wire.margins import MarginBuy, shares_by_product
from brokers.wire.outcomes import BAD_INPUT
from brokers.wire.reading import Reading
from brokers.wire.shares import GatheredShares, SoldCounting
from data.clock import IST, Clock
from data.reference.instruments import Instrument
from data.vocabulary import Product

ORDERS_A_PAGE = 100
"""Orders asked for at once; how many Groww then gives is told in two ways, of which the smaller one holds."""

LEAST_A_PAGE = 25
"""A page of orders with fewer is the last one (Groww Trading API documentation, order list, its usual
size)."""

LEAST_SMART = 10
"""The same of a page of smart orders (Groww Trading API documentation, smart orders)."""

TRADES_A_PAGE = 50
SMART_WINDOW, SMART_WINDOWS = timedelta(days=28), 14
"""How much time a list of smart orders is of, a month at most, and how many of them reach a year back."""

MOST_PAGES = 200

DOUBT_LASTS_S = 900.0
"""For how long a placement without an answer is looked for by its reference; by then the engine has its
word."""

NOT_FOUND = "GA004"


class GrowwBooks:
    """Reads accounts. `in_doubt` are references of placements that may have been taken, by account."""

    def __init__(
        self,
        reading: Reading,
        listings: GrowwListings,
        market: GrowwMarket,
        clock: Clock,
        in_doubt: Mapping[BrokerAccount, dict[str, float]],
    ) -> None:
        self._reading = reading
        self._listings = listings
        self._market = market
        self._clock = clock
        self._in_doubt = in_doubt
        self.counting = SoldCounting()
        self._of_day: date | None = None
        self._segments: dict[BrokerAccount, tuple[str, ...]] = {}
        self._trades: dict[tuple[BrokerAccount, str], tuple[int, BrokerRows[BrokerTrade]]] = {}

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        """The client's money."""
        call = Call(CallKind.FUNDS, "GET", "/v1/margins/detail/user")
        return funds_of(await self._reading.answer(account, call), self._clock.now())

    async def holdings(self, account: BrokerAccount) -> BrokerRows[BrokerHolding]:
        """The client's shares, today's included."""
        held = listed(
            await self._reading.answer(account, Call(CallKind.HOLDINGS, "GET", "/v1/holdings/user")),
            "holdings",
        )
        call = Call(CallKind.HOLDINGS, "GET", "/v1/positions/user", query={"segment": CASH})
        day = listed(await self._reading.answer(account, call), "positions")
        lasts = await self._market.lasts_of_keys(positions_of_shares(day, self._listings.key))
        today = self._clock.now().astimezone(IST).date()
        gathered = GatheredShares(self.counting, account.user_id, today)
        portfolio = GrowwPortfolio(self._listings.key, self._listings.key_of_share, lasts, gathered)
        return portfolio.read(held, day)

    # --- orders -------------------------------------------------------------------------------------------

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        """The client's order book of today, with live orders of derivatives told as passed over.

        A placement that got no answer and is not in it is looked for by its reference beside it.
        """
        found: list[BrokerOrder] = []
        unread: list[UnreadRow] = []
        passed_over: list[PassedOver] = []
        for segment in await self._segments_of(account):
            rows = await self._order_rows(account, segment)
            book = orders_of(rows, account.user_id, self._listings.key, self._clock.now())
            found += book.taken
            unread += book.unread
            passed_over += book.passed_over
        found += await self._in_doubt_of(account, {tag for order in found for tag in order.tags})
        return BrokerRows(tuple(found), tuple(unread), tuple(passed_over))

    async def _order_rows(self, account: BrokerAccount, segment: str) -> list[object]:
        """Every row of a segment's list, page by page; one that is shown twice as orders come stays twice."""
        rows: list[object] = []
        for page in range(MOST_PAGES):
            query = {"segment": segment, "page": f"{page}", "page_size": f"{ORDERS_A_PAGE}"}
            call = Call(CallKind.ORDERS, "GET", "/v1/order/list", query=query)
            more = _as_list(listed(await self._reading.answer(account, call), "order_list"))
            rows += more
            if len(more) < LEAST_A_PAGE:
                return rows
        raise BrokerError(f"Groww's order list has no end after {MOST_PAGES} pages", "bad_row")

    async def _segments_of(self, account: BrokerAccount) -> tuple[str, ...]:
        """The segments that an account trades in, as its profile says each day."""
        if self._of_day != (today := self._clock.now().astimezone(IST).date()):
            self._of_day = today
            self._segments.clear()
            self._trades.clear()
        found = self._segments.get(account)
        if found is None:
            profile = await self._reading.answer(account, Call(CallKind.SIGN_IN, "GET", PROFILE))
            found = self._segments[account] = (CASH, FNO) if trades_derivatives(profile) else (CASH,)
        return found

    async def _in_doubt_of(self, account: BrokerAccount, seen: Collection[str]) -> list[BrokerOrder]:
        """What is found by their references of placements that the book does not show."""
        found: list[BrokerOrder] = []
        doubts = self._in_doubt.get(account, {})
        for reference, since in list(doubts.items()):
            if reference not in seen and self._clock.monotonic() - since <= DOUBT_LASTS_S:
                order = await self._by_reference(account, reference)
                if order is None:
                    continue
                found.append(order)
            doubts.pop(reference, None)  # another read, or the placement's own answer, may have done so
        return found

    async def _by_reference(self, account: BrokerAccount, reference: str) -> BrokerOrder | None:
        """The order that bears a reference; None where Groww knows of none."""
        path = f"/v1/order/status/reference/{reference}"
        try:
            answer = await self._reading.answer(
                account, Call(CallKind.ORDERS, "GET", path, query={"segment": CASH})
            )
        except BrokerError as error:
            if error.code in (BAD_INPUT, NOT_FOUND):
                return None
            raise
        return await self.order(account, GrowwRow("order by reference", answer).text("groww_order_id"))

    async def order(self, account: BrokerAccount, order_id: str) -> BrokerOrder | None:
        """One order as it stands; None where the desk does not trade it. Raises `BrokerError`."""
        row = GrowwRow("order", await self._reading.answer(account, detail_call(order_id)))
        if not row.traded_here:
            return None
        return order_of(row, account.user_id, self._listings.key, self._clock.now())

    async def trades(self, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
        """The client's fills of today: there is no list of all, so those of each order that has some.

        Those of an order are read again only when it has filled further.
        """
        taken: list[BrokerTrade] = []
        unread: list[UnreadRow] = []
        for order in await self.orders(account):
            if not order.filled_quantity:
                continue
            known = self._trades.get((account, order.broker_order_id))
            if known is None or known[0] != order.filled_quantity:
                known = (order.filled_quantity, await self._trades_of(account, order.broker_order_id))
                if sum(trade.quantity for trade in known[1]) == order.filled_quantity:
                    self._trades[account, order.broker_order_id] = known
            taken += known[1].taken
            unread += known[1].unread
        return BrokerRows(tuple(taken), tuple(unread))

    async def _trades_of(self, account: BrokerAccount, order_id: str) -> BrokerRows[BrokerTrade]:
        rows: list[object] = []
        for page in range(MOST_PAGES):
            query = {"segment": CASH, "page": f"{page}", "page_size": f"{TRADES_A_PAGE}"}
            call = Call(CallKind.TRADES, "GET", f"/v1/order/trades/{order_id}", query=query)
            more = _as_list(listed(await self._reading.answer(account, call), "trade_list"))
            rows += more
            if len(more) < LEAST_A_PAGE:
                break
        return trades_of(rows, account.user_id, self._listings.key)

    # --- the rest -----------------------------------------------------------------------------------------

    async def conditionals(self, account: BrokerAccount) -> BrokerRows[Conditional]:
        """The client's smart orders that may still place one, of every segment that it trades in."""
        found: list[Conditional] = []
        unread: list[UnreadRow] = []
        for segment in await self._segments_of(account):
            for kind in ("GTT", "OCO"):
                rows = await self._smart_rows(account, segment, kind)
                read = conditionals_of(rows, segment, kind, self._listings.key)
                found += read.taken
                unread += read.unread
        return BrokerRows(tuple(found), tuple(unread))

    async def _smart_rows(self, account: BrokerAccount, segment: str, kind: str) -> list[object]:
        """Every active one, each once: a list is of today where no time is named, and of a month at most."""
        found: dict[object, object] = {}
        for window in smart_windows(self._clock.now()):
            for row in await self._smart_rows_of(account, segment, kind, window):
                found.setdefault(_smart_id(row) or len(found), row)
        return list(found.values())

    async def _smart_rows_of(
        self, account: BrokerAccount, segment: str, kind: str, window: Mapping[str, str]
    ) -> list[object]:
        rows: list[object] = []
        for page in range(MOST_PAGES):
            query = {"segment": segment, "smart_order_type": kind, "status": "ACTIVE", **window}
            query |= {"page": f"{page}", "page_size": f"{MOST_ROWS}"}
            call = Call(CallKind.CONDITIONALS, "GET", "/v1/order-advance/list", query=query)
            more = _as_list(listed(await self._reading.answer(account, call), "orders"))
            rows += more
            if len(more) < LEAST_SMART:
                break
        return rows

    async def margins(
        self, account: BrokerAccount, instrument: Instrument, price_paise: int, products: Collection[Product]
    ) -> Mapping[Product, int | None]:
        """The client's own share of a buy at this price by product; None where Groww does not offer it."""
        there = self._listings.of([instrument.key]).get(instrument.key)
        if there is None:
            raise NotAsked(f"Groww lists no {instrument.key}", BAD_INPUT)

        async def own(product: Product) -> int:
            if product is Product.MTF:
                raise NotAsked("Groww lends on nothing by its interface", BAD_INPUT)
            buy = MarginBuy(instrument, product, price_paise)
            return own_bps(buy, await self._reading.answer(account, margin_call(buy, there)))

        return await shares_by_product(products, own, BAD_INPUT)


def _smart_id(row: object) -> object:
    return cast("dict[str, object]", row).get("smart_order_id") if isinstance(row, dict) else None


def smart_windows(now: datetime) -> Iterator[Mapping[str, str]]:
    """The times that lists of smart orders are asked for: the broker's own today, and a year and more back.

    A GTT rests for a year (Groww Trading API documentation, smart orders).
    """
    yield {}
    end = now.astimezone(IST) + timedelta(days=1)
    for _ in range(SMART_WINDOWS):
        begin = end - SMART_WINDOW
        named = {"start_date_time": begin, "end_date_time": end - timedelta(seconds=1)}
        yield {name: at.strftime("%Y-%m-%dT%H:%M:%S") for name, at in named.items()}
        end = begin


def _as_list(rows: object) -> list[object]:
    if not isinstance(rows, list):
        raise BrokerError(f"Groww: rows must be a list, not {type(rows).__name__}", "bad_row")
    return rows  # pyright: ignore[reportUnknownVariableType]
