"""Booking trades: what a fill does to a client's money, shares and lots, as balanced transfers."""

from dataclasses import dataclass
from datetime import date, datetime

from msgspec import Struct

from brokers.contract import BrokerTrade
from data.ledger import Line, ShareLine, loan_account
from data.money import BPS, own_share
from data.vocabulary import Account, Bucket, Policy
from engine.booking.lots import ClosedLot, Lot, Piece
from engine.booking.order import WorkingOrder
from engine.booking.states import Flag

_IN_DEMAT = (Bucket.FREE, Bucket.PLEDGED)
"""Shares whose sale debits the demat account; those of today are netted, those on their way pass it by."""


class Fill(Struct, eq=False, gc=False):
    """One trade at the exchange as it is booked; one of no shares corrects the charges of another."""

    id: int
    client_id: int
    order_id: int
    exchange: str
    trading_date: date
    trade_id: str
    broker_order_id: str
    quantity: int
    price_paise: int
    charges_paise: int
    traded_at: datetime
    booked_at: datetime


@dataclass(slots=True, eq=False)
class Purse:
    """A client's balances as a unit has changed them so far; they decide where a dear fill is paid from."""

    client_id: int
    available_paise: int
    shortfall_paise: int

    def take(self, amount: int) -> tuple[int, int]:
        """Split `amount` into what is available and what becomes shortfall."""
        from_available = min(max(0, self.available_paise), amount)
        self.available_paise -= from_available
        self.shortfall_paise += amount - from_available
        return from_available, amount - from_available


class BookedTrade(Struct, frozen=True):
    """What a trade comes to: its postings of money and shares, and its charges in paise."""

    lines: list[Line]
    shares: list[ShareLine]
    charges_paise: int


def book_buy(order: WorkingOrder, purse: Purse, trade: BrokerTrade) -> BookedTrade:
    """Pay for a purchase: own share and charges from the order's block first, the rest lent."""
    cost = trade.quantity * trade.price_paise
    total = order.filled_notional_paise + cost
    own = own_share(total, order.margin_bps) - order.own_paise
    loan = cost - own
    charges = order.charges_at(total) - order.charges_paise
    exact = order.policy == Policy.EXACT
    order.own_paise += own
    if trade.price_paise > max(order.reserve_price_paise, order.asked_reserve_paise or 0):
        order.flag(Flag.PRICE_BREACH)
    lines = [Line(Account.STOCK_COST, cost, security=order.security)]
    lines += _pay(order, purse, own if exact else own + charges)
    if loan:
        lines.append(Line(loan_account(order.product), -loan, security=order.security))
    lines += _charged(order, charges)
    product, quantity = order.product.value, trade.quantity
    opened = ShareLine(order.security, product, Bucket.TODAY, quantity, order.exchange, order.tradingsymbol)
    return BookedTrade(
        lines, [opened, ShareLine(order.security, product, Bucket.OUTSIDE, -quantity)], charges
    )


def book_unheld(order: WorkingOrder, purse: Purse, trade: BrokerTrade) -> tuple[list[Line], int]:
    """What ending a position that only the broker has takes: its charges, with the postings that pay them.

    What the position itself won or lost is the broker's to tell, as a difference of cash.
    """
    total = order.filled_notional_paise + trade.quantity * trade.price_paise
    charges = order.charges_at(total) - order.charges_paise
    paid = [] if order.policy == Policy.EXACT else _pay(order, purse, charges)
    return [*paid, *_charged(order, charges)], charges


def opened_lot(
    order: WorkingOrder, trade: BrokerTrade, booked: BookedTrade, lot_id: int, fill_id: int
) -> Lot:
    """The lot that a purchase opens."""
    loan_name = loan_account(order.product)
    cost = trade.quantity * trade.price_paise
    loan = -sum(line.amount_paise for line in booked.lines if line.account is loan_name)
    charges = booked.charges_paise
    return Lot(
        id=lot_id,
        client_id=order.client_id,
        security=order.security,
        product=order.product,
        bucket=Bucket.TODAY,
        opened_on=trade.trading_date,
        quantity=trade.quantity,
        cost_paise=cost,
        loan_paise=loan,
        charges_paise=charges,
        quantity_left=trade.quantity,
        cost_left_paise=cost,
        loan_left_paise=loan,
        charges_left_paise=charges,
        fill_id=fill_id,
        bought_as=None,
        arrived_at=None,
        traded_at=trade.traded_at,
        trade_id=trade.trade_id,
    )


def _pay(order: WorkingOrder, purse: Purse, amount: int) -> list[Line]:
    """Postings that pay for a fill: from the order's block, then available, then shortfall."""
    from_block = min(amount, order.blocked_paise)
    order.block(-from_block, 0, 0)
    lines = [Line(Account.BLOCKED, -from_block, order.id)] if from_block else []
    if amount > from_block:
        available, short = purse.take(amount - from_block)
        if available:
            lines.append(Line(Account.AVAILABLE, -available))
        if short:
            lines.append(Line(Account.SHORTFALL, -short))
    return lines


def _charged(order: WorkingOrder, charges: int) -> list[Line]:
    """Postings of charges; under `EXACT` they are due later."""
    if not charges:
        return []
    lines = [Line(Account.CHARGES, charges, order.id)]
    if order.policy == Policy.EXACT:
        lines.append(Line(Account.CHARGES_DUE, -charges))
    return lines


def debits_demat(pieces: list[Piece]) -> bool:
    """Whether a sale of these takes shares out of the demat account, for which the depository has a fee."""
    return any(piece.bucket in _IN_DEMAT for piece in pieces)


def book_sell(
    order: WorkingOrder, purse: Purse, pieces: list[Piece], trade: BrokerTrade, sell_credit_bps: int
) -> BookedTrade:
    """Credit a sale of these pieces: loans are repaid, then charges, the rest is the client's.

    Where a broker has sold more than the pieces are, the rest of the proceeds waits as unexplained.
    """
    proceeds = trade.quantity * trade.price_paise
    sold = sum(piece.quantity for piece in pieces)
    charges = order.charges_at(order.filled_notional_paise + proceeds) - order.charges_paise
    lines = [
        Line(Account.STOCK_COST, -sum(piece.cost for piece in pieces), security=order.security),
        Line(
            Account.REALISED,
            sum(piece.cost for piece in pieces) - sold * trade.price_paise,
            security=order.security,
        ),
    ]
    repaid, to_available, to_unsettled = _credited(pieces, trade.price_paise, sell_credit_bps)
    if sold < trade.quantity:
        unexplained = proceeds - sold * trade.price_paise
        lines.append(Line(Account.EXTERNAL, -unexplained, order.id, order.security))
        to_unsettled += unexplained
    unpaid_loan = sum(piece.loan for piece in pieces) - repaid
    if repaid or unpaid_loan:
        lines.append(Line(loan_account(order.product), repaid + unpaid_loan, security=order.security))
    lines += _charged(order, charges)
    due = unpaid_loan if order.policy == Policy.EXACT else unpaid_loan + charges
    lines += _settled(purse, due, to_available, to_unsettled)
    product = order.product.value
    shares = [ShareLine(order.security, product, piece.bucket, -piece.quantity) for piece in pieces]
    return BookedTrade(lines, [*shares, ShareLine(order.security, product, Bucket.OUTSIDE, sold)], charges)


def _credited(pieces: list[Piece], price_paise: int, sell_credit_bps: int) -> tuple[int, int, int]:
    """What the proceeds of these repay of their loans, what is the client's at once, what waits. In paise."""
    repaid = to_available = to_unsettled = 0
    for piece in pieces:
        value = piece.quantity * price_paise
        loan = min(piece.loan, value)
        repaid += loan
        rest = value - loan
        if piece.bucket is Bucket.TODAY:
            at_once = min(rest, piece.cost - piece.loan)
        elif piece.bucket is Bucket.T1:
            at_once = 0
        else:
            at_once = rest * sell_credit_bps // BPS
        to_available += at_once
        to_unsettled += rest - at_once
    return repaid, to_available, to_unsettled


def _settled(purse: Purse, due: int, to_available: int, to_unsettled: int) -> list[Line]:
    """Postings of a sale's credits once what it owes is paid.

    It pays from what it credits now, then from the client's cash, and only then from its proceeds that wait
    for settlement.
    """
    lines: list[Line] = []
    from_cash = min(due, to_available + max(0, purse.available_paise - purse.shortfall_paise))
    from_unsettled = min(due - from_cash, to_unsettled)
    to_available -= from_cash
    to_unsettled -= from_unsettled
    purse.available_paise += to_available
    if due > from_cash + from_unsettled:
        taken, short = purse.take(due - from_cash - from_unsettled)
        to_available -= taken
        if short:
            lines.append(Line(Account.SHORTFALL, -short))
    if to_available:
        lines.append(Line(Account.AVAILABLE, to_available))
    if to_unsettled:
        lines.append(Line(Account.UNSETTLED, to_unsettled))
    return lines


def closed_lots(
    order: WorkingOrder, trade: BrokerTrade, pieces: list[Piece], charges_paise: int, fill_id: int, ids: range
) -> list[ClosedLot]:
    """What a sale closes; its charges are shared out over the pieces by their shares."""
    left, quantity_left = charges_paise, sum(piece.quantity for piece in pieces)
    closed: list[ClosedLot] = []
    for number, piece in zip(ids, pieces, strict=True):
        share = left * piece.quantity // quantity_left
        left, quantity_left = left - share, quantity_left - piece.quantity
        closed.append(
            ClosedLot(
                id=number,
                client_id=order.client_id,
                security=order.security,
                tradingsymbol=order.tradingsymbol,
                product=order.product,
                lot_id=piece.lot.id,
                fill_id=fill_id,
                opened_on=piece.lot.opened_on,
                trading_date=trade.trading_date,
                closed_at=trade.traded_at,
                quantity=piece.quantity,
                cost_paise=piece.cost,
                proceeds_paise=piece.quantity * trade.price_paise,
                charges_paise=piece.charges + share,
                lot_charges_paise=piece.charges,
                loan_paise=piece.loan,
            )
        )
    return closed
