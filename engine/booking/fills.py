"""Booking trades: what a fill does to a client's money, shares and lots, as balanced transfers."""

from typing import Any

from sqlalchemy import select

from brokers.contract import BrokerTrade
from data.columns import table
from data.ledger import Line, ShareLine, Transfer, loan_account
from data.money import BPS, own_share
from data.order_tables import Order
from data.vocabulary import TERMINAL_STATES, Account, Bucket, OrderState, Policy, Side
from engine.booking.lots import Piece, take_lots, trade_order
from engine.booking.needs import charges_for
from engine.booking.states import Flag
from engine.booking.working_set import Books, OrderRow
from engine.events import OrderFilled

_IN_DEMAT = (Bucket.FREE, Bucket.PLEDGED)
"""Shares whose sale debits the demat account; those of today are netted, those on their way pass it by."""


def fill(books: Books, order: OrderRow, trade: BrokerTrade) -> bool:
    """Book one trade, unless it is booked already; gives whether it was."""
    key = (order["client_id"], trade.exchange, trade.trading_date, trade.trade_id, trade.broker_order_id)
    told = (trade.quantity, trade.price_paise)
    if key in books.known_trades:
        if books.known_trades[key] != told:
            books.flag(order, Flag.ANOMALY)  # what is booked stands; a human compares
        return False
    books.known_trades[key] = told
    if OrderState(order["state"]) in TERMINAL_STATES - {OrderState.FILLED}:
        books.flag(order, Flag.LATE_FILL)
    book = _book_buy if order["side"] == Side.BUY.value else book_sell
    fill_id = books.take_id("fill")
    charges = book(books, order, trade, fill_id)
    order["filled_quantity"] += trade.quantity
    order["filled_notional_paise"] += trade.quantity * trade.price_paise
    order["charges_paise"] += charges
    if order["filled_quantity"] > max(order["quantity"], order["asked_quantity"] or 0):
        books.flag(order, Flag.OVERFILL)
    books.touch(order)
    books.netted.add((order["client_id"], order["security"], order["product"], trade.trading_date))
    books.fills.append(_fill_row(books, order, trade, fill_id, charges))
    books.audit(
        "FILL_APPLIED",
        order,
        trade_id=trade.trade_id,
        quantity=trade.quantity,
        price_paise=trade.price_paise,
        charges_paise=charges,
        filled_quantity=order["filled_quantity"],
    )
    books.unit.publish(OrderFilled(order["id"], order["client_id"], trade.quantity, trade.price_paise))
    books.release(order, f"trade:{trade.trade_id}")
    return True


def _book_buy(books: Books, order: OrderRow, trade: BrokerTrade, fill_id: int) -> int:
    cost = trade.quantity * trade.price_paise
    total = order["filled_notional_paise"] + cost
    own = own_share(total, order["margin_bps"]) - order["own_paise"]
    loan = cost - own
    charges = charges_for(order, total) - order["charges_paise"]
    exact = order["policy"] == Policy.EXACT.value
    order["own_paise"] += own
    if trade.price_paise > max(order["reserve_price_paise"], order["asked_reserve_paise"] or 0):
        books.flag(order, Flag.PRICE_BREACH)
    lines = [Line(Account.STOCK_COST, cost, security=order["security"])]
    lines += _pay(books, order, own if exact else own + charges)
    if loan:
        lines.append(Line(loan_account(order["product"]), -loan, security=order["security"]))
    if charges:
        lines.append(Line(Account.CHARGES, charges, order["id"]))
        if exact:
            lines.append(Line(Account.CHARGES_DUE, -charges))
    books.transfers.append(
        Transfer(
            order["client_id"],
            "fill",
            trade.trading_date,
            lines,
            [
                ShareLine(
                    order["security"],
                    order["product"],
                    Bucket.TODAY,
                    trade.quantity,
                    order["exchange"],
                    order["tradingsymbol"],
                ),
                ShareLine(order["security"], order["product"], Bucket.OUTSIDE, -trade.quantity),
            ],
            order["id"],
            f"trade:{trade.trade_id}",
        )
    )
    lot = {
        "id": books.take_id("lot"),
        "client_id": order["client_id"],
        "security": order["security"],
        "product": order["product"],
        "bucket": Bucket.TODAY.value,
        "opened_on": trade.trading_date,
        "quantity": trade.quantity,
        "cost_paise": cost,
        "loan_paise": loan,
        "charges_paise": charges,
        "quantity_left": trade.quantity,
        "cost_left_paise": cost,
        "loan_left_paise": loan,
        "charges_left_paise": charges,
        "fill_id": fill_id,
        "traded_at": trade.traded_at,
        "trade_id": trade.trade_id,
    }
    books.opened.append(lot)
    known = books.lots.get((order["client_id"], order["security"], order["product"]))
    if known is not None:
        known.append(lot)
    return charges


def _pay(books: Books, order: OrderRow, amount: int) -> list[Line]:
    """Postings that pay for a fill: from the order's block, then available, then shortfall."""
    from_block = min(amount, order["blocked_paise"])
    order["blocked_paise"] -= from_block
    lines = [Line(Account.BLOCKED, -from_block, order["id"])] if from_block else []
    if amount > from_block:
        available, short = books.purses[order["client_id"]].take(amount - from_block)
        if available:
            lines.append(Line(Account.AVAILABLE, -available))
        if short:
            lines.append(Line(Account.SHORTFALL, -short))
    return lines


def book_sell(books: Books, order: OrderRow, trade: BrokerTrade, fill_id: int) -> int:
    """Post a sale and close the lots it sold; gives its charges in paise."""
    pieces = _take_lots(books, order, trade)
    proceeds = trade.quantity * trade.price_paise
    sold = sum(piece.quantity for piece in pieces)
    cost = sum(piece.cost for piece in pieces)
    if not order["demat_sale"] and any(piece.bucket in _IN_DEMAT for piece in pieces):
        order["demat_sale"] = not _demat_fee_paid(books, order)
    total = order["filled_notional_paise"] + proceeds
    charges = charges_for(order, total) - order["charges_paise"]
    purse = books.purses[order["client_id"]]
    repaid = to_available = to_unsettled = 0
    for piece in pieces:
        value = piece.quantity * trade.price_paise
        loan = min(piece.loan, value)
        repaid += loan
        rest = value - loan
        if piece.bucket is Bucket.TODAY:
            at_once = min(rest, piece.cost - piece.loan)
        elif piece.bucket is Bucket.T1:
            at_once = 0
        else:
            at_once = rest * books.sell_credit_bps // BPS
        to_available += at_once
        to_unsettled += rest - at_once
    unpaid_loan = sum(piece.loan for piece in pieces) - repaid
    lines = [
        Line(Account.STOCK_COST, -cost, security=order["security"]),
        Line(Account.REALISED, cost - sold * trade.price_paise, security=order["security"]),
    ]
    if sold < trade.quantity:
        unexplained = proceeds - sold * trade.price_paise
        lines.append(Line(Account.EXTERNAL, -unexplained, order["id"], order["security"]))
        to_unsettled += unexplained
    exact = order["policy"] == Policy.EXACT.value
    if repaid or unpaid_loan:
        lines.append(Line(loan_account(order["product"]), repaid + unpaid_loan, security=order["security"]))
    due = unpaid_loan
    if charges:
        lines.append(Line(Account.CHARGES, charges, order["id"]))
        if exact:
            lines.append(Line(Account.CHARGES_DUE, -charges))
        else:
            due += charges
    # A sale pays what it owes from what it credits now, then from the client's cash, and only then from
    # its proceeds that wait for settlement.
    from_cash = min(due, to_available + max(0, purse.available - purse.shortfall))
    from_unsettled = min(due - from_cash, to_unsettled)
    to_available -= from_cash
    to_unsettled -= from_unsettled
    purse.available += to_available
    if due > from_cash + from_unsettled:
        taken, short = purse.take(due - from_cash - from_unsettled)
        to_available -= taken
        if short:
            lines.append(Line(Account.SHORTFALL, -short))
    if to_available:
        lines.append(Line(Account.AVAILABLE, to_available))
    if to_unsettled:
        lines.append(Line(Account.UNSETTLED, to_unsettled))
    books.transfers.append(
        Transfer(
            order["client_id"],
            books.fill_kind,
            trade.trading_date,
            lines,
            [
                *(
                    ShareLine(order["security"], order["product"], piece.bucket, -piece.quantity)
                    for piece in pieces
                ),
                ShareLine(order["security"], order["product"], Bucket.OUTSIDE, sold),
            ],
            order["id"],
            f"trade:{trade.trade_id}",
        )
    )
    _close_lots(books, order, trade, fill_id, pieces, charges)
    return charges


def _demat_fee_paid(books: Books, order: OrderRow) -> bool:
    """Whether another order of the day pays the depository's fee, due once a security and day."""
    same = {name: order[name] for name in ("client_id", "security", "trading_date")}
    for other in books.orders.values():
        if other["demat_sale"] and same.items() <= other.items():
            return True
    orders = table(Order)
    found = books.unit.connection.execute(
        select(orders.c.id).where(
            *(orders.c[name] == value for name, value in same.items()),
            orders.c.demat_sale,
            orders.c.id.not_in(books.orders),
        )
    ).first()
    return found is not None


def _take_lots(books: Books, order: OrderRow, trade: BrokerTrade) -> list[Piece]:
    """Take a sale from the lots of its client.

    A broker may sell more than our books hold, when shares came by another way; the pieces then fall
    short of the trade and the order is flagged for a human.
    """
    lots = books.lots[order["client_id"], order["security"], order["product"]]
    pieces = take_lots(lots, trade.quantity, trade_order(trade.traded_at, trade.trade_id))
    books.changed_lots.update((piece.lot["id"], piece.lot) for piece in pieces)
    if sum(piece.quantity for piece in pieces) < trade.quantity:
        books.flag(order, Flag.NEEDS_HUMAN)
    return pieces


def _close_lots(
    books: Books, order: OrderRow, trade: BrokerTrade, fill_id: int, pieces: list[Piece], charges: int
) -> None:
    """Write what a sale closed; its charges are shared out over the pieces by their shares."""
    left, quantity_left = charges, sum(piece.quantity for piece in pieces)
    for number, piece in zip(books.unit.take_ids("closed_lot", len(pieces)), pieces, strict=True):
        share = left * piece.quantity // quantity_left
        left, quantity_left = left - share, quantity_left - piece.quantity
        books.sold.append(
            {
                "id": number,
                "client_id": order["client_id"],
                "security": order["security"],
                "tradingsymbol": order["tradingsymbol"],
                "product": order["product"],
                "lot_id": piece.lot["id"],
                "fill_id": fill_id,
                "opened_on": piece.lot["opened_on"],
                "trading_date": trade.trading_date,
                "closed_at": trade.traded_at,
                "quantity": piece.quantity,
                "cost_paise": piece.cost,
                "proceeds_paise": piece.quantity * trade.price_paise,
                "charges_paise": piece.charges + share,
                "lot_charges_paise": piece.charges,
                "loan_paise": piece.loan,
            }
        )


def correct_charges(books: Books, order: OrderRow, trade: BrokerTrade, more_paise: int) -> None:
    """Write a fill of no shares that corrects the charges of a booked one."""
    fill_id = books.take_id("fill")
    row = _fill_row(books, order, trade, fill_id, more_paise)
    name = f"{trade.trade_id}:charges:{fill_id}"
    books.fills.append({**row, "trade_id": name, "quantity": 0, "price_paise": 0})


def _fill_row(
    books: Books, order: OrderRow, trade: BrokerTrade, fill_id: int, charges_paise: int
) -> dict[str, Any]:
    return {
        "id": fill_id,
        "client_id": order["client_id"],
        "order_id": order["id"],
        "exchange": trade.exchange,
        "trading_date": trade.trading_date,
        "trade_id": trade.trade_id,
        "broker_order_id": trade.broker_order_id,
        "quantity": trade.quantity,
        "price_paise": trade.price_paise,
        "charges_paise": charges_paise,
        "traded_at": trade.traded_at,
        "booked_at": books.unit.now,
    }
