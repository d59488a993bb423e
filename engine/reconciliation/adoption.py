"""Taking brokers' figures for clients over into our books, by balanced transfers against `external`."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeAlias

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.ledger import Line, ShareLine, Transfer, loan_account, post
from data.money import ceil_div, own_share
from data.reference.calendar_rows import CalendarNotLoaded
from data.reference.instrument_index import InstrumentIndex
from data.reference.phases import Calendar
from data.repositories.accounts.comparisons import Figures
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
    """On which day figures are adopted, by whom; `reason` is the trader's, empty at a day's opening."""

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


ByClient: TypeAlias = Mapping[int, Sequence[Difference]]
"""The figures that are adopted, by client."""


def adopt_figures(
    unit: Unit,
    adoption: Adoption,
    found: ByClient,
    ours: Mapping[int, Figures],
    calendar: Calendar,
    index: InstrumentIndex,
) -> None:
    """Bring our books to the brokers' figures by one correcting transfer a client and kind.

    `ours` are those clients' balances as they stand. It reads and writes for all of them at once.
    """
    shares = _AdoptedShares(adoption, calendar, index)
    shares.load(unit, _with(found, lambda one: _is_of_loan(one) or one.theirs < one.ours))
    transfers: list[Transfer] = []
    for client_id, differences in found.items():
        loan = ours[client_id].mtf_loan_paise
        for one in differences:
            more = one.theirs - one.ours
            if one.kind is BreakKind.CASH:
                lines = _cash_lines(ours[client_id], more)
            elif one.kind is BreakKind.LOAN:
                lines, loan = [Line(Account.MTF_LOAN, -more), Line(Account.EXTERNAL, more)], one.theirs
            else:
                transfers.append(shares.adopt(client_id, one))
                continue
            evidence = adoption.evidence
            transfers.append(Transfer(client_id, adoption.kind, adoption.day, lines, evidence=evidence))
        if any(map(_is_of_loan, differences)):
            shares.share_out(client_id, loan)
        unit.audit(_told(adoption, client_id, differences))
    shares.write(unit)
    post(unit, transfers)


def _is_of_loan(one: Difference) -> bool:
    """Whether it changes a loan of the margin facility, or the shares that carry it."""
    return one.kind is BreakKind.LOAN or one.product == Product.MTF.value


def _with(found: ByClient, what: Callable[[Difference], bool]) -> list[int]:
    """The clients of whom one difference at least is so."""
    return [client_id for client_id, differences in found.items() if any(map(what, differences))]


def _told(adoption: Adoption, client_id: int, found: Sequence[Difference]) -> AuditEntry:
    return AuditEntry(
        AuditAction.BREAK_ADOPTED if adoption.reason else AuditAction.DAY_OPEN_ADOPTED,
        adoption.actor,
        client_id=client_id,
        details={
            "reason": adoption.reason,
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


def _cash_lines(ours: Figures, more: int) -> list[Line]:
    """Postings for a cash difference; what our books cannot give becomes shortfall, as a dear fill's does."""
    if more >= 0:
        repaid = min(more, ours.shortfall_paise)
        lines = [Line(Account.SHORTFALL, repaid), Line(Account.AVAILABLE, more - repaid)]
    else:
        taken = min(-more, ours.available_paise)
        lines = [Line(Account.AVAILABLE, -taken), Line(Account.SHORTFALL, more + taken)]
    return [line for line in (*lines, Line(Account.EXTERNAL, -more)) if line.amount_paise]


Moved: TypeAlias = tuple[dict[Bucket, int], int, int]
"""Shares by bucket, their cost and the intraday loan on them in paise, each as its change."""


class _AdoptedShares:
    """Lots opened for shares that brokers have beyond ours, and reduced by those that they have not."""

    def __init__(self, adoption: Adoption, calendar: Calendar, index: InstrumentIndex) -> None:
        self._adoption, self._calendar, self._index = adoption, calendar, index
        self._lots: defaultdict[int, list[Lot]] = defaultdict(list)
        self._opened: list[Lot] = []
        self._changed: dict[int, Lot] = {}

    def load(self, unit: Unit, client_ids: Sequence[int]) -> None:
        """Read the lots of these clients with shares left, the oldest first."""
        for lot in LOTS.left(unit, client_ids):
            self._lots[lot.client_id].append(lot)

    def write(self, unit: Unit) -> None:
        """Write the lots of all that was adopted."""
        if self._opened:
            for lot, number in zip(self._opened, unit.take_ids("lot", len(self._opened)), strict=True):
                lot.id = number
        LOTS.insert(unit, self._opened)
        LOTS.save(unit, list(self._changed.values()))

    def share_out(self, client_id: int, loan: int) -> None:
        """Let a client's lots on margin carry the whole of its loan, each by what its shares have cost."""
        opened = [lot for lot in self._opened if lot.client_id == client_id]
        held = sorted((*self._lots[client_id], *opened), key=lambda lot: lot.opened_on)
        lots = [lot for lot in held if lot.product is Product.MTF and lot.quantity_left]
        left = sum(lot.cost_left_paise for lot in lots)
        for number, lot in enumerate(lots):
            last = number == len(lots) - 1
            part = loan if last or not left else loan * lot.cost_left_paise // left
            loan, left = loan - part, left - lot.cost_left_paise
            lot.loan_left_paise = part
            if lot.id:
                self._changed[lot.id] = lot

    def adopt(self, client_id: int, one: Difference) -> Transfer:
        """Take one difference over."""
        more, adoption = one.theirs - one.ours, self._adoption
        moves, cost, loan = self._open(client_id, one) if more > 0 else self._close(client_id, one)
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
        return Transfer(client_id, adoption.kind, adoption.day, stated, shares, evidence=adoption.evidence)

    def _open(self, client_id: int, one: Difference) -> Moved:
        """A lot for each bucket in which the broker has more; intraday shares are lent on as our own are."""
        left, cost_left = one.theirs - one.ours, one.cost_paise
        today = left if one.product == Product.MIS.value else min(one.today, left)
        t1 = min(one.t1, left - today)
        parted = {Bucket.TODAY: today, Bucket.T1: t1, Bucket.FREE: left - today - t1}
        moves = {bucket: quantity for bucket, quantity in parted.items() if quantity}
        margin, day = _lent_margin(one, self._index), self._adoption.day
        loans = 0
        for bucket, quantity in moves.items():
            cost = cost_left * quantity // left
            left, cost_left = left - quantity, cost_left - cost
            loan = 0 if margin is None else cost - own_share(cost, margin)
            loans += loan
            opened_on = _day_before(day, self._calendar) if bucket is Bucket.T1 else day
            lot = Lot(
                id=0,  # its number comes as it is written
                client_id=client_id,
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
            self._opened.append(lot)
        return moves, one.cost_paise, loans

    def _close(self, client_id: int, one: Difference) -> Moved:
        """Take shares out of the oldest lots. A loan of the margin facility is the broker's to tell."""
        moves: dict[Bucket, int] = defaultdict(int)
        cost = repaid = 0
        quantity = one.ours - one.theirs
        for lot in self._lots[client_id]:
            part = min(quantity, lot.quantity_left)
            if (lot.product, lot.security) != (one.product, one.security) or part <= 0:
                continue
            share = lot.cost_left_paise * part // lot.quantity_left
            loan = ceil_div(lot.loan_left_paise * part, lot.quantity_left)
            lot.put_back(-part, -share, -loan, 0)
            self._changed[lot.id] = lot
            moves[Bucket(lot.bucket)] -= part
            cost -= share
            repaid += loan
            quantity -= part
        return moves, cost, -repaid if loan_account(one.product) is Account.INTRADAY_LOAN else 0


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
