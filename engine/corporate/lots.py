"""What an action does to lots, purely but for the lots themselves; their total cost never changes.

A split and a merger go through the lots as they were bought, so that parts of shares are lost once at the
end and not in every lot. What was not entitled is not handed in.
"""

from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction

from msgspec import Struct

from data.vocabulary import Bucket, Product
from engine.booking.lots import Lot


class LotPart(Struct, frozen=True):
    """What went from one lot into another (`made`), in shares and paise.

    The lot `gave` shares and has `left` so many; 0 is no lot: bonus shares come out of none, and shares too
    few for one of the other company go into none.
    """

    lot: int
    made: int
    gave: int
    left: int
    quantity: int
    cost_paise: int = 0
    loan_paise: int = 0
    charges_paise: int = 0


def made_lot(
    part: LotPart, client_id: int, security: str, product: Product, bucket: Bucket, opened_on: date
) -> Lot:
    """The lot that a part has made."""
    return Lot(
        id=part.made,
        client_id=client_id,
        security=security,
        product=product,
        bucket=bucket,
        opened_on=opened_on,
        quantity=part.quantity,
        cost_paise=part.cost_paise,
        loan_paise=part.loan_paise,
        charges_paise=part.charges_paise,
        quantity_left=part.quantity,
        cost_left_paise=part.cost_paise,
        loan_left_paise=part.loan_paise,
        charges_left_paise=part.charges_paise,
        fill_id=None,
        bought_as=None,
        arrived_at=None,
        traded_at=None,
        trade_id=None,
    )


def split_lots(
    lots: Sequence[Lot], shares_of_one: Fraction, number: Callable[[], int]
) -> tuple[list[Lot], list[LotPart]]:
    """Give each lot, the oldest first, a second one of the shares that it grows by, with its part of all.

    The second one is due, and as old. Returns those lots and what went into each; the lots are reduced.
    """
    made: list[Lot] = []
    parts: list[LotPart] = []
    before = after = 0
    for lot in lots:
        left = lot.quantity_left
        before += left
        extra = int(before * shares_of_one) - after - left
        after += left + extra
        if extra <= 0:
            continue
        whole = left + extra
        part = LotPart(
            lot.id,
            number(),
            0,
            left,
            extra,
            lot.cost_left_paise * extra // whole,
            lot.loan_left_paise * extra // whole,
            lot.charges_left_paise * extra // whole,
        )
        lot.put_back(0, -part.cost_paise, -part.loan_paise, -part.charges_paise)
        made.append(made_lot(part, lot.client_id, lot.security, lot.product, Bucket.DUE, lot.opened_on))
        parts.append(part)
    return made, parts


def exchanged_lots(
    lots: Sequence[Lot], security: str, shares_of_one: Fraction, number: Callable[[], int]
) -> tuple[list[Lot], list[LotPart]]:
    """Have lots go on as another security's, or as fewer shares of their own, each as old and as dear.

    The cost of a lot too small for a share goes into the lot made next, of the last ones into the last.
    Raises `ValueError` where all of them together make no share.
    """
    made: list[Lot] = []
    parts: list[LotPart] = []
    before = after = 0
    for lot in lots:
        before += lot.quantity_left
        quantity = int(before * shares_of_one) - after
        after += quantity
        told = lot.cost_left_paise, lot.loan_left_paise, lot.charges_left_paise
        part = LotPart(lot.id, number() if quantity else 0, lot.quantity_left, 0, quantity, *told)
        parts.append(part)
        if quantity:
            made.append(made_lot(part, lot.client_id, security, lot.product, Bucket.FREE, lot.opened_on))
        lot.put_back(-part.gave, -part.cost_paise, -part.loan_paise, -part.charges_paise)
    if not made:
        raise ValueError(f"{before} shares make none of {security}")
    place = 0
    for part in parts:
        if part.made:
            place = min(place + 1, len(made) - 1) if part.made == made[place].id else place
            continue
        heir = made[place]
        heir.cost_paise += part.cost_paise
        heir.loan_paise += part.loan_paise
        heir.charges_paise += part.charges_paise
        heir.put_back(0, part.cost_paise, part.loan_paise, part.charges_paise)
    return made, parts
