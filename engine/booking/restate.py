"""Sales booked before an earlier trade or conversion of these shares was known, in the market's order again.

The exchange nets a day's trades in the order in which they were made, whatever the order in which we hear
of them. Corrections are contra transfers; nothing that was posted is changed.
"""

from collections import defaultdict
from collections.abc import Collection, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeAlias

from brokers.contract import BrokerTrade
from data.audit import AuditAction
from data.ledger import Line, ShareLine, Transfer
from data.repositories.accounts.balances import posted
from data.repositories.trading.fills import Closed, closed_by, taken
from data.repositories.trading.orders import sold
from data.store import Unit
from data.vocabulary import Account, Product, Side, TransferKind
from engine.booking.fills import Fill
from engine.booking.lots import ClosedLot, Lot, sale_order, trade_order
from engine.booking.order import WorkingOrder
from engine.booking.stored import FILLS, LOTS
from engine.booking.working_set import NettedKey, WorkingSet

Pieces: TypeAlias = dict[tuple[int, int], int]
"""Shares by fill and lot."""


def restate_sales(unit: Unit, keys: Collection[NettedKey], actor: str, sell_credit_bps: int) -> None:
    """Book again the sales of a day that took other lots than the market's order of the trades gives."""
    for key in _with_sales(unit, keys):
        sales = _in_time(FILLS.sales(unit, *key))
        standing = taken(unit, [sale.id for sale in sales])
        if in_market_order(LOTS.of_share(unit, *key[:3]), sales, standing) == standing:
            continue
        books = WorkingSet(unit, actor, sell_credit_bps, fill_kind=TransferKind.REBOOK)
        books.load({sale.order_id for sale in sales})
        for sale in sales:
            _take_back(books, sale)
        for sale in sales:
            _book_again(books, sale)
        books.flush()


@contextmanager
def with_sales_behind(
    unit: Unit, key: NettedKey, since: datetime, actor: str, sell_credit_bps: int
) -> Generator[WorkingSet]:
    """Have lots taken out of as they stood at a moment of the market: sales from then on come behind that.

    What is yielded has the share's lots and its client's purse, and writes whatever is added to it.
    """
    sales = _in_time(FILLS.sales(unit, *key))
    before = sum(sale.traded_at < since for sale in sales)
    if before == len(sales):
        before, sales = 0, list[Fill]()
    books = WorkingSet(unit, actor, sell_credit_bps, fill_kind=TransferKind.REBOOK)
    books.load({sale.order_id for sale in sales})
    books.load_share(key[:3])
    for sale in sales:
        _take_back(books, sale)
    for sale in sales[:before]:
        _book_again(books, sale)
    yield books
    for sale in sales[before:]:
        _book_again(books, sale)
    books.flush()


def _with_sales(unit: Unit, keys: Collection[NettedKey]) -> list[NettedKey]:
    """Those keys of which something was sold on their day."""
    if not keys:
        return []
    found = sold(unit, {key[0] for key in keys}, {key[3] for key in keys})
    return sorted(key for key in keys if key in found)


def _in_time(fills: list[Fill]) -> list[Fill]:
    """Sales in the market's order, their charges with the later corrections of each."""
    found: dict[tuple[int, str], Fill] = {}
    for fill in fills:
        trade_id = fill.trade_id.partition(":")[0]
        if fill.quantity:
            found[fill.order_id, trade_id] = fill
        else:
            found[fill.order_id, trade_id].charges_paise += fill.charges_paise
    return sorted(found.values(), key=lambda sale: trade_order(sale.traded_at, sale.trade_id))


def in_market_order(lots: list[Lot], sales: list[Fill], standing: Pieces) -> Pieces:
    """What each sale takes from which lot when all trades of the day are known.

    `standing` is what they have taken so far, which they give back first.
    """
    given: dict[int, int] = defaultdict(int)
    for (_, lot_id), quantity in standing.items():
        given[lot_id] += quantity
    left = {lot.id: lot.quantity_left + given[lot.id] for lot in lots}
    pieces: Pieces = {}
    for sale in sales:
        at = trade_order(sale.traded_at, sale.trade_id)
        wanted = sale.quantity
        for lot in sorted(lots, key=lambda lot, at=at: sale_order(lot, at)):
            part = min(wanted, left[lot.id])
            if part > 0:
                pieces[sale.id, lot.id] = part
                left[lot.id] -= part
                wanted -= part
    return pieces


def _take_back(books: WorkingSet, sale: Fill) -> None:
    """Post a sale's contra transfer, and give its shares, costs and loans back to the lots."""
    order, evidence = books.orders[sale.order_id], f"trade:{sale.trade_id}"
    lines, shares = posted(books.unit, order.id, evidence, (TransferKind.FILL, TransferKind.REBOOK))
    contra = [Line(line.account, -line.amount_paise, line.order_id, line.security) for line in lines]
    back = [ShareLine(one.security, one.product, one.bucket, -one.quantity) for one in shares]
    purse = books.purses[order.client_id]
    for line in contra:
        if line.account is Account.AVAILABLE:
            purse.available_paise += line.amount_paise
        elif line.account is Account.SHORTFALL:
            purse.shortfall_paise -= line.amount_paise
    books.transfers.append(
        Transfer(order.client_id, TransferKind.REBOOK, sale.trading_date, contra, back, order.id, evidence)
    )
    _restore_lots(books, order, sale)
    order.count(-sale.quantity, sale.price_paise, -sale.charges_paise)
    order.demat_sale = False


def _restore_lots(books: WorkingSet, order: WorkingOrder, sale: Fill) -> None:
    closed = closed_by(books.unit, sale.id)
    lots = books.lots[order.share]
    known = {lot.id: lot for lot in lots}
    sold_out = LOTS.by_id(books.unit, {one.lot_id for one in closed} - known.keys())
    lots += sold_out
    known |= {lot.id: lot for lot in sold_out}
    for number, one in zip(books.unit.take_ids("closed_lot", len(closed)), closed, strict=True):
        lot = known[one.lot_id]
        lot.put_back(one.quantity, one.cost_paise, one.loan_paise, one.lot_charges_paise)
        books.changed_lots[lot.id] = lot
        books.closed.append(_contra(order, sale, one, number))


def _contra(order: WorkingOrder, sale: Fill, closed: Closed, number: int) -> ClosedLot:
    return ClosedLot(
        id=number,
        client_id=order.client_id,
        security=order.security,
        tradingsymbol=order.tradingsymbol,
        product=order.product,
        lot_id=closed.lot_id,
        fill_id=sale.id,
        opened_on=closed.opened_on,
        trading_date=sale.trading_date,
        closed_at=sale.traded_at,
        quantity=-closed.quantity,
        cost_paise=-closed.cost_paise,
        proceeds_paise=-closed.proceeds_paise,
        charges_paise=-closed.charges_paise,
        lot_charges_paise=-closed.lot_charges_paise,
        loan_paise=-closed.loan_paise,
    )


def _book_again(books: WorkingSet, sale: Fill) -> None:
    """Book a sale that was taken back; charges that differ now are a row of their own."""
    order = books.orders[sale.order_id]
    trade = BrokerTrade(
        trade_id=sale.trade_id,
        broker_order_id=sale.broker_order_id,
        user_id="",
        exchange=sale.exchange,
        tradingsymbol=order.tradingsymbol,
        side=Side.SELL,
        product=Product(order.product),
        quantity=sale.quantity,
        price_paise=sale.price_paise,
        trading_date=sale.trading_date,
        traded_at=sale.traded_at,
    )
    charges = books.sell(order, trade, sale.id)
    if charges != sale.charges_paise:
        books.correct_charges(order, trade, charges - sale.charges_paise)
    books.audit(AuditAction.FILL_REBOOKED, order, trade_id=trade.trade_id, charges_paise=charges)
