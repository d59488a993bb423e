"""What a broker's books prove of companies' actions: shares and dividends that came, shares exchanged.

A figure that differs by exactly what an action makes of it is explained by it; any other stays a difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeAlias

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
    """On which day brokers' books are compared, and who acts."""

    day: date
    actor: str


SharePlace: TypeAlias = tuple[str, str]
"""A security and a product."""

Gap: TypeAlias = tuple[int, int]
"""How many shares of one security and product we have, those due left out, and the broker has."""

Gaps: TypeAlias = Mapping[int, Mapping[SharePlace, Gap]]
"""Those that differ, by client and place."""


def came(
    unit: Unit, proof: Proof, held: Mapping[int, Iterable[Shares]], gaps: Gaps
) -> dict[int, set[SharePlace]]:
    """Take shares that were due as come where the broker has exactly as many more. Returns which, by client.

    What clients hold is by client too; it is written for all at once.
    """
    proven: dict[int, set[SharePlace]] = {}
    transfers: list[Transfer] = []
    freed: list[tuple[int, str, Product]] = []
    for client_id, of_client in gaps.items():
        for one in held.get(client_id, ()):
            place = one.security, one.product
            ours, theirs = of_client.get(place, (0, 0))
            if not one.due or theirs - ours != one.due:
                continue
            moves = [(Bucket.DUE, -one.due), (Bucket.FREE, one.due)]
            shares = [ShareLine(one.security, one.product, bucket, n) for bucket, n in moves]
            evidence = f"the broker has {theirs}"
            transfers.append(
                Transfer(client_id, TransferKind.ACTION, proof.day, shares=shares, evidence=evidence)
            )
            freed.append((client_id, one.security, Product(one.product)))
            details = {"share": f"{one.exchange}:{one.tradingsymbol}", "shares": one.due}
            _tell(unit, proof, client_id, details)
            proven.setdefault(client_id, set()).add(place)
    post(unit, transfers)
    free_due_lots(unit, freed)
    return proven


def credited(
    unit: Unit, proof: Proof, ours: Mapping[int, Figures], more_paise: Mapping[int, int], tolerance_paise: int
) -> set[int]:
    """Take dividends as credited where the broker has exactly as much more cash: all that are due, or one.

    `more_paise` is by client, as our figures are; returns of whom they were credited.
    """
    due = {
        client_id: ours[client_id].dividends_due_paise
        for client_id, more in more_paise.items()
        if more > 0 and ours[client_id].dividends_due_paise > 0
    }
    of_one: defaultdict[int, list[int]] = defaultdict(list)
    for one in bookings_of(unit, list(due)) if due else ():
        if one.stands and one.paise and one.becomes == DividendTo.BROKER.value:
            of_one[one.client_id].append(one.paise)
    transfers: list[Transfer] = []
    for client_id, whole in due.items():
        more = more_paise[client_id]
        may_be = (whole, *of_one[client_id])
        near = [paise for paise in may_be if paise <= whole and abs(more - paise) <= tolerance_paise]
        if near:
            lines = [Line(Account.DIVIDENDS_DUE, -near[0]), Line(Account.AVAILABLE, near[0])]
            evidence = f"the broker has {more} paise more"
            transfers.append(Transfer(client_id, TransferKind.ACTION, proof.day, lines, evidence=evidence))
            _tell(unit, proof, client_id, {"dividends_paise": near[0]})
    post(unit, transfers)
    return {one.client_id for one in transfers}


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
    unit: Unit, proof: Proof, waiting: Sequence[Unproven], gaps: Gaps
) -> dict[int, set[SharePlace]]:
    """Book what took shares away where the brokers' books show exactly it. Returns the explained gaps."""
    explained: dict[int, set[SharePlace]] = {}
    for client_id, of_client in gaps.items():
        for unproven in waiting:
            action, holder = unproven.action, unproven.holders.get(client_id)
            if holder is None:
                continue
            into = action.share if action.into is None else action.into
            matched: list[tuple[Product, int]] = []
            for one in holder.held:
                shown = _shown(action, one.product, one.quantity, of_client)
                if shown is None:
                    break
                matched.append((one.product, shown))
            else:
                _exchange(unit, proof, action, holder, matched)
                explained.setdefault(client_id, set()).update(
                    (share.security, product.value)
                    for product, _ in matched
                    for share in (action.share, into)
                )
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
    unit: Unit, proof: Proof, action: ShareAction, holder: Holder, products: Sequence[tuple[Product, int]]
) -> None:
    told, into = action.told, action.share if action.into is None else action.into
    parts: list[object] = []
    fractions: list[str] = []
    transfers: list[Transfer] = []
    for product, _ in products:
        lots = [
            lot
            for lot in LOTS.left(unit, [holder.client_id])
            if (lot.security, lot.product) == (action.share.security, product)
        ]
        fractions.append(made_of(sum(lot.quantity_left for lot in lots), action.terms.shares)[1])
        transfers.append(_exchange_transfer(holder.client_id, action, into, product, lots))
        made, told_parts = exchanged_lots(
            lots, into.security, action.terms.shares, lambda: unit.take_ids("lot", 1)[0]
        )
        LOTS.save(unit, lots)
        LOTS.insert(unit, made)
        parts += to_builtins(told_parts)
    post(unit, transfers)
    booking = StoredBooking(
        client_id=holder.client_id,
        security=action.share.security,
        ex_date=told.ex_date,
        purpose=told.purpose,
        turn=1,
        key=action.share.key,
        kind=told.kind,
        entitled=holder.quantity,
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


def _tell(unit: Unit, proof: Proof, client_id: int, details: Mapping[str, object]) -> None:
    unit.audit(AuditEntry(AuditAction.ACTION_PROVEN, proof.actor, client_id=client_id, details=details))
    unit.touched.clients.add(client_id)
