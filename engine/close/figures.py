"""A client's day worked out of the books, purely; all in paise.

For each stock: shares at the end x close, and what was sold, less what was bought and less the shares of
before x their previous close. What came in otherwise than by a trade (adopted, a bonus) counts as of before.
Charges are the contract note's, so that what the books have booked at fill is replaced by them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct

from data.reference.contract_notes import DayOrder, note_charges
from data.reference.rates import Charges
from data.repositories.accounts.statement import CASH, LOANS
from data.repositories.close.figures import (
    BooksOfDay,
    LastBalances,
    LeftDemat,
    MovedMoney,
    SharesAtEnd,
    TradedOrder,
)
from data.repositories.close.stored import PositionAtClose
from data.repositories.history.flows import EarnedFlow
from data.vocabulary import Account, FlowKind, Product, Side
from engine.book.views import ClientView
from engine.close.views import ClientDay, DeskRisk


class ClosePrices(Struct, frozen=True):
    """Closing prices by key: of the day itself, and of the one before as adjusted for the day."""

    closes: Mapping[str, int]
    before: Mapping[str, int]


class _Stock(Struct):
    """What a client's day in one stock comes to, over all products."""

    held: int = 0
    bought: int = 0
    bought_paise: int = 0
    sold: int = 0
    sold_paise: int = 0

    def gain(self, close: int | None, before: int | None) -> int:
        """Its gross P&L; nothing of shares of before where a price is missing."""
        carried = self.held - self.bought + self.sold
        if close is None:  # what was traded against each other is known all the same
            return 0 if self.held or carried else self.sold_paise - self.bought_paise
        if before is None:
            return self.held * close + self.sold_paise - self.bought_paise - carried * close
        return self.held * close + self.sold_paise - self.bought_paise - carried * before


class _Books:
    """What was read, by client."""

    def __init__(self, books: BooksOfDay) -> None:
        self.traded = traded_by_client(books.traded)
        self.balances = {one.client_id: one for one in books.balances}
        self.of_day = _amounts(books.of_day)
        self.since = _amounts(books.since)
        self.contributed = {one.client_id: one.amount_paise for one in books.contributed}
        self.adopted: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        for one in books.adopted:
            self.adopted[one.client_id][one.security][0] += one.quantity
            self.adopted[one.client_id][one.security][1] += one.cost_paise
        self.rerated = {one.client_id: one.amount_paise for one in books.rerated}
        self.realised = {one.client_id: one.amount_paise for one in books.realised}
        self.left_demat = left_by_client(books.left_demat)
        self.held = _held(books)
        self.earned_until = _earned_by_client(books.earned)


def client_days(
    day: date,
    clients: Iterable[ClientView],
    books: BooksOfDay,
    prices: ClosePrices,
    trade_to_trade: Callable[[str], bool],
) -> list[ClientDay]:
    """Each of these clients' day. `trade_to_trade` says it of a key. Raises `RatesNotLoaded`."""
    read = _Books(books)
    return [_client_day(day, client, read, prices, trade_to_trade) for client in clients]


def _client_day(
    day: date, client: ClientView, books: _Books, prices: ClosePrices, trade_to_trade: Callable[[str], bool]
) -> ClientDay:
    held, traded = books.held.get(client.id, []), books.traded.get(client.id, [])
    keys = {one.security: one.key for one in traded} | {one.security: one.key for one in held}
    gross = sum(
        stock.gain(prices.closes.get(keys[security]), prices.before.get(keys[security]))
        for security, stock in _stocks(held, traded).items()
    )
    charges = charges_of_day(day, client.broker, traded, books.left_demat.get(client.id, {}), trade_to_trade)
    moved, since = books.of_day.get(client.id, {}), books.since.get(client.id, {})
    booked = sum(one.charges_paise for one in traded) + books.rerated.get(client.id, 0)
    of_flows = books.earned_until.get(client.id, [])
    earned = _earned_of(day, of_flows)
    other = moved.get(Account.CHARGES, 0) - booked - earned[FlowKind.CHARGE] - earned[FlowKind.OTHER]
    rerated = charges.total_paise - booked
    interest = moved.get(Account.INTEREST, 0) - earned[FlowKind.INTEREST]
    dividends = earned[FlowKind.DIVIDEND] - moved.get(Account.DIVIDENDS, 0)
    net = gross + dividends - charges.total_paise - other - interest
    cash, loans = _money(books.balances.get(client.id), since)
    cash -= rerated
    positions = tuple(
        PositionAtClose(
            one.security, one.key, one.product, one.quantity, one.cost_paise, prices.closes.get(one.key)
        )
        for one in held
        if one.quantity
    )
    shares = sum(one.value_paise for one in positions)
    value = cash + shares - loans
    flows = -moved.get(Account.EXTERNAL, 0) + _beyond_cost(books.adopted.get(client.id, {}), keys, prices)
    flows -= earned.total()
    contributed = -(books.contributed.get(client.id, 0) - since.get(Account.EXTERNAL, 0))
    contributed -= sum(one.amount_paise for one in of_flows)
    return ClientDay(
        client_id=client.id,
        code=client.code,
        name=client.name,
        broker=client.broker,
        opening_paise=value - net - flows,
        flows_paise=flows,
        gross_pnl_paise=gross,
        dividends_paise=dividends,
        charges=charges,
        other_charges_paise=other,
        charges_booked_paise=booked,
        interest_paise=interest,
        todays_pnl_paise=net,
        realised_today_paise=books.realised.get(client.id, 0),
        total_pnl_paise=value - contributed,
        portfolio_value_paise=value,
        cash_paise=cash,
        shares_paise=shares,
        loans_paise=loans,
        active_trades=len(positions),
        orders=len(traded),
        trades=sum(one.trades for one in traded),
        turnover_paise=sum(one.notional_paise for one in traded),
        earned_paise=earned.total(),
        positions=positions,
        unpriced=tuple(sorted({one.key for one in positions if one.close_paise is None})),
    )


def _earned_of(day: date, flows: Iterable[EarnedFlow]) -> Counter[FlowKind]:
    """What of a client's flows of a day was no capital, in paise by what it was."""
    found: Counter[FlowKind] = Counter()
    for one in flows:
        if one.day == day:
            found[one.kind] += one.amount_paise
    return found


def _earned_by_client(rows: Iterable[EarnedFlow]) -> dict[int, list[EarnedFlow]]:
    found: dict[int, list[EarnedFlow]] = defaultdict(list)
    for one in rows:
        found[one.client_id].append(one)
    return found


def _beyond_cost(adopted: Mapping[str, Sequence[int]], keys: Mapping[str, str], prices: ClosePrices) -> int:
    """What shares that came by no trade were worth at the previous close beyond their cost."""
    beyond = 0
    for security, (quantity, cost) in adopted.items():
        before = prices.before.get(keys.get(security, ""))
        beyond += 0 if before is None else quantity * before - cost
    return beyond


def _stocks(held: Iterable[SharesAtEnd], traded: Iterable[TradedOrder]) -> dict[str, _Stock]:
    stocks: dict[str, _Stock] = defaultdict(_Stock)
    for one in held:
        stocks[one.security].held += one.quantity
    for order in traded:
        if order.closes_external:
            continue
        stock = stocks[order.security]
        if order.side is Side.BUY:
            stock.bought += order.quantity
            stock.bought_paise += order.notional_paise
        else:
            stock.sold += order.quantity
            stock.sold_paise += order.notional_paise
    return stocks


def charges_of_day(
    day: date,
    broker: str,
    traded: Sequence[TradedOrder],
    left_demat: Mapping[str, int],
    trade_to_trade: Callable[[str], bool],
) -> Charges:
    """What a client's day costs as its contract note has it. Raises `RatesNotLoaded`.

    `left_demat` are shares that left the demat account by security; `trade_to_trade` says it of a key.
    """
    if not traded:
        return Charges()
    orders = [
        DayOrder(
            one.order_id,
            one.security,
            one.key.partition(":")[0],
            one.product,
            one.side,
            one.quantity,
            one.notional_paise,
            trade_to_trade(one.key),
        )
        for one in traded
        if one.quantity
    ]
    sold: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in orders:
        if one.side is Side.SELL and one.product is not Product.MIS:
            sold[one.security][0] += one.quantity
            sold[one.security][1] += one.notional_paise
    values = {
        security: notional * min(quantity, left_demat[security]) // quantity
        for security, (quantity, notional) in sold.items()
        if security in left_demat
    }
    return note_charges(day, broker, orders, values)


def _money(balances: LastBalances | None, since: Mapping[Account, int]) -> tuple[int, int]:
    """A client's cash less what is due of it, and its loans, at the end of the day."""
    if balances is None:
        return 0, 0
    cash = (
        balances.available_paise
        + balances.blocked_paise
        + balances.unsettled_paise
        + balances.dividends_due_paise
        - balances.charges_due_paise
        - balances.shortfall_paise
    )
    loans = balances.mtf_loan_paise + balances.intraday_loan_paise
    cash -= sum(since.get(account, 0) for account in CASH)
    return cash, loans + sum(since.get(account, 0) for account in LOANS)


def _held(books: BooksOfDay) -> dict[int, list[SharesAtEnd]]:
    """Shares at the end of the day: those of now without what later days have moved."""
    later: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in books.moved_since:
        moved = later[one.client_id, one.security, one.product]
        moved[0] += one.quantity
        moved[1] += one.cost_paise
    found: dict[int, list[SharesAtEnd]] = defaultdict(list)
    for one in books.held:
        quantity, cost = later.get((one.client_id, one.security, one.product), (0, 0))
        then = SharesAtEnd(
            *(one.client_id, one.security, one.key, one.product),
            quantity=one.quantity - quantity,
            cost_paise=one.cost_paise - cost,
        )
        found[one.client_id].append(then)
    return found


def traded_by_client(rows: Iterable[TradedOrder]) -> dict[int, list[TradedOrder]]:
    """What each client traded."""
    found: dict[int, list[TradedOrder]] = defaultdict(list)
    for one in rows:
        found[one.client_id].append(one)
    return found


def left_by_client(rows: Iterable[LeftDemat]) -> dict[int, dict[str, int]]:
    """What left each client's demat account, in shares by security."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for one in rows:
        found[one.client_id][one.security] = one.quantity
    return found


def _amounts(rows: Iterable[MovedMoney]) -> dict[int, dict[Account, int]]:
    found: dict[int, dict[Account, int]] = defaultdict(dict)
    for one in rows:
        found[one.client_id][one.account] = one.amount_paise
    return found


def desk_risk(clients: Sequence[ClientDay]) -> DeskRisk:
    """What the clients' days say of risk by themselves; what needs history is left out."""
    nets = [one.todays_pnl_paise for one in clients]
    total = sum(one.portfolio_value_paise for one in clients)
    return DeskRisk(
        total_value_paise=total,
        todays_pnl_paise=sum(nets),
        profitable=sum(net > 0 for net in nets),
        losing=sum(net < 0 for net in nets),
        average_value_paise=total // len(clients) if clients else 0,
        max_gain_paise=max((net for net in nets if net > 0), default=0),
        max_loss_paise=min((net for net in nets if net < 0), default=0),
    )
