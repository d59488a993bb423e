"""Taking a broker's figures for a client over into our books, by balanced transfers against `external`."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.ledger import Line, ShareLine, Transfer, loan_account, post
from data.money import ceil_div, own_share
from data.reference.calendar_rows import CalendarNotLoaded
from data.reference.instrument_index import InstrumentIndex
from data.reference.phases import Calendar
from data.repositories.accounts.comparisons import figures_of
from data.store import Unit
from data.vocabulary import Account, BreakKind, Bucket, Product, TransferKind
from engine.booking.lots import Lot
from engine.booking.stored import LOTS


class Difference(Struct, frozen=True):
    """One figure in which both books differ; paise for cash and loan, else shares."""

    kind: BreakKind
    ours: int
    theirs: int
    security: str = ""
    product: str = ""
    exchange: str = ""
    tradingsymbol: str = ""
    cost_paise: int = 0
    """What the broker says the shares beyond ours have cost."""
    today: int = 0
    t1: int = 0
    """How many of the shares beyond ours the broker counts as bought today, and as on their way."""


class Adoption(Struct, frozen=True):
    """Whose figures are adopted on which day, by whom; `reason` is the trader's, empty at a day's opening."""

    client_id: int
    day: date
    reason: str
    actor: str

    @property
    def kind(self) -> TransferKind:
        """What its transfers are."""
        return TransferKind.ADOPT if self.reason else TransferKind.DAY_OPEN

    @property
    def evidence(self) -> str:
        """What its transfers name as their reason."""
        return f"{self.actor}: {self.reason}" if self.reason else f"day_open:{self.day.isoformat()}"


def adopt_figures(
    unit: Unit, adoption: Adoption, found: Sequence[Difference], calendar: Calendar, index: InstrumentIndex
) -> None:
    """Bring our books to the broker's figures by one correcting transfer a kind."""
    client_id, reason = adoption.client_id, adoption.reason
    transfers: list[Transfer] = []
    for one in found:
        more = one.theirs - one.ours
        if one.kind is BreakKind.CASH:
            lines = _cash_lines(unit, client_id, more)
        elif one.kind is BreakKind.LOAN:
            lines = [Line(Account.MTF_LOAN, -more), Line(Account.EXTERNAL, more)]
        else:
            transfers.append(_adopt_shares(unit, adoption, one, calendar, index))
            continue
        transfers.append(Transfer(client_id, adoption.kind, adoption.day, lines, evidence=adoption.evidence))
    post(unit, transfers)
    if any(one.kind is BreakKind.LOAN or one.product == Product.MTF.value for one in found):
        _share_out_loan(unit, client_id)
    unit.audit(
        AuditEntry(
            AuditAction.DAY_OPEN_ADOPTED if not reason else AuditAction.BREAK_ADOPTED,
            adoption.actor,
            client_id=client_id,
            details={
                "reason": reason,
                "differences": [
                    {
                        "kind": one.kind.value,
                        "symbol": one.tradingsymbol,
                        "product": one.product,
                        "ours": one.ours,
                        "theirs": one.theirs,
                    }
                    for one in found
                ],
            },
        )
    )


def _cash_lines(unit: Unit, client_id: int, more: int) -> list[Line]:
    """Postings for a cash difference; what our books cannot give becomes shortfall, as a dear fill's does."""
    row = figures_of(unit, [client_id])[client_id]
    if more >= 0:
        repaid = min(more, row.shortfall_paise)
        lines = [Line(Account.SHORTFALL, repaid), Line(Account.AVAILABLE, more - repaid)]
    else:
        taken = min(-more, row.available_paise)
        lines = [Line(Account.AVAILABLE, -taken), Line(Account.SHORTFALL, more + taken)]
    return [line for line in (*lines, Line(Account.EXTERNAL, -more)) if line.amount_paise]


def _adopt_shares(
    unit: Unit, adoption: Adoption, one: Difference, calendar: Calendar, index: InstrumentIndex
) -> Transfer:
    """Open a lot for shares that the broker has beyond ours, or close lots that it has not."""
    more = one.theirs - one.ours
    if more > 0:
        moves, cost, loan = _open_lots_of(unit, adoption, one, calendar, index)
    else:
        moves, cost, loan = _close_lots(unit, adoption.client_id, one, -more)
    lines = [
        Line(Account.STOCK_COST, cost, security=one.security),
        Line(Account.INTRADAY_LOAN, -loan, security=one.security),
        Line(Account.EXTERNAL, loan - cost),
    ]
    shares = [
        ShareLine(one.security, one.product, bucket, quantity, one.exchange, one.tradingsymbol)
        for bucket, quantity in moves.items()
    ]
    shares.append(ShareLine(one.security, one.product, Bucket.OUTSIDE, -sum(moves.values())))
    stated = [line for line in lines if line.amount_paise]
    return Transfer(
        adoption.client_id, adoption.kind, adoption.day, stated, shares, evidence=adoption.evidence
    )


Moved = tuple[dict[Bucket, int], int, int]
"""Shares by bucket, their cost and the intraday loan on them in paise, each as its change."""


def _open_lots_of(
    unit: Unit, adoption: Adoption, one: Difference, calendar: Calendar, index: InstrumentIndex
) -> Moved:
    """A lot for each bucket in which the broker has more; intraday shares are lent on as our own are."""
    left, cost_left = one.theirs - one.ours, one.cost_paise
    today = left if one.product == Product.MIS.value else min(one.today, left)
    t1 = min(one.t1, left - today)
    parted = {Bucket.TODAY: today, Bucket.T1: t1, Bucket.FREE: left - today - t1}
    moves = {bucket: quantity for bucket, quantity in parted.items() if quantity}
    margin = _lent_margin(one, index)
    loans = 0
    for bucket, quantity in moves.items():
        cost = cost_left * quantity // left
        left, cost_left = left - quantity, cost_left - cost
        loan = 0 if margin is None else cost - own_share(cost, margin)
        loans += loan
        opened_on = _day_before(adoption.day, calendar) if bucket is Bucket.T1 else adoption.day
        lot = Lot(
            id=unit.take_ids("lot", 1)[0],
            client_id=adoption.client_id,
            security=one.security,
            product=Product(one.product),
            bucket=bucket,
            opened_on=opened_on,
            quantity=quantity,
            cost_paise=cost,
            loan_paise=loan,
            charges_paise=0,
            quantity_left=quantity,
            cost_left_paise=cost,
            loan_left_paise=loan,
            charges_left_paise=0,
            fill_id=None,
            bought_as=None,
            arrived_at=None,
            traded_at=None,
            trade_id=None,
        )
        LOTS.insert(unit, [lot])
    return moves, one.cost_paise, loans


def _lent_margin(one: Difference, index: InstrumentIndex) -> int | None:
    """The client's own share where the broker lends the rest within the day."""
    instrument = index.get(f"{one.exchange}:{one.tradingsymbol}")
    if one.product != Product.MIS.value or instrument is None:
        return None
    return instrument.margin_bps(Product.MIS)


def _day_before(day: date, calendar: Calendar) -> date:
    """The trading day before; the calendar's where it reaches so far."""
    try:
        return calendar.previous_trading_day(day)
    except CalendarNotLoaded:
        return day - timedelta(days=1)


def _close_lots(unit: Unit, client_id: int, one: Difference, quantity: int) -> Moved:
    """Take shares out of the oldest lots. A loan of the margin trading facility is the broker's to tell."""
    moves: dict[Bucket, int] = defaultdict(int)
    cost = repaid = 0
    changed: list[Lot] = []
    for lot in LOTS.left(unit, [client_id]):
        part = min(quantity, lot.quantity_left)
        if (lot.product, lot.security) != (one.product, one.security) or part <= 0:
            continue
        share = lot.cost_left_paise * part // lot.quantity_left
        loan = ceil_div(lot.loan_left_paise * part, lot.quantity_left)
        lot.put_back(-part, -share, -loan, 0)
        changed.append(lot)
        moves[Bucket(lot.bucket)] -= part
        cost -= share
        repaid += loan
        quantity -= part
    LOTS.save(unit, changed)
    return moves, cost, -repaid if loan_account(one.product) is Account.INTRADAY_LOAN else 0


def _share_out_loan(unit: Unit, client_id: int) -> None:
    """Let a client's lots on margin carry the whole of its loan, each by what its shares have cost."""
    loan = figures_of(unit, [client_id])[client_id].mtf_loan_paise
    lots = [lot for lot in LOTS.left(unit, [client_id]) if lot.product is Product.MTF]
    left = sum(lot.cost_left_paise for lot in lots)
    for number, lot in enumerate(lots):
        last = number == len(lots) - 1
        part = loan if last or not left else loan * lot.cost_left_paise // left
        loan, left = loan - part, left - lot.cost_left_paise
        lot.loan_left_paise = part
    LOTS.save(unit, lots)
