"""The shares that a client held before the desk knew of it, as lots of their own."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from data.errors import BadInput
from data.ledger import Line, ShareLine, Transfer
from data.reference.instruments import Instrument
from data.reference.phases import LONGEST_SETTLEMENT, Calendar
from data.repositories.accounts.clients import OpenedLot, add_lots
from data.store import Unit
from data.vocabulary import Account, Bucket, Product, TransferKind

KEPT_OVERNIGHT = (Product.CNC, Product.MTF)


class OpeningLot(Struct, frozen=True):
    """Shares bought together on a day before; of their cost `loan_paise` is lent (MTF). Money in paise."""

    instrument: Instrument
    quantity: int
    cost_paise: int
    bought_on: date
    product: Product = Product.CNC
    loan_paise: int = 0


def check_lot(lot: OpeningLot, day: date) -> None:
    """Raise `BadInput` for a lot that nobody can hold as `day` opens."""
    if lot.quantity < 1:
        raise BadInput("quantity", lot.quantity, "give 1 share or more")
    if lot.product not in KEPT_OVERNIGHT:
        raise BadInput("product", lot.product, f"give one of {', '.join(KEPT_OVERNIGHT)}")
    lent_most = lot.cost_paise if lot.product is Product.MTF else 0
    if not 0 <= lot.loan_paise <= lent_most:
        raise BadInput("loan", lot.loan_paise, f"give 0 to {lent_most} paise")
    if lot.cost_paise < 0:
        raise BadInput("cost", lot.cost_paise, "give what they cost in paise, 0 for a gift")
    if lot.bought_on >= day:
        raise BadInput(
            "bought_on", lot.bought_on, f"give a day before {day}: that day's fills come from the broker"
        )


def open_shares(
    unit: Unit, owned: Sequence[tuple[int, OpeningLot]], day: date, calendar: Calendar
) -> list[Transfer]:
    """Write the lots of clients that are added, each under its client's id; returns the transfers to post.

    Shares whose purchase has not settled by the opening of `day` are T1. Raises `BadInput`.
    """
    transfers: list[Transfer] = []
    lots: list[OpenedLot] = []
    for lot_id, (client_id, lot) in zip(unit.take_ids("lot", len(owned)), owned, strict=True):
        check_lot(lot, day)
        bucket = _bucket(lot.bought_on, day, calendar)
        security, product = lot.instrument.security, lot.product.value
        lots.append(
            OpenedLot(
                id=lot_id,
                client_id=client_id,
                security=security,
                product=product,
                bucket=bucket.value,
                opened_on=lot.bought_on,
                quantity=lot.quantity,
                cost_paise=lot.cost_paise,
                loan_paise=lot.loan_paise,
                charges_paise=0,
                quantity_left=lot.quantity,
                cost_left_paise=lot.cost_paise,
                loan_left_paise=lot.loan_paise,
                charges_left_paise=0,
            )
        )
        lines = [
            Line(Account.STOCK_COST, lot.cost_paise, security=security),
            Line(Account.MTF_LOAN, -lot.loan_paise, security=security),
            Line(Account.EXTERNAL, lot.loan_paise - lot.cost_paise),
        ]
        listing = lot.instrument.exchange, lot.instrument.tradingsymbol
        shares = [
            ShareLine(security, product, bucket, lot.quantity, *listing),
            ShareLine(security, product, Bucket.OUTSIDE, -lot.quantity),
        ]
        told = [line for line in lines if line.amount_paise]
        transfers.append(
            Transfer(
                client_id, TransferKind.OPENING, day, told, shares, evidence=f"import: bought {lot.bought_on}"
            )
        )
    add_lots(unit, lots)
    return transfers


def _bucket(bought_on: date, day: date, calendar: Calendar) -> Bucket:
    if day - bought_on > LONGEST_SETTLEMENT:  # the calendar of settlements need not reach so far back
        return Bucket.FREE
    return Bucket.FREE if calendar.settlement_day(bought_on) < day else Bucket.T1
