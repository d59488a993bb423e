"""What a broker's books prove of companies' actions: shares and dividends that came, shares exchanged.

A figure that differs by exactly what an action makes of it is explained by it; any other stays a difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from msgspec import Struct, to_builtins

from data.audit import AuditAction, AuditEntry
from data.ledger import Line, ShareLine, Transfer, post
from data.repositories.accounts.actions import (
    NamedShare,
    StoredBooking,
    actions_between,
    bookings_of,
    bookings_of_action,
    free_due_lots,
    keep_bookings,
)
from data.repositories.accounts.comparisons import Figures, Shares
from data.store import Unit
from data.vocabulary import Account, Bucket, DividendTo, Product, TransferKind
from engine.booking.lots import Lot
from engine.booking.stored import LOTS
from engine.corporate.booking import Holder, audit_booking, holders_of
from engine.corporate.lots import exchanged_lots
from engine.corporate.terms import ShareAction, action_of, made_of

PROOF_DAYS = 60
"""Days of the calendar behind an ex-date within which a broker's books show what a merger has made."""


class Proof(Struct, frozen=True):
    """Who proves what on which day: the client compared, the day, and who acts."""

    client_id: int
    day: date
    actor: str


Gap = tuple[int, int]
"""How many shares of one security and product we have, those due left out, and the broker has."""


def came(
    unit: Unit, proof: Proof, held: Iterable[Shares], gaps: Mapping[tuple[str, str], Gap]
) -> set[tuple[str, str]]:
    """Take shares that were due as come where the broker has exactly as many more. Returns which."""
    proven: set[tuple[str, str]] = set()
    for one in held:
        place = one.security, one.product
        ours, theirs = gaps.get(place, (0, 0))
        if not one.due or theirs - ours != one.due:
            continue
        moves = [(Bucket.DUE, -one.due), (Bucket.FREE, one.due)]
        shares = [ShareLine(one.security, one.product, bucket, n) for bucket, n in moves]
        post(
            unit,
            [
                Transfer(
                    proof.client_id,
                    TransferKind.ACTION,
                    proof.day,
                    shares=shares,
                    evidence=f"the broker has {theirs}",
                )
            ],
        )
        free_due_lots(unit, proof.client_id, one.security, Product(one.product))
        _tell(unit, proof, {"share": f"{one.exchange}:{one.tradingsymbol}", "shares": one.due})
        proven.add(place)
    return proven


def credited(unit: Unit, proof: Proof, ours: Figures, more_paise: int, tolerance_paise: int) -> bool:
    """Take dividends as credited where the broker has exactly as much more cash: all that are due, or one."""
    due = ours.dividends_due_paise
    if due <= 0 or more_paise <= 0:
        return False
    of_one = [
        one.paise
        for one in bookings_of(unit, [proof.client_id])
        if one.stands and one.paise and one.becomes == DividendTo.BROKER.value
    ]
    near = [paise for paise in (due, *of_one) if paise <= due and abs(more_paise - paise) <= tolerance_paise]
    if not near:
        return False
    lines = [Line(Account.DIVIDENDS_DUE, -near[0]), Line(Account.AVAILABLE, near[0])]
    evidence = f"the broker has {more_paise} paise more"
    post(unit, [Transfer(proof.client_id, TransferKind.ACTION, proof.day, lines, evidence=evidence)])
    _tell(unit, proof, {"dividends_paise": near[0]})
    return True


class Unproven(Struct, frozen=True):
    """An action that takes shares away, and who was entitled and has nothing booked of it, by client."""

    action: ShareAction
    holders: Mapping[int, Holder]


def waiting_for_proof(unit: Unit, day: date) -> list[Unproven]:
    """The actions up to a day that take shares away, whose proof may yet come."""
    waiting: list[Unproven] = []
    for told in actions_between(unit, day - timedelta(days=PROOF_DAYS), day):
        action = action_of(unit, told)
        if action is not None and action.on_proof:
            known = bookings_of_action(unit, action.share.security, told)
            entitled = {one.client_id: one for one in holders_of(unit, action) if one.client_id not in known}
            waiting.append(Unproven(action, entitled))
    return waiting


def exchanged(
    unit: Unit, proof: Proof, waiting: Sequence[Unproven], gaps: Mapping[tuple[str, str], Gap]
) -> set[tuple[str, str]]:
    """Book what took shares away where the broker's books show exactly it. Returns the explained gaps."""
    explained: set[tuple[str, str]] = set()
    for unproven in waiting:
        action, holder = unproven.action, unproven.holders.get(proof.client_id)
        if holder is None:
            continue
        into = action.share if action.into is None else action.into
        matched: list[tuple[Product, int]] = []
        for one in holder.held:
            shown = _shown(action, one.product, one.quantity, gaps)
            if shown is None:
                break
            matched.append((one.product, shown))
        else:
            _exchange(unit, proof, action, matched, holder.quantity)
            explained |= {
                (share.security, product.value) for product, _ in matched for share in (action.share, into)
            }
    return explained


def _shown(
    action: ShareAction, product: Product, quantity: int, gaps: Mapping[tuple[str, str], Gap]
) -> int | None:
    """How many shares of one product have become what; None where the broker's books do not show it."""
    ours, theirs = gaps.get((action.share.security, product.value), (0, 0))
    made, _ = made_of(quantity, action.terms.shares)
    if ours != quantity or not made:
        return None
    if action.into is None:
        return made if theirs == made else None
    other, there = gaps.get((action.into.security, product.value), (0, 0))
    return made if theirs == 0 and there - other == made else None


def _exchange(
    unit: Unit, proof: Proof, action: ShareAction, products: Sequence[tuple[Product, int]], entitled: int
) -> None:
    told, into = action.told, action.share if action.into is None else action.into
    parts: list[object] = []
    fractions: list[str] = []
    transfers: list[Transfer] = []
    for product, _ in products:
        lots = [
            lot
            for lot in LOTS.left(unit, [proof.client_id])
            if (lot.security, lot.product) == (action.share.security, product)
        ]
        fractions.append(made_of(sum(lot.quantity_left for lot in lots), action.terms.shares)[1])
        transfers.append(_exchange_transfer(proof.client_id, action, into, product, lots))
        made, told_parts = exchanged_lots(
            lots, into.security, action.terms.shares, lambda: unit.take_ids("lot", 1)[0]
        )
        LOTS.save(unit, lots)
        LOTS.insert(unit, made)
        parts += to_builtins(told_parts)
    post(unit, transfers)
    booking = StoredBooking(
        client_id=proof.client_id,
        security=action.share.security,
        ex_date=told.ex_date,
        purpose=told.purpose,
        turn=1,
        key=action.share.key,
        kind=told.kind,
        entitled=entitled,
        shares=sum(made for _, made in products),
        fraction=" and ".join(one for one in fractions if one),
        paise=0,
        becomes=into.key,
        opened_on=action.opened_on,
        lots=parts,
        booked_at=unit.now,
        booked_by=proof.actor,
        reason="the broker's books show it",
    )
    keep_bookings(unit, [booking])
    audit_booking(unit, AuditAction.ACTION_BOOKED, booking)


def _exchange_transfer(
    client_id: int, action: ShareAction, into: NamedShare, product: Product, lots: Sequence[Lot]
) -> Transfer:
    """All of these lots out, and what they become in, with their cost."""
    moves: dict[tuple[str, Bucket], int] = {}
    for lot in lots:
        _add(moves, lot.security, lot.bucket, -lot.quantity_left)
    made, _ = made_of(sum(lot.quantity_left for lot in lots), action.terms.shares)
    _add(moves, into.security, Bucket.FREE, made)
    cost, named = (
        sum(lot.cost_left_paise for lot in lots),
        {into.security: (into.exchange, into.tradingsymbol)},
    )
    return Transfer(
        client_id,
        TransferKind.ACTION,
        action.told.ex_date,
        [
            Line(Account.STOCK_COST, paise, security=share.security)
            for share, paise in ((action.share, -cost), (into, cost))
            if paise and into != action.share
        ],
        [
            ShareLine(security, product.value, bucket, n, *named.get(security, ("", "")))
            for (security, bucket), n in moves.items()
            if n
        ],
        evidence=action.evidence,
    )


def _add(moves: dict[tuple[str, Bucket], int], security: str, bucket: Bucket, quantity: int) -> None:
    """Count shares into a bucket, and out of what is outside."""
    for where, n in ((bucket, quantity), (Bucket.OUTSIDE, -quantity)):
        moves[security, where] = moves.get((security, where), 0) + n


def _tell(unit: Unit, proof: Proof, details: Mapping[str, object]) -> None:
    unit.audit(AuditEntry(AuditAction.ACTION_PROVEN, proof.actor, client_id=proof.client_id, details=details))
    unit.touched.clients.add(proof.client_id)
