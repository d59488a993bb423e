"""Re-deriving closed lots, and so realised profit, from the fills that closed them, in booking order."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from data.money import ceil_div
from data.tables.books import SharePosting, Txn
from data.tables.columns import table
from data.tables.lots import ClosedLotRecord, LotRecord
from data.tables.orders import FillRecord, Order
from data.vocabulary import Side, TransferKind

ADOPTED = tuple(
    kind.value
    for kind in (TransferKind.DAY_OPEN, TransferKind.ADOPT, TransferKind.CONVERT, TransferKind.ACTION)
)
"""Kinds of transfers that shrink lots without a fill: the broker's figures, another product, an action."""

_Row = Mapping[Any, Any]


def closed_lot_differences(connection: Connection) -> Iterable[str]:
    """Every way in which closed lots do not follow from fills and lots, in words."""
    lots = {row["id"]: row for row in connection.execute(select(table(LotRecord))).mappings()}
    closed = (
        connection.execute(select(table(ClosedLotRecord)).order_by(table(ClosedLotRecord).c.id))
        .mappings()
        .all()
    )
    yield from _against_fills(connection, closed)
    yield from _against_lots(connection, closed, lots)


def _against_fills(connection: Connection, closed: Iterable[_Row]) -> Iterable[str]:
    """Each round trip against the sale that made it: shares, price, day, and its charges shared out."""
    orders, fills = table(Order), table(FillRecord)
    sales = {
        row["id"]: dict(row)
        for row in connection.execute(
            select(
                fills,
                *(orders.c[name] for name in ("security", "product", "tradingsymbol", "flags")),
            )
            .join(orders, orders.c.id == fills.c.order_id)
            .where(orders.c.side == Side.SELL.value)
        ).mappings()
    }
    first = {(sale["order_id"], sale["trade_id"]): sale for sale in sales.values() if sale["quantity"]}
    for sale in sales.values():
        if not sale["quantity"]:  # a later correction of the charges of a fill
            corrected = first[sale["order_id"], sale["trade_id"].partition(":")[0]]
            corrected["charges_paise"] += sale["charges_paise"]
    totals: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in closed:
        sale = sales.get(row["fill_id"])
        if sale is None:
            yield f"closed lot {row['id']} is of no sale"
            continue
        totals[row["fill_id"]][0] += row["quantity"]
        totals[row["fill_id"]][1] += row["charges_paise"] - row["lot_charges_paise"]
        told = {
            "client_id": sale["client_id"],
            "security": sale["security"],
            "product": sale["product"],
            "tradingsymbol": sale["tradingsymbol"],
            "trading_date": sale["trading_date"],
            "closed_at": sale["traded_at"],
            "proceeds_paise": row["quantity"] * sale["price_paise"],
        }
        yield from _unlike(row, told, f"fill {row['fill_id']} gives")
    for fill_id, sale in sales.items():
        quantity, charges = totals[fill_id]
        lacking = "NEEDS_HUMAN" in sale["flags"].split() and quantity < sale["quantity"]
        if sale["quantity"] and quantity != sale["quantity"] and not lacking:
            yield f"fill {fill_id} sold {sale['quantity']}, its closed lots are {quantity}"
        elif quantity and charges != sale["charges_paise"]:
            yield f"fill {fill_id} was charged {sale['charges_paise']} paise, its closed lots {charges}"


def _against_lots(connection: Connection, closed: Iterable[_Row], lots: Mapping[int, _Row]) -> Iterable[str]:
    """Each lot sold again in the order of booking: what every sale took of its cost, charges and loan."""
    adopted, lent_anew = _adopted(connection)
    left = {number: dict(lot) for number, lot in lots.items()}
    for lot in left.values():
        lot["quantity_left"] = lot["quantity"]
        for name in ("cost", "charges", "loan"):
            lot[f"{name}_left_paise"] = lot[f"{name}_paise"]
    taken: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    names = ("quantity", "cost_paise", "lot_charges_paise", "loan_paise")
    for row in closed:
        lot = left.get(row["lot_id"])
        if lot is None:
            yield f"closed lot {row['id']} is of no lot"
            continue
        key = (lot["client_id"], lot["security"], lot["product"])
        told: dict[str, Any] = {"client_id": key[0], "security": key[1], "product": key[2]}
        told["opened_on"] = lot["opened_on"]
        if key not in adopted and lot["quantity_left"] > 0 and row["quantity"] > 0:
            part, whole = row["quantity"], lot["quantity_left"]
            told["cost_paise"] = lot["cost_left_paise"] * part // whole
            told["lot_charges_paise"] = lot["charges_left_paise"] * part // whole
            if key[0] not in lent_anew:
                told["loan_paise"] = ceil_div(lot["loan_left_paise"] * part, whole)
        elif row["quantity"] < 0:  # taken back, to be booked again in the market's order
            told.update(zip(names, (-value for value in taken[row["fill_id"], row["lot_id"]]), strict=True))
        yield from _unlike(row, told, f"lot {row['lot_id']} gives")
        for place, name in enumerate(names):
            taken[row["fill_id"], row["lot_id"]][place] += row[name]
        lot["quantity_left"] -= row["quantity"]
        lot["cost_left_paise"] -= row["cost_paise"]
        lot["charges_left_paise"] -= row["lot_charges_paise"]
        lot["loan_left_paise"] -= row["loan_paise"]
    for number, lot in left.items():
        if (lot["client_id"], lot["security"], lot["product"]) in adopted:
            continue
        for name in ("quantity_left", "cost_left_paise", "charges_left_paise", "loan_left_paise"):
            lent = name.startswith("loan") and lot["client_id"] in lent_anew
            if lot[name] != lots[number][name] and not lent:
                yield f"lot {number}: {name} is {lots[number][name]}, its sales leave {lot[name]}"


def _adopted(connection: Connection) -> tuple[set[tuple[int, str, str]], set[int]]:
    """Whose lots of which security an adoption changed, and whose loans it may have shared out anew."""
    txns, shares = table(Txn), table(SharePosting)
    moved = connection.execute(
        select(shares.c.client_id, shares.c.security, shares.c.product)
        .join(txns, txns.c.id == shares.c.txn_id)
        .where(txns.c.kind.in_(ADOPTED))
        .distinct()
    )
    anew = connection.execute(select(txns.c.client_id).where(txns.c.kind.in_(ADOPTED)).distinct())
    return {(row[0], row[1], row[2]) for row in moved}, set(anew.scalars())


def _unlike(row: _Row, told: Mapping[str, Any], source: str) -> Iterable[str]:
    for name, value in told.items():
        if row[name] != value:
            yield f"closed lot {row['id']}: {name} is {row[name]}, {source} {value}"
