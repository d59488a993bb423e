"""Lots: the shares of one purchase, in the order in which sales take them.

The exchange nets a day's trades in the order in which they were made, so that what a sale takes depends on
when it was made and not on when we hear of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select

from data.columns import table
from data.money import ceil_div
from data.order_tables import Fill
from data.tables import Lot
from data.vocabulary import Bucket

SELL_ORDER = (Bucket.TODAY.value, Bucket.FREE.value, Bucket.T1.value, Bucket.PLEDGED.value)
"""Today's shares are sold first, since the exchange nets the day, then settled ones, then those of T1."""

NettedKey = tuple[int, str, str, date]
"""Client, security, product and trading date: the trades that the exchange nets with each other."""

TradePlace = tuple[datetime, int, str]
"""Where a trade stands in the market's order."""

LotRow = dict[str, Any]
"""A row of the lots table with the time and the number of the trade that bought it; None for other lots."""


def stored_lots() -> Select[Any]:
    """The query of lots as `LotRow`s; which and in what order is the caller's to add."""
    lots, fills = table(Lot), table(Fill)
    return select(lots, fills.c.traded_at, fills.c.trade_id).outerjoin(fills, fills.c.id == lots.c.fill_id)


def trade_order(traded_at: datetime, trade_id: str) -> TradePlace:
    """The market's order of trades: by time, then by the exchange's number."""
    return traded_at, int(trade_id) if trade_id.isdigit() else 0, trade_id


def sale_order(lot: Mapping[str, Any], at: TradePlace) -> tuple[Any, ...]:
    """The order in which a sale made `at` takes lots, as the key of a sort.

    Shares bought later than the sale come last: its own were others, of which we have not heard yet.
    """
    return _bought_after(lot, at), SELL_ORDER.index(lot["bucket"]), lot["opened_on"], _lot_order(lot)


def _bought_after(lot: Mapping[str, Any], at: TradePlace) -> bool:
    """Whether a lot of the day was bought after a trade."""
    if lot["bucket"] != Bucket.TODAY.value or lot["traded_at"] is None:
        return False
    return trade_order(lot["traded_at"], lot["trade_id"]) > at


def _lot_order(lot: Mapping[str, Any]) -> tuple[Any, ...]:
    """The order in which shares of one day and bucket are sold: as they were bought."""
    if lot["traded_at"] is None:
        return (0, lot["id"])
    return (1, *trade_order(lot["traded_at"], lot["trade_id"]))


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a lot that one fill sold; money in paise."""

    lot: LotRow
    quantity: int
    cost: int
    loan: int
    charges: int
    bucket: Bucket


def take_lots(lots: list[LotRow], quantity: int, at: TradePlace) -> list[Piece]:
    """Take a sale of `quantity` shares made `at` from lots, which are sorted and reduced in place.

    The pieces fall short of the quantity where the lots do.
    """
    lots.sort(key=lambda lot: sale_order(lot, at))
    pieces: list[Piece] = []
    for lot in lots:
        left = lot["quantity_left"]
        part = min(quantity, left)
        if part <= 0:
            continue
        piece = Piece(
            lot=lot,
            quantity=part,
            cost=lot["cost_left_paise"] * part // left,
            loan=ceil_div(lot["loan_left_paise"] * part, left),
            charges=lot["charges_left_paise"] * part // left,
            bucket=Bucket(lot["bucket"]),
        )
        lot["quantity_left"] -= part
        lot["cost_left_paise"] -= piece.cost
        lot["loan_left_paise"] -= piece.loan
        lot["charges_left_paise"] -= piece.charges
        pieces.append(piece)
        quantity -= part
    return pieces
