"""Orders at the paper exchange: taking, matching, changing and ending them, and the money each step books.

The checks are in `rms`, the matching in `matching`, the money in `booking`; this puts them together
inside the caller's transaction.
"""

from datetime import date

from brokers.contract import Accepted, BrokerError, BrokerStatus, OrderChange, OrderRequest, Refused
from brokers.simulators.exchange.booking import Booking
from brokers.simulators.exchange.books import ExchangeBooks, State
from brokers.simulators.exchange.market import SECOND_US, ExchangeMarket
from brokers.simulators.exchange.matching import Displayed, at_makers_price
from brokers.simulators.exchange.prices import Quote
from brokers.simulators.exchange.rms import (
    MAX_MODIFICATIONS,
    MAX_QUANTITY,
    MAX_VALUE_PAISE,
    SQUARE_OFF_FEE_PAISE,
    Terms,
    check_intraday,
    check_open,
    check_request,
    terms_after,
)
from brokers.simulators.exchange.schema import AccountRow, OrderRow
from data.money import BPS
from data.reference.instruments import Instrument
from data.vocabulary import OrderType, PhaseKind, Policy, Product, Side, Validity

_CLOSING_AUCTION = frozenset(
    {
        PhaseKind.AUCTION_REFERENCE,
        PhaseKind.AUCTION_ENTRY,
        PhaseKind.AUCTION_LIMIT_ONLY,
        PhaseKind.AUCTION_MATCHING,
    }
)


def first_order_id(day: date) -> int:
    """The least order id of a trading date: nineteen digits that begin with the date."""
    return int(f"{day:%y%m%d}") * 10**13 + 1


class OrderFlow:
    """The orders of one exchange. Every method is called inside a transaction."""

    def __init__(
        self, books: ExchangeBooks, market: ExchangeMarket, booking: Booking, policy: Policy
    ) -> None:
        self._books = books
        self._market = market
        self._booking = booking
        self._policy = policy
        self._depth: dict[str, Displayed] = {}
        self._allowed: dict[int, int] = {}

    def place(
        self, state: State, user_id: str, request: OrderRequest, at_most: int | None = None
    ) -> Accepted | Refused:
        """Check an order, block for it, and let it meet the book at once; a stop order waits outside it.

        Where `at_most` is given, no more shares of it trade until `allow` lets more.
        """
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
        order = self._row(state, user_id, request, instrument, quote, terms)
        sold_out = at_us >= self._market.intraday_end_us(account.rates, instrument.fno)
        refused = check_intraday(instrument, sold_out and self._booking.opens(order, instrument))
        refused = refused or self._booking.block(
            account, order, instrument, request.quantity, request.quantity
        )
        if refused is not None:
            return refused
        state.next_order += 1
        if at_most is not None:
            self._allowed[order.order_id] = at_most
        if phase is PhaseKind.CONTINUOUS and not order.waiting:
            self._meet_book(account, order, instrument, quote, at_us)
        if order.live and order.validity == Validity.IOC and not order.waiting:
            self._booking.finish(account, order, BrokerStatus.CANCELLED, _IOC_REST)
        self._books.save_account(account)
        self._books.insert_order(order)
        self._books.tell(order.order_id)
        return Accepted(str(order.order_id))

    def _row(
        self,
        state: State,
        user_id: str,
        request: OrderRequest,
        instrument: Instrument,
        quote: Quote,
        terms: Terms,
    ) -> OrderRow:
        """An order as it begins; a protected one is a limit order at its protected price."""
        kind = OrderType.LIMIT if request.order_type is OrderType.MARKET else request.order_type
        protected = request.order_type in (OrderType.MARKET, OrderType.SL_M)
        tags = [request.tag] if request.tag else []
        if protected:
            tags += _protection_tags(request.protection_bps or 0)
        at_last = request.order_type is OrderType.MARKET and self._policy is Policy.EXACT
        return OrderRow(
            order_id=state.next_order,
            user_id=user_id,
            key=instrument.key,
            security=instrument.security,
            tags="\n".join(tags),
            side=request.side.value,
            product=request.product.value,
            order_type=kind.value,
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
            placed_us=state.market_us,
            updated_us=state.market_us,
            trigger_paise=terms.trigger_paise or 0,
            trigger_pending=int(terms.trigger_paise is not None),
            protection_bps=request.protection_bps or 0 if protected else 0,
            disclosed=request.disclosed_quantity,
        )

    def allow(
        self, state: State, user_id: str, broker_order_id: str, quantity: int | None
    ) -> Accepted | Refused:
        """Let `quantity` more shares trade of an order that was held to some, or all that is left of it."""
        order = self._books.order(user_id, broker_order_id)
        if order is None:
            return _unknown_order(broker_order_id)
        if not order.live:
            return _final("fill", "filled", order)
        if quantity is None:
            self._allowed.pop(order.order_id, None)
        elif order.order_id in self._allowed:
            self._allowed[order.order_id] += quantity
        self.match(state, order.key, state.market_us)
        return Accepted(broker_order_id)

    def modify(
        self, state: State, user_id: str, broker_order_id: str, change: OrderChange
    ) -> Accepted | Refused:
        """Change quantity (the whole order's), price or trigger of a live order, under the same checks."""
        order = self._books.order(user_id, broker_order_id)
        if order is None:
            return _unknown_order(broker_order_id)
        if not order.live:
            return _final("modify", "modified", order)
        if order.modifications >= MAX_MODIFICATIONS:
            return Refused("too_many_modifications", "Maximum allowed order modifications exceeded.")
        instrument = self._market.listings[order.key].instrument
        at_us = state.market_us
        quote = self._market.quote(order.key, at_us)
        phase = self._market.phase(instrument, at_us)
        if (closed := check_open(phase)) is not None:
            return closed
        terms = terms_after(order, change, instrument, quote)
        if isinstance(terms, Refused):
            return terms
        quantity, limit = terms
        account = self._books.account(user_id)
        if limit != order.limit_paise or quantity > order.quantity:
            order.priority = state.next_order
            state.next_order += 1
        if limit != order.limit_paise:
            order.resting, order.limit_paise, order.reserve_paise = 0, limit, limit
        more_shares = quantity - order.quantity
        refused = self._booking.block(account, order, instrument, quantity - order.filled, more_shares)
        if refused is not None:
            return refused
        order.quantity = quantity
        order.modifications += 1
        order.updated_us = at_us
        if phase is PhaseKind.CONTINUOUS and not order.waiting:
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
        self._allowed.pop(order.order_id, None)
        self._booking.finish(account, order, status, message)
        self._books.save_account(account)
        self._books.save_order(order)

    def match(self, state: State, key: str, at_us: int) -> None:
        """Let a symbol's standing orders meet the market of a moment, in price-time order.

        Stop orders that the last price sets off come into the book first, behind those that stand there.
        What the closing auction does not take over is cancelled as it begins.
        """
        instrument = self._market.listings[key].instrument
        phase = self._market.phase(instrument, at_us)
        if phase in _CLOSING_AUCTION:
            self._hand_over(key, at_us, phase is PhaseKind.AUCTION_REFERENCE)
        if phase is not PhaseKind.CONTINUOUS:
            return
        quote = self._market.quote(key, at_us)
        if not quote.bids and not quote.asks:
            return
        triggered = self._books.triggered(key, quote.last_paise)
        for order in triggered:
            order.trigger_pending, order.updated_us = 0, at_us
            order.priority = state.next_order
            state.next_order += 1
            self._books.save_order(order)
        self._books.rest_uncrossed(key, quote.bid_paise, quote.ask_paise)
        for order in self._books.crossing(key, quote.bid_paise, quote.ask_paise):
            account = self._books.account(order.user_id)
            if self._meet_book(account, order, instrument, quote, at_us):
                self._books.save_account(account)
                self._books.save_order(order)
        for fired in triggered:
            order = self._books.order(fired.user_id, str(fired.order_id))
            if order is not None and order.live and order.validity == Validity.IOC:
                self.end(order, BrokerStatus.CANCELLED, _IOC_REST)

    def _hand_over(self, key: str, at_us: int, begins: bool) -> None:
        """Cancel what the closing auction does not take over: stops, and as it `begins` other orders too.

        These have a disclosed quantity, or a limit that is far from the last price, which stands for its
        reference price, the average of the last quarter of an hour.
        """
        lower, upper = self._market.auction_band(key, at_us)
        hidden = not self._market.auction_takes_disclosed
        for order in self._books.live_orders() if begins else self._books.waiting(key):
            if order.key != key:
                continue
            if order.waiting:
                what = "Stop orders"
            elif order.disclosed and hidden:
                what = "Orders with a disclosed quantity"
            elif not lower <= order.limit_paise <= upper:
                what = "Orders outside its price range"
            else:
                continue
            order.updated_us = at_us
            self.end(order, BrokerStatus.CANCELLED, f"{what} are cancelled before the closing auction.")

    def square_off(self, state: State, broker: str, fno: bool) -> None:
        """Sell out what a broker's clients hold for the day alone, with (`fno`) or without live derivatives.

        What was sold short is bought back. Open intraday orders are cancelled first. What the market does not
        take rests at the circuit.
        """

        def is_theirs(user_id: str, key: str) -> bool:
            of = self._market.broker_of(self._books.account(user_id).rates)
            return of == broker and self._market.listings[key].instrument.fno is fno

        for order in self._books.live_orders():
            if order.product == Product.MIS and is_theirs(order.user_id, order.key):
                order.updated_us = state.market_us
                self.end(order, BrokerStatus.CANCELLED, "MIS orders are cancelled at the square-off time.")
        held = [(*of, Side.SELL, quantity) for of, quantity in self._books.held_for_the_day().items()]
        owed = [(one.user_id, one.key, Side.BUY, one.quantity) for one in self._books.shorts.all()]
        for user_id, key, side, quantity in (*held, *owed):
            if not is_theirs(user_id, key):
                continue
            instrument = self._market.listings[key].instrument
            upper = self._market.quote(key, state.market_us).upper_circuit_paise
            most = max(1, min(MAX_QUANTITY, MAX_VALUE_PAISE // upper))
            for start in range(0, quantity, most):
                self._close_out(state, user_id, instrument, side, min(most, quantity - start))

    def _close_out(
        self, state: State, user_id: str, instrument: Instrument, side: Side, quantity: int
    ) -> None:
        request = OrderRequest(
            instrument.exchange,
            instrument.tradingsymbol,
            side,
            quantity,
            Product.MIS,
            OrderType.MARKET,
            "",
            protection_bps=BPS,
        )
        if isinstance(self.place(state, user_id, request), Accepted):
            account = self._books.account(user_id)
            account.charges_due_paise += SQUARE_OFF_FEE_PAISE
            self._books.save_account(account)

    def settle_shorts(self) -> None:
        """End what was sold short and nobody has bought back by the close."""
        self._booking.settle_shorts()

    def keep_depth(self) -> None:
        """Store what this transaction took from the displayed depth."""
        for key, book in self._depth.items():
            if book.changed:
                self._books.depth.save_taken(key, book.second, book.taken)

    def drop_depth(self) -> None:
        """Forget this transaction's view of the depth."""
        self._depth.clear()

    # --- inside -------------------------------------------------------------------------------------------

    def _meet_book(
        self, account: AccountRow, order: OrderRow, instrument: Instrument, quote: Quote, at_us: int
    ) -> bool:
        """Trade what the displayed depth gives an order now; tells whether anything traded."""
        book = self._book(order.key, quote, at_us)
        allowed = self._allowed.get(order.order_id, order.remaining)
        fills = book.take(order.buying, order.limit_paise, min(order.remaining, allowed))
        if order.order_id in self._allowed:
            self._allowed[order.order_id] -= sum(part for _, part in fills)
        if order.resting:
            fills = at_makers_price(fills, order.limit_paise)
        if fills:
            self._booking.trade(account, order, instrument, fills, at_us)
        if order.live and not book.marketable(order.buying, order.limit_paise):
            order.resting = 1
        return bool(fills)

    def _book(self, key: str, quote: Quote, at_us: int) -> Displayed:
        second = at_us // SECOND_US
        book = self._depth.get(key)
        if book is None or book.second != second:
            taken = {} if quote.pinned else self._books.depth.taken(key, second)
            book = self._depth[key] = Displayed(quote, second, taken)
        book.quote = quote
        return book


_IOC_REST = "The rest of an IOC order is cancelled."


def _protection_tags(protection_bps: int) -> list[str]:
    """The tags with which a broker marks a market order that it holds as a limit order."""
    return ["mktp", f"mktp:{protection_bps // 100}.{protection_bps % 100:02d}"]


def _unknown_order(broker_order_id: str) -> Refused:
    return Refused("unknown_order", f"Couldn't find that order_id: {broker_order_id!r}.")


def _final(code: str, done: str, order: OrderRow) -> Refused:
    return Refused(
        f"cannot_{code}", f"Order cannot be {done} as it is in a final state ({order.status.upper()})."
    )
