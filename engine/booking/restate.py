"""Sales booked before an earlier trade of the same shares was known, booked again in the market's order.

The exchange nets a day's trades in the order in which they were made, whatever the order in which we hear
of them. Corrections are contra transfers; nothing that was posted is changed.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select

from brokers.contract import BrokerTrade
from data.columns import table
from data.ledger import Line, ShareLine, Transfer
from data.order_tables import Fill, Order
from data.store import Unit, chunks
from data.tables import ClosedLot, Lot, Posting, SharePosting, Txn
from data.vocabulary import Account, Bucket, Product, Side
from engine.booking.fills import book_sell, correct_charges
from engine.booking.lots import NettedKey, sale_order, stored_lots, trade_order
from engine.booking.working_set import Books

REBOOKED = "rebook"
"""The kind of the transfers that take a sale back and book it again."""

FillRow = dict[str, Any]


def rebook_sales(unit: Unit, keys: Collection[NettedKey], actor: str, sell_credit_bps: int) -> None:
    """Book again the sales of a day that took other lots than the market's order of the trades gives."""
    for key in _with_sales(unit, keys):
        sales = _sales(unit, key)
        if _in_market_order(unit, key, sales) == _taken(unit, sales):
            continue
        books = Books(unit, actor, sell_credit_bps, fill_kind=REBOOKED)
        books.load({sale["order_id"] for sale in sales})
        for sale in sales:
            _take_back(books, sale)
        for sale in sales:
            _book_again(books, sale)
        books.flush()


def _with_sales(unit: Unit, keys: Collection[NettedKey]) -> list[NettedKey]:
    """Those keys of which something was sold on their day."""
    if not keys:
        return []
    orders = table(Order)
    sold: set[NettedKey] = set()
    for ids in chunks({key[0] for key in keys}):
        for row in unit.connection.execute(
            select(orders.c.client_id, orders.c.security, orders.c.product, orders.c.trading_date)
            .where(
                orders.c.client_id.in_(ids),
                orders.c.trading_date.in_({key[3] for key in keys}),
                orders.c.side == Side.SELL.value,
                orders.c.filled_quantity > 0,
            )
            .distinct()
        ):
            sold.add((row[0], row[1], row[2], row[3]))
    return sorted(sold & set(keys))


def _sales(unit: Unit, key: NettedKey) -> list[FillRow]:
    """The day's sales of a key in the market's order; `charges_paise` with later corrections."""
    orders, fills = table(Order), table(Fill)
    found: dict[tuple[int, str], FillRow] = {}
    for row in unit.connection.execute(
        select(fills)
        .join(orders, orders.c.id == fills.c.order_id)
        .where(
            orders.c.client_id == key[0],
            orders.c.security == key[1],
            orders.c.product == key[2],
            orders.c.side == Side.SELL.value,
            fills.c.trading_date == key[3],
        )
        .order_by(fills.c.id)
    ).mappings():
        trade_id = row["trade_id"].partition(":")[0]
        if row["quantity"]:
            found[row["order_id"], trade_id] = dict(row)
        else:
            found[row["order_id"], trade_id]["charges_paise"] += row["charges_paise"]
    return sorted(found.values(), key=lambda sale: trade_order(sale["traded_at"], sale["trade_id"]))


Pieces = dict[tuple[int, int], int]
"""Shares by fill and lot."""


def _taken(unit: Unit, sales: list[FillRow]) -> Pieces:
    closed = table(ClosedLot)
    return {
        (row[0], row[1]): int(row[2])
        for row in unit.connection.execute(
            select(closed.c.fill_id, closed.c.lot_id, func.sum(closed.c.quantity))
            .where(closed.c.fill_id.in_([sale["id"] for sale in sales]))
            .group_by(closed.c.fill_id, closed.c.lot_id)
            .having(func.sum(closed.c.quantity) != 0)
        )
    }


def _in_market_order(unit: Unit, key: NettedKey, sales: list[FillRow]) -> Pieces:
    """What each sale takes from which lot when all trades of the day are known."""
    lots = table(Lot)
    given: dict[int, int] = defaultdict(int)
    for (_, lot_id), quantity in _taken(unit, sales).items():
        given[lot_id] += quantity
    rows = [
        dict(row)
        for row in unit.connection.execute(
            stored_lots().where(
                lots.c.client_id == key[0], lots.c.security == key[1], lots.c.product == key[2]
            )
        ).mappings()
    ]
    left = {row["id"]: row["quantity_left"] + given[row["id"]] for row in rows}
    pieces: Pieces = {}
    for sale in sales:
        at = trade_order(sale["traded_at"], sale["trade_id"])
        wanted = sale["quantity"]
        for row in sorted(rows, key=lambda row, at=at: sale_order(row, at)):
            part = min(wanted, left[row["id"]])
            if part > 0:
                pieces[sale["id"], row["id"]] = part
                left[row["id"]] -= part
                wanted -= part
    return pieces


def _take_back(books: Books, sale: FillRow) -> None:
    """Post a sale's contra transfer, and give its shares, costs and loans back to the lots."""
    unit, order = books.unit, books.orders[sale["order_id"]]
    txns, postings, shares = table(Txn), table(Posting), table(SharePosting)
    mine = (
        txns.c.order_id == order["id"],
        txns.c.kind.in_(("fill", REBOOKED)),
        txns.c.evidence == f"trade:{sale['trade_id']}",
    )
    lines = [
        Line(Account(row.account), -int(row.amount), row.order_id, row.security)
        for row in unit.connection.execute(
            select(
                postings.c.account,
                postings.c.order_id,
                postings.c.security,
                func.sum(postings.c.amount_paise).label("amount"),
            )
            .join(txns, txns.c.id == postings.c.txn_id)
            .where(*mine)
            .group_by(postings.c.account, postings.c.order_id, postings.c.security)
            .having(func.sum(postings.c.amount_paise) != 0)
        )
    ]
    moved = [
        ShareLine(row.security, row.product, Bucket(row.bucket), -int(row.quantity))
        for row in unit.connection.execute(
            select(
                shares.c.security,
                shares.c.product,
                shares.c.bucket,
                func.sum(shares.c.quantity).label("quantity"),
            )
            .join(txns, txns.c.id == shares.c.txn_id)
            .where(*mine)
            .group_by(shares.c.security, shares.c.product, shares.c.bucket)
            .having(func.sum(shares.c.quantity) != 0)
        )
    ]
    purse = books.purses[order["client_id"]]
    for line in lines:
        if line.account is Account.AVAILABLE:
            purse.available += line.amount_paise
        elif line.account is Account.SHORTFALL:
            purse.shortfall -= line.amount_paise
    evidence = f"trade:{sale['trade_id']}"
    books.transfers.append(
        Transfer(order["client_id"], REBOOKED, sale["trading_date"], lines, moved, order["id"], evidence)
    )
    _restore_lots(books, sale)
    order["filled_quantity"] -= sale["quantity"]
    order["filled_notional_paise"] -= sale["quantity"] * sale["price_paise"]
    order["charges_paise"] -= sale["charges_paise"]
    order["demat_sale"] = False


def _restore_lots(books: Books, sale: FillRow) -> None:
    unit, order = books.unit, books.orders[sale["order_id"]]
    closed, lots = table(ClosedLot), table(Lot)
    key = (order["client_id"], order["security"], order["product"])
    sums = ("quantity", "cost_paise", "proceeds_paise", "charges_paise", "lot_charges_paise", "loan_paise")
    rows = unit.connection.execute(
        select(closed.c.lot_id, closed.c.opened_on, *(func.sum(closed.c[name]).label(name) for name in sums))
        .where(closed.c.fill_id == sale["id"])
        .group_by(closed.c.lot_id, closed.c.opened_on)
        .having(func.sum(closed.c.quantity) != 0)
    ).mappings()
    known = {lot["id"]: lot for lot in books.lots[key]}
    contra: list[dict[str, Any]] = []
    for row in rows:
        lot = known.get(row["lot_id"])
        if lot is None:  # it was sold out
            found = unit.connection.execute(stored_lots().where(lots.c.id == row["lot_id"])).mappings()
            lot = known[row["lot_id"]] = dict(found.one())
            books.lots[key].append(lot)
        lot["quantity_left"] += int(row["quantity"])
        lot["cost_left_paise"] += int(row["cost_paise"])
        lot["loan_left_paise"] += int(row["loan_paise"])
        lot["charges_left_paise"] += int(row["lot_charges_paise"])
        books.changed_lots[lot["id"]] = lot
        contra.append(
            {
                "client_id": key[0],
                "security": key[1],
                "tradingsymbol": order["tradingsymbol"],
                "product": key[2],
                "lot_id": row["lot_id"],
                "fill_id": sale["id"],
                "opened_on": row["opened_on"],
                "trading_date": sale["trading_date"],
                "closed_at": sale["traded_at"],
                **{name: -int(row[name]) for name in sums},
            }
        )
    numbered = zip(unit.take_ids("closed_lot", len(contra)), contra, strict=True)
    books.sold += [{"id": number, **row} for number, row in numbered]


def _book_again(books: Books, sale: FillRow) -> None:
    """Book a sale that was taken back; charges that differ now are a row of their own."""
    order = books.orders[sale["order_id"]]
    trade = BrokerTrade(
        trade_id=sale["trade_id"],
        broker_order_id=sale["broker_order_id"],
        user_id="",
        exchange=sale["exchange"],
        tradingsymbol=order["tradingsymbol"],
        side=Side.SELL,
        product=Product(order["product"]),
        quantity=sale["quantity"],
        price_paise=sale["price_paise"],
        trading_date=sale["trading_date"],
        traded_at=sale["traded_at"],
    )
    charges = book_sell(books, order, trade, sale["id"])
    order["filled_quantity"] += trade.quantity
    order["filled_notional_paise"] += trade.quantity * trade.price_paise
    order["charges_paise"] += charges
    books.touch(order)
    if charges != sale["charges_paise"]:
        correct_charges(books, order, trade, charges - sale["charges_paise"])
    books.audit("FILL_REBOOKED", order, trade_id=trade.trade_id, charges_paise=charges)
