"""Booking companies' actions, once for each client that was entitled, with the postings of the ex-date.

Shares of a split or a bonus are due until the broker shows them; a dividend is earned on the ex-date. What
takes shares away (a merger, a consolidation) waits for the broker's books and is booked by `proving`. What
is taken back is a counter entry of the same day.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction

from msgspec import Struct, convert, to_builtins

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.ledger import Line, ShareLine, Transfer, post
from data.records import replace
from data.repositories.accounts.actions import (
    Entitled,
    StoredBooking,
    actions_between,
    adopted_from,
    bookings_of,
    bookings_of_action,
    change_isin,
    entitled_to,
    keep_bookings,
)
from data.repositories.accounts.comparisons import figures_of
from data.repositories.base import On
from data.repositories.mtf import StoredAction
from data.store import Unit
from data.vocabulary import Account, ActionState, Bucket, CorporateAction, DividendTo, Product, TransferKind
from engine.booking.lots import Lot
from engine.booking.stored import LOTS
from engine.corporate.lots import LotPart, made_lot, split_lots
from engine.corporate.terms import ShareAction, action_of, made_of

_MADE_DUE = (CorporateAction.SPLIT, CorporateAction.BONUS)


class Holder(Struct, frozen=True):
    """A client that was entitled: its shares by product, those of CNC first."""

    client_id: int
    held: tuple[Entitled, ...]

    @property
    def quantity(self) -> int:
        """All of them."""
        return sum(one.quantity for one in self.held)


def book_due(unit: Unit, after: date, until: date, actor: str, clients: Collection[int] | None = None) -> int:
    """Book the known actions with an ex-date behind one day and up to another; returns of how many clients.

    For these clients, or all. What a client has of one already stands, taken back or not.
    """
    return book_actions(unit, actions_between(unit, after, until), actor, clients)


def book_actions(
    unit: Unit, told: Iterable[StoredAction], actor: str, clients: Collection[int] | None = None
) -> int:
    """Book actions whose ex-date has come, for these clients, or all, that have nothing of them."""
    booked = 0
    for one in told:
        action = action_of(unit, one)
        if action is None or action.on_proof:
            continue
        if one.kind is CorporateAction.ISIN_CHANGE:
            _rename(unit, action, actor)
            continue
        known = bookings_of_action(unit, action.share.security, one)
        wanted = [
            holder
            for holder in holders_of(unit, action)
            if holder.client_id not in known and (clients is None or holder.client_id in clients)
        ]
        booked += len(_book(unit, action, wanted, actor, 1))
    return booked


def book_again(unit: Unit, told: StoredAction, client_id: int, actor: str) -> list[StoredBooking]:
    """Book an action for a client of whom it was taken back; none where it cannot be."""
    action = action_of(unit, told)
    if action is None or action.on_proof or told.kind is CorporateAction.ISIN_CHANGE:
        return []
    known = bookings_of_action(unit, action.share.security, told).get(client_id)
    if known is not None and known.stands:
        return []
    found = [one for one in holders_of(unit, action) if one.client_id == client_id]
    return _book(unit, action, found, actor, 1 if known is None else known.turn + 1)


def holders_of(on: On, action: ShareAction) -> list[Holder]:
    """Who was entitled to an action."""
    return holders_in(on, action.share.security, action.told.ex_date)


def holders_in(on: On, security: str, ex_date: date) -> list[Holder]:
    """Who held a security as an ex-date began."""
    held: dict[int, list[Entitled]] = {}
    for one in entitled_to(on, security, ex_date):
        held.setdefault(one.client_id, []).append(one)
    return [Holder(client_id, tuple(rows)) for client_id, rows in held.items()]


class Since(Struct, frozen=True):
    """What has become of shares since an ex-date: whose were adopted, what is left of lots of before it."""

    adopted: frozenset[int]
    lots: Mapping[int, list[Lot]]

    def sold(self, holder: Holder) -> bool:
        """Whether fewer are left than a client was entitled with."""
        left = {one.product: 0 for one in holder.held}
        for lot in self.lots.get(holder.client_id, ()):
            left[lot.product] = left.get(lot.product, 0) + lot.quantity_left
        return any(left[one.product] != one.quantity for one in holder.held)


def since(on: On, action: ShareAction, holders: Sequence[Holder]) -> Since:
    """That of these holders, read at once; lots are the oldest first, and asked for by a split alone."""
    security, ex_date = action.share.security, action.told.ex_date
    lots: dict[int, list[Lot]] = {}
    if action.told.kind is CorporateAction.SPLIT:
        for lot in LOTS.left(on, [one.client_id for one in holders]):
            if lot.security == security and lot.product is not Product.MIS and lot.opened_on < ex_date:
                lots.setdefault(lot.client_id, []).append(lot)
    adopted = adopted_from(on, security, ex_date) if holders and action.told.kind in _MADE_DUE else ()
    return Since(frozenset(adopted), lots)


def state_of(action: ShareAction, holder: Holder, later: Since) -> ActionState | None:
    """Why an action cannot be booked for a client; None where it can be."""
    if action.on_proof:
        return ActionState.PROOF
    if holder.client_id in later.adopted:
        return ActionState.ADOPTED
    if action.told.kind is CorporateAction.SPLIT and later.sold(holder):
        return ActionState.TRADED
    return None


def _book(
    unit: Unit, action: ShareAction, holders: Sequence[Holder], actor: str, turn: int
) -> list[StoredBooking]:
    made: list[StoredBooking] = []
    transfers: list[Transfer] = []
    later = since(unit, action, holders)
    for holder in holders:
        if state_of(action, holder, later) is not None:
            continue
        lots = later.lots.get(holder.client_id, [])
        booking, moved = _of_client(unit, action, holder, lots, actor, turn)
        made.append(booking)
        transfers += moved
    post(unit, transfers)
    keep_bookings(unit, made)
    for one in made:
        audit_booking(unit, AuditAction.ACTION_BOOKED, one)
    return made


def _of_client(
    unit: Unit, action: ShareAction, holder: Holder, before: list[Lot], actor: str, turn: int
) -> tuple[StoredBooking, list[Transfer]]:
    told, shares, fraction, paise = action.told, 0, "", 0
    transfers: list[Transfer] = []
    parts: list[LotPart] = []
    if told.kind is CorporateAction.DIVIDEND:
        paise = action.terms.paise(holder.quantity)
        transfers = [_moved(holder.client_id, action, dividend_lines(paise, told.paid_to))] if paise else []
    else:
        split = told.kind is CorporateAction.SPLIT
        lots, parts = _split(unit, action, before) if split else _bonus(unit, action, holder)
        LOTS.insert(unit, lots)
        _, fraction = made_of(holder.quantity, action.terms.shares)
        shares = sum(lot.quantity for lot in lots)
        transfers = [
            _moved(holder.client_id, action, shares=_due_lines(action, lots, product))
            for product in dict.fromkeys(lot.product for lot in lots)
        ]
    booking = StoredBooking(
        client_id=holder.client_id,
        security=action.share.security,
        ex_date=told.ex_date,
        purpose=told.purpose,
        turn=turn,
        key=action.share.key,
        kind=told.kind,
        entitled=holder.quantity,
        shares=shares,
        fraction=fraction,
        paise=paise,
        becomes=told.paid_to.value if told.kind is CorporateAction.DIVIDEND else "",
        opened_on=action.opened_on,
        lots=to_builtins(parts),
        booked_at=unit.now,
        booked_by=actor,
    )
    return booking, transfers


def dividend_lines(paise: int, paid_to: DividendTo) -> list[Line]:
    """Earned, and gone to the client's own bank; or due until the broker credits it."""
    to = Account.EXTERNAL if paid_to is DividendTo.BANK else Account.DIVIDENDS_DUE
    return [Line(Account.DIVIDENDS, -paise), Line(to, paise)]


def _split(unit: Unit, action: ShareAction, lots: list[Lot]) -> tuple[list[Lot], list[LotPart]]:
    made, parts = split_lots(lots, action.terms.shares, lambda: unit.take_ids("lot", 1)[0])
    LOTS.save(unit, lots)
    return made, parts


def _bonus(unit: Unit, action: ShareAction, holder: Holder) -> tuple[list[Lot], list[LotPart]]:
    """A lot of no cost for each product; the part of a share is that of all together."""
    made: list[Lot] = []
    parts: list[LotPart] = []
    before = given = 0
    beyond: Fraction = action.terms.shares - 1
    for one in holder.held:
        before += one.quantity
        quantity = int(before * beyond) - given
        given += quantity
        if not quantity:
            continue
        part = LotPart(0, unit.take_ids("lot", 1)[0], 0, 0, quantity)
        share = action.share.security
        made.append(made_lot(part, holder.client_id, share, one.product, Bucket.DUE, action.opened_on))
        parts.append(part)
    return made, parts


def _due_lines(action: ShareAction, lots: Sequence[Lot], product: Product) -> list[ShareLine]:
    quantity = sum(lot.quantity for lot in lots if lot.product is product)
    share = action.share
    named = share.exchange, share.tradingsymbol
    return [
        ShareLine(share.security, product.value, Bucket.DUE, quantity, *named),
        ShareLine(share.security, product.value, Bucket.OUTSIDE, -quantity),
    ]


def _moved(
    client_id: int, action: ShareAction, lines: Sequence[Line] = (), shares: Sequence[ShareLine] = ()
) -> Transfer:
    return Transfer(
        client_id,
        TransferKind.ACTION,
        action.told.ex_date,
        list(lines),
        list(shares),
        evidence=action.evidence,
    )


def _rename(unit: Unit, action: ShareAction, actor: str) -> None:
    """Know a share by its next ISIN; what is held of it stands under the one that it was first known by."""
    if action.told.becomes and change_isin(unit, action.share.isin, action.told.becomes):
        details = {"share": action.share.key, "before": action.share.isin, "isin": action.told.becomes}
        unit.audit(AuditEntry(AuditAction.ACTION_BOOKED, actor, details=details))
        unit.touched.everything = True


def audit_booking(unit: Unit, action: AuditAction, one: StoredBooking) -> None:
    """Tell of a booking, and have its client's books read again."""
    details = {
        "share": one.key,
        "action": one.purpose,
        "ex_date": one.ex_date.isoformat(),
        "entitled": one.entitled,
        "shares": one.shares,
        "fraction": one.fraction,
        "paise": one.paise,
        "reason": one.reason,
    }
    unit.audit(AuditEntry(action, one.booked_by, client_id=one.client_id, details=details))
    unit.touched.clients.add(one.client_id)


# --- taking back --------------------------------------------------------------------------------------------


def take_back(unit: Unit, booking: StoredBooking, reason: str, actor: str) -> StoredBooking:
    """Undo what was booked by a counter entry on its day; the lots stand as before.

    Raises `BadInput` where shares that it made, or that it was of, were sold since, or a dividend has come,
    and where a later action stands that was booked of the shares that it made.
    """
    _require_last(unit, booking)
    parts = convert(booking.lots, list[LotPart])
    lots = {lot.id: lot for lot in LOTS.by_id(unit, [n for one in parts for n in (one.lot, one.made) if n])}
    made = [lots[number] for number in dict.fromkeys(one.made for one in parts if one.made)]
    whole = all(lot.quantity_left == lot.quantity for lot in made)
    if not whole or any(lots[one.lot].quantity_left != one.left for one in parts if one.lot):
        raise BadInput(
            "action", booking.purpose, f"shares of {booking.key} were sold since: take it back first"
        )
    moved = [_LotChange(lots[one.lot], one.gave, one.cost_paise) for one in parts if one.lot]
    moved += [_LotChange(lot, -lot.quantity, -lot.cost_left_paise) for lot in made]
    transfers = _counter_transfers(unit, booking, moved, f"undone: {reason}")
    for part in parts:
        if part.lot:
            lots[part.lot].put_back(part.gave, part.cost_paise, part.loan_paise, part.charges_paise)
    for lot in made:
        lot.put_back(-lot.quantity_left, -lot.cost_left_paise, -lot.loan_left_paise, -lot.charges_left_paise)
    LOTS.save(unit, list(lots.values()))
    post(unit, transfers)
    return _counter(unit, booking, reason, actor)


def _require_last(unit: Unit, booking: StoredBooking) -> None:
    """Raise `BadInput` where what it made entitled its client to a later action, which has to go first."""
    if not booking.shares and not booking.becomes:
        return
    of = {booking.security, booking.key, booking.becomes}
    for one in bookings_of(unit, [booking.client_id]):
        same = one.security in of or one.key in of
        if same and one.stands and one.entitled and one.ex_date > booking.ex_date:
            later = f"{one.purpose} of {one.ex_date:%d %b %Y}"
            raise BadInput("action", booking.purpose, f"{later} was booked behind it: take that back first")


class _LotChange(Struct, frozen=True):
    """By how much a counter entry changes a lot."""

    lot: Lot
    quantity: int
    cost_paise: int


def _counter_transfers(
    unit: Unit, booking: StoredBooking, moved: Sequence[_LotChange], evidence: str
) -> list[Transfer]:
    """The money, then the shares of each product, with what each security costs where that changes."""
    client_id, day = booking.client_id, booking.ex_date
    transfers: list[Transfer] = []
    if booking.paise:
        to = DividendTo(booking.becomes)
        due = figures_of(unit, [client_id])[client_id].dividends_due_paise
        if to is DividendTo.BROKER and due < booking.paise:
            raise BadInput("action", booking.purpose, "the broker has credited it: it cannot be taken back")
        lines = dividend_lines(-booking.paise, to)
        transfers.append(Transfer(client_id, TransferKind.ACTION, day, lines, evidence=evidence))
    for product in dict.fromkeys(one.lot.product for one in moved):
        shares: dict[tuple[str, Bucket], int] = {}
        cost: dict[str, int] = {}
        for one in moved:
            if one.lot.product is product:
                security, bucket = one.lot.security, one.lot.bucket
                cost[security] = cost.get(security, 0) + one.cost_paise
                for where, sign in ((bucket, 1), (Bucket.OUTSIDE, -1)):
                    shares[security, where] = shares.get((security, where), 0) + sign * one.quantity
        transfers.append(
            Transfer(
                client_id,
                TransferKind.ACTION,
                day,
                [Line(Account.STOCK_COST, paise, security=name) for name, paise in cost.items() if paise],
                [ShareLine(name, product.value, where, n) for (name, where), n in shares.items() if n],
                evidence=evidence,
            )
        )
    return transfers


def _counter(unit: Unit, booking: StoredBooking, reason: str, actor: str) -> StoredBooking:
    undone = replace(booking, turn=booking.turn + 1, booked_at=unit.now, booked_by=actor, reason=reason)
    keep_bookings(unit, [undone])
    audit_booking(unit, AuditAction.ACTION_UNDONE, undone)
    return undone
