"""What an order's steps book at the paper exchange: blocks, trades with their charges, and the end.

The rules are in `settlement`; this reads and stores the rows, inside the caller's transaction.
"""

from brokers.contract import BrokerStatus, Refused
from brokers.simulators.exchange import settlement
from brokers.simulators.exchange.books import ExchangeBooks
from brokers.simulators.exchange.market import ExchangeMarket
from brokers.simulators.exchange.rms import check_money, check_shares
from brokers.simulators.exchange.schema import AccountRow, OrderRow, ParcelRow
from brokers.simulators.exchange.shorts import ShortRow
from data.money import own_share
from data.reference.instruments import Instrument
from data.reference.rates import estimate
from data.vocabulary import Policy, Product, Side


class Booking:
    """The money and shares of one exchange's orders. Account and order rows are the caller's to store."""

    def __init__(self, books: ExchangeBooks, market: ExchangeMarket, policy: Policy) -> None:
        self._books = books
        self._market = market
        self._policy = policy

    def block(
        self, account: AccountRow, order: OrderRow, instrument: Instrument, remaining: int, more_shares: int
    ) -> Refused | None:
        """Check and block what `remaining` shares need, `more_shares` above what a sell has blocked."""
        bought_back = min(remaining, self._short(order).quantity) if order.buying else 0
        own, loan = settlement.blocks_for(order, remaining - bought_back)
        if order.buying:
            refused = check_money(account, own - order.own_blocked_paise, loan - order.loan_blocked_paise)
        elif order.product == Product.MIS:
            short = max(0, more_shares - max(0, self.free_shares(order, instrument)))
            refused = check_money(account, own_share(short * order.reserve_paise, order.own_bps), 0)
        else:
            refused = check_shares(self.free_shares(order, instrument), more_shares)
        if refused is None:
            settlement.set_blocks(account, order, own, loan)
        return refused

    def free_shares(self, order: OrderRow, instrument: Instrument) -> int:
        """Shares that an order's account may sell of what the order trades, beyond those in open sells."""
        parcels = self._books.parcels(order.user_id, order.security, order.product)
        blocked = self._books.shares_blocked(order.user_id).get((order.security, order.product), 0)
        return settlement.sellable(parcels, instrument.trade_to_trade) - blocked

    def opens(self, order: OrderRow, instrument: Instrument) -> bool:
        """Whether an intraday order makes a position, or makes one larger, instead of ending it."""
        closable = self._short(order).quantity if order.buying else self.free_shares(order, instrument)
        return order.product == Product.MIS and order.quantity > max(0, closable)

    def _short(self, order: OrderRow) -> ShortRow:
        if order.product != Product.MIS:
            return ShortRow(order.user_id, order.security, order.key)
        return self._books.shorts.of(order.user_id, order.security, order.key)

    def trade(
        self,
        account: AccountRow,
        order: OrderRow,
        instrument: Instrument,
        fills: list[tuple[int, int]],
        at_us: int,
    ) -> None:
        """Book fills, pairs of price and quantity, and store the trades; the order may end by them.

        An order that blocks less than it needs, or trades beyond its quantity, takes the account's cash no
        lower than nothing; what it takes besides is owed.
        """
        floor = min(0, account.available_paise)
        dear = settlement.underfunded(order) or sum(part for _, part in fills) > order.remaining
        if order.buying:
            short = self._short(order)
            dear = dear or short.quantity > 0
            for price, quantity in fills:
                self._buy(account, order, short, price, quantity)
                account.available_paise -= self._charge(account, order, instrument)
        else:
            held = self._books.parcels(order.user_id, order.security, order.product)
            usable = [parcel for parcel in held if not instrument.trade_to_trade or not parcel.bought_on]
            parcels = settlement.sale_order(usable, order.trading_day)
            for price, quantity in fills:
                self._sell(account, order, instrument, parcels, price, quantity)
        if dear:
            settlement.cover(account, order, floor)
        if order.remaining == 0:
            order.status = BrokerStatus.COMPLETE.value
        order.updated_us = at_us
        number = self._books.take_trade_numbers(instrument.exchange, len(fills))
        self._books.insert_trades(
            (instrument.exchange, number + index, order.order_id, quantity, price, at_us)
            for index, (price, quantity) in enumerate(fills)
        )

    def _buy(self, account: AccountRow, order: OrderRow, short: ShortRow, price: int, quantity: int) -> None:
        if back := min(short.quantity, quantity):
            if profit := settlement.buy_back(account, order, short, price, back):
                self._books.add_unsettled(order.user_id, order.trading_day, profit)
            self._books.shorts.save(short)
        if quantity > back:
            self._books.add_parcel(settlement.book_buy(account, order, price, quantity - back))

    def _sell(
        self,
        account: AccountRow,
        order: OrderRow,
        instrument: Instrument,
        parcels: list[ParcelRow],
        price: int,
        quantity: int,
    ) -> None:
        today, held = order.trading_day, sum(parcel.quantity for parcel in parcels)
        if order.product == Product.MIS and (beyond := max(0, quantity - held)):
            short = self._short(order)
            settlement.open_short(account, order, short, price, beyond)
            self._books.shorts.save(short)
            quantity -= beyond
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
        """Charge for what an order has traded so far; returns what of it to pay at once."""
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

    def settle_shorts(self) -> None:
        """End the shorts that nobody bought back, at the day's highest price as the auction may take."""
        for short in self._books.shorts.all():
            account = self._books.account(short.user_id)
            floor = min(0, account.available_paise)
            upper = self._market.quote(short.key, self._market.close_us - 1).upper_circuit_paise
            profit = settlement.end_short(account, short, short.quantity * upper, short.quantity)
            account.available_paise += profit
            owed = max(0, floor - account.available_paise)
            account.available_paise += owed
            account.owed_paise += owed
            self._books.save_account(account)
            self._books.shorts.save(short)

    def finish(self, account: AccountRow, order: OrderRow, status: BrokerStatus, message: str) -> None:
        """End a live order and free what it blocks."""
        settlement.set_blocks(account, order, 0, 0)
        order.status, order.message = status.value, message
