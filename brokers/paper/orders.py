"""Orders at the paper exchange: taking, matching, changing and ending them, and the money each step books.

The checks are in `rms`, the matching in `matching`, the money in `settlement`; this puts them together
inside the caller's transaction.
"""

from datetime import date

from brokers.contract import Accepted, BrokerError, BrokerStatus, OrderChange, OrderRequest, Refused
from brokers.paper import settlement
from brokers.paper.books import Books, State
from brokers.paper.market import SECOND_US, Market
from brokers.paper.matching import Book, at_makers_price
from brokers.paper.prices import Quote
from brokers.paper.rms import MAX_MODIFICATIONS, check_money, check_request, check_shares, check_terms
from brokers.paper.schema import AccountRow, OrderRow, ParcelRow
from data.instruments import Instrument
from data.rates import estimate
from data.vocabulary import OrderType, PhaseKind, Policy, Product, Side, Validity


def first_order_id(day: date) -> int:
    """The least order id of a trading date: nineteen digits that begin with the date."""
    return int(f"{day:%y%m%d}") * 10**13 + 1


class OrderFlow:
    """The orders of one exchange. Every method is called inside a transaction."""

    def __init__(self, books: Books, market: Market, policy: Policy) -> None:
        self._books = books
        self._market = market
        self._policy = policy
        self._depth: dict[str, Book] = {}

    def place(self, state: State, user_id: str, request: OrderRequest) -> Accepted | Refused:
        """Check an order, block for it, and let it meet the book at once."""
        key = f"{request.exchange}:{request.tradingsymbol}"
        listing = self._market.listings.get(key)
        if listing is None:
            return Refused("unknown_instrument", f"The instrument {key} does not exist.")
        try:
            account = self._books.account(user_id)
        except BrokerError as error:
            return Refused(error.code, str(error))
        instrument = listing.instrument
        at_us = state.market_us
        quote = self._market.quote(key, at_us)
        phase = self._market.phase(instrument, at_us)
        terms = check_request(request, instrument, quote, phase)
        if isinstance(terms, Refused):
            return terms
        market_order = request.order_type is OrderType.MARKET
        tags = [request.tag] if request.tag else []
        if market_order:
            tags += _protection_tags(request.protection_bps or 0)
        at_last = market_order and self._policy is Policy.EXACT
        order = OrderRow(
            order_id=state.next_order,
            user_id=user_id,
            key=key,
            security=instrument.security,
            tags="\n".join(tags),
            side=request.side.value,
            product=request.product.value,
            order_type=OrderType.LIMIT.value,
            validity=request.validity.value,
            quantity=request.quantity,
            filled=0,
            limit_paise=terms.limit_paise,
            status=BrokerStatus.OPEN.value,
            message="",
            resting=0,
            priority=state.next_order,
            reserve_paise=quote.last_paise if at_last else terms.limit_paise,
            own_bps=terms.own_bps,
            own_blocked_paise=0,
            loan_blocked_paise=0,
            notional_paise=0,
            own_booked_paise=0,
            charges_paise=0,
            from_demat=0,
            modifications=0,
            trading_day=state.trading_day,
            placed_us=at_us,
            updated_us=at_us,
        )
        refused = self._block(account, order, instrument, request.quantity, request.quantity)
        if refused is not None:
            return refused
        state.next_order += 1
        if phase is PhaseKind.CONTINUOUS:
            self._meet_book(account, order, instrument, quote, at_us)
        if order.live and order.validity == Validity.IOC:
            self._finish(account, order, BrokerStatus.CANCELLED, "The rest of an IOC order is cancelled.")
        self._books.save_account(account)
        self._books.insert_order(order)
        self._books.tell(order.order_id)
        return Accepted(str(order.order_id))

    def modify(
        self, state: State, user_id: str, broker_order_id: str, change: OrderChange
    ) -> Accepted | Refused:
        """Change quantity (the whole order's) or price of a live order, under the same checks."""
        order = self._books.order(user_id, broker_order_id)
        if order is None:
            return _unknown_order(broker_order_id)
        if not order.live:
            return _final("modify", "modified", order)
        if change.trigger_paise is not None:
            return Refused("order_type_not_offered", "Stop orders are not offered by this exchange.")
        if order.modifications >= MAX_MODIFICATIONS:
            return Refused("too_many_modifications", "Maximum allowed order modifications exceeded.")
        instrument = self._market.listings[order.key].instrument
        at_us = state.market_us
        quote = self._market.quote(order.key, at_us)
        phase = self._market.phase(instrument, at_us)
        if phase in (PhaseKind.CLOSED, PhaseKind.POST_CLOSE, PhaseKind.UNKNOWN):
            return Refused("market_closed", "The market is closed: orders are not accepted now.")
        quantity = order.quantity if change.quantity is None else change.quantity
        limit = order.limit_paise if change.price_paise is None else change.price_paise
        if quantity <= order.filled:
            return Refused("bad_quantity", f"Quantity should be above the {order.filled} already traded.")
        refused = check_terms(quantity, limit, instrument, quote)
        if refused is not None:
            return refused
        account = self._books.account(user_id)
        if limit != order.limit_paise or quantity > order.quantity:
            order.priority = state.next_order
            state.next_order += 1
        if limit != order.limit_paise:
            order.resting, order.limit_paise, order.reserve_paise = 0, limit, limit
        more_shares = quantity - order.quantity
        refused = self._block(account, order, instrument, quantity - order.filled, more_shares)
        if refused is not None:
            return refused
        order.quantity = quantity
        order.modifications += 1
        order.updated_us = at_us
        if phase is PhaseKind.CONTINUOUS:
            self._meet_book(account, order, instrument, quote, at_us)
        self._books.save_account(account)
        self._books.save_order(order)
        return Accepted(broker_order_id)

    def cancel(self, state: State, user_id: str, broker_order_id: str) -> Accepted | Refused:
        """Take a live order out of the book."""
        order = self._books.order(user_id, broker_order_id)
        if order is None:
            return _unknown_order(broker_order_id)
        if not order.live:
            return _final("cancel", "cancelled", order)
        order.updated_us = state.market_us
        self.end(order, BrokerStatus.CANCELLED, "")
        return Accepted(broker_order_id)

    def end(self, order: OrderRow, status: BrokerStatus, message: str) -> None:
        """End a live order and free what it blocks."""
        account = self._books.account(order.user_id)
        self._finish(account, order, status, message)
        self._books.save_account(account)
        self._books.save_order(order)

    def match(self, key: str, at_us: int) -> None:
        """Let a symbol's standing orders meet the market of a moment, in price-time order."""
        instrument = self._market.listings[key].instrument
        if self._market.phase(instrument, at_us) is not PhaseKind.CONTINUOUS:
            return
        quote = self._market.quote(key, at_us)
        self._books.rest_uncrossed(key, quote.bid_paise, quote.ask_paise)
        for order in self._books.crossing(key, quote.bid_paise, quote.ask_paise):
            account = self._books.account(order.user_id)
            if self._meet_book(account, order, instrument, quote, at_us):
                self._books.save_account(account)
                self._books.save_order(order)

    def keep_depth(self) -> None:
        """Store what this transaction took from the displayed depth."""
        for key, book in self._depth.items():
            if book.changed:
                self._books.save_taken(key, book.second, book.taken)

    def drop_depth(self) -> None:
        """Forget this transaction's view of the depth."""
        self._depth.clear()

    # --- inside -------------------------------------------------------------------------------------------

    def _block(
        self, account: AccountRow, order: OrderRow, instrument: Instrument, remaining: int, more_shares: int
    ) -> Refused | None:
        """Check and block what `remaining` shares need, `more_shares` above what a sell has blocked."""
        own, loan = settlement.blocks_for(order, remaining)
        if order.buying:
            refused = check_money(account, own - order.own_blocked_paise, loan - order.loan_blocked_paise)
        else:
            parcels = self._books.parcels(order.user_id, order.security, order.product)
            blocked = self._books.shares_blocked(order.user_id).get((order.security, order.product), 0)
            free = settlement.sellable(parcels, instrument.trade_to_trade) - blocked
            refused = check_shares(free, more_shares)
        if refused is None:
            settlement.set_blocks(account, order, own, loan)
        return refused

    def _meet_book(
        self, account: AccountRow, order: OrderRow, instrument: Instrument, quote: Quote, at_us: int
    ) -> bool:
        """Trade what the displayed depth gives an order now; tells whether anything traded."""
        book = self._book(order.key, quote, at_us)
        fills = book.take(order.buying, order.limit_paise, order.remaining)
        if order.resting:
            fills = at_makers_price(fills, order.limit_paise)
        if fills:
            self._trade(account, order, instrument, fills, at_us)
        if order.live and not book.marketable(order.buying, order.limit_paise):
            order.resting = 1
        return bool(fills)

    def _book(self, key: str, quote: Quote, at_us: int) -> Book:
        second = at_us // SECOND_US
        book = self._depth.get(key)
        if book is None or book.second != second:
            taken = {} if quote.pinned else self._books.taken(key, second)
            book = self._depth[key] = Book(quote, second, taken)
        book.quote = quote
        return book

    def _trade(
        self,
        account: AccountRow,
        order: OrderRow,
        instrument: Instrument,
        fills: list[tuple[int, int]],
        at_us: int,
    ) -> None:
        if order.buying:
            for price, quantity in fills:
                self._books.add_parcel(settlement.book_buy(account, order, price, quantity))
                account.available_paise -= self._charge(account, order, instrument)
        else:
            held = self._books.parcels(order.user_id, order.security, order.product)
            usable = [parcel for parcel in held if not instrument.trade_to_trade or not parcel.bought_on]
            parcels = settlement.sale_order(usable, order.trading_day)
            for price, quantity in fills:
                self._sell(account, order, instrument, parcels, price, quantity)
        if order.remaining == 0:
            order.status = BrokerStatus.COMPLETE.value
        order.updated_us = at_us
        number = self._books.take_trade_numbers(instrument.exchange, len(fills))
        self._books.insert_trades(
            (instrument.exchange, number + index, order.order_id, quantity, price, at_us)
            for index, (price, quantity) in enumerate(fills)
        )

    def _sell(
        self,
        account: AccountRow,
        order: OrderRow,
        instrument: Instrument,
        parcels: list[ParcelRow],
        price: int,
        quantity: int,
    ) -> None:
        today = order.trading_day
        sale = settlement.book_sell(account, parcels, order, price, quantity, today)
        if sale.settled_quantity and not order.from_demat:
            paid = self._books.demat_fee_paid(order.user_id, order.security, today)
            order.from_demat = int(not paid)
        unsettled = settlement.pay_out(account, sale, self._charge(account, order, instrument))
        if unsettled:
            self._books.add_unsettled(order.user_id, today, unsettled)
        for parcel in sale.parcels:
            self._books.save_parcel(parcel)

    def _charge(self, account: AccountRow, order: OrderRow, instrument: Instrument) -> int:
        """Charge for what an order has traded so far; gives what of it to pay at once."""
        charges = estimate(
            self._market.day,
            account.rates,
            instrument.exchange,
            Product(order.product),
            Side(order.side),
            order.notional_paise,
            demat_sale=bool(order.from_demat),
        )
        return settlement.charge(account, order, charges.total_paise, self._policy)

    def _finish(self, account: AccountRow, order: OrderRow, status: BrokerStatus, message: str) -> None:
        settlement.set_blocks(account, order, 0, 0)
        order.status, order.message = status.value, message


def _protection_tags(protection_bps: int) -> list[str]:
    """The tags with which a broker marks a market order that it holds as a limit order."""
    return ["mktp", f"mktp:{protection_bps // 100}.{protection_bps % 100:02d}"]


def _unknown_order(broker_order_id: str) -> Refused:
    return Refused("unknown_order", f"Couldn't find that order_id: {broker_order_id!r}.")


def _final(code: str, done: str, order: OrderRow) -> Refused:
    return Refused(
        f"cannot_{code}", f"Order cannot be {done} as it is in a final state ({order.status.upper()})."
    )
