"""What a broker does by mistake, for rehearsals: orders that trade too much, and orders that come back."""

from brokers.contract import Accepted, BrokerStatus, Refused
from brokers.simulators.exchange import settlement
from brokers.simulators.exchange.booking import Booking
from brokers.simulators.exchange.books import ExchangeBooks, State
from brokers.simulators.exchange.market import ExchangeMarket
from brokers.simulators.exchange.rms import check_shares
from brokers.simulators.exchange.schema import OrderRow
from data.vocabulary import Validity


class Mishaps:
    """The mishaps of one exchange. Every method is called inside a transaction."""

    def __init__(self, books: ExchangeBooks, market: ExchangeMarket, booking: Booking) -> None:
        self._books = books
        self._market = market
        self._booking = booking

    def overfill(self, state: State, user_id: str, broker_order_id: str, quantity: int) -> Accepted | Refused:
        """Trade an order's rest, if it is live, and `quantity` shares beyond, at its newest trade's price.

        An order without a trade takes the last price. Refused for an order that has ended without trading in
        full, for one that waits for its trigger, and for a sell of shares the account does not have free.
        """
        order = self._of_today(state, user_id, broker_order_id)
        if isinstance(order, Refused):
            return order
        if order.waiting or not (order.live or order.status == BrokerStatus.COMPLETE):
            return Refused("cannot_overfill", "Only an open or a complete order can trade too much.")
        if quantity <= 0:
            return Refused("bad_quantity", "Quantity should be positive.")
        instrument = self._market.listings[order.key].instrument
        if not order.buying:
            refused = check_shares(self._booking.free_shares(order, instrument), quantity)
            if refused is not None:
                return refused
        price = self._books.last_trade_price(order.order_id)
        if price is None:
            price = self._market.quote(order.key, state.market_us).last_paise
        account = self._books.account(user_id)
        fills = [(price, order.remaining + quantity)]
        self._booking.trade(account, order, instrument, fills, state.market_us)
        self._books.save_account(account)
        self._books.save_order(order)
        return Accepted(broker_order_id)

    def resurrect(self, state: State, user_id: str, broker_order_id: str) -> Accepted | Refused:
        """Make a cancelled order live again and block for its rest as far as the money goes.

        Refused for an order that is not cancelled, for an IOC order, and for a sell of shares the account no
        longer has free.
        """
        order = self._of_today(state, user_id, broker_order_id)
        if isinstance(order, Refused):
            return order
        if order.status != BrokerStatus.CANCELLED or order.validity != Validity.DAY:
            return Refused("cannot_resurrect", "Only a cancelled DAY order can come back.")
        if not order.buying:
            instrument = self._market.listings[order.key].instrument
            refused = check_shares(self._booking.free_shares(order, instrument), order.remaining)
            if refused is not None:
                return refused
        account = self._books.account(user_id)
        own, loan = settlement.blocks_for(order, order.remaining)
        settlement.set_blocks(account, order, min(own, max(0, account.available_paise)), loan)
        order.status, order.message, order.resting = BrokerStatus.OPEN.value, "", 0
        order.priority = state.next_order
        state.next_order += 1
        order.updated_us = state.market_us
        self._books.save_account(account)
        self._books.save_order(order)
        return Accepted(broker_order_id)

    def _of_today(self, state: State, user_id: str, broker_order_id: str) -> OrderRow | Refused:
        order = self._books.order(user_id, broker_order_id)
        if order is None or order.trading_day != state.trading_day:
            return Refused("unknown_order", f"Couldn't find that order_id: {broker_order_id!r}.")
        return order
