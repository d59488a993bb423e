"""Our figures for a client against the broker's: adopted at the day's opening, a break at any later time.

Cash and loans may differ by `TOLERANCE_PAISE`, cash by the charges still due besides; shares by none.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from brokers.contract import BrokerFunds, BrokerHolding, BrokerRows
from data.audit import AuditAction, AuditEntry
from data.records import replace
from data.reference.instrument_index import InstrumentIndex
from data.repositories.accounts.breaks import BreakRow, close_breaks, open_breaks, standing_breaks
from data.repositories.accounts.comparisons import (
    DayOpening,
    Figures,
    LastComparison,
    SaidByOrders,
    Shares,
    figures_of,
    keep_comparisons,
    keep_openings,
    opened,
    said_by_orders,
    shares_of,
)
from data.repositories.days import newest_day
from data.repositories.trading.conversions import converting
from data.store import Unit
from data.vocabulary import BreakKind, DayState
from engine.book.book import Book
from engine.book.owed import OwedShares
from engine.booking.unbooked import settle_unbooked
from engine.corporate.proving import Proof, came, credited, exchanged, waiting_for_proof
from engine.events import TapeLine
from engine.instances import ThisEngine
from engine.news import BooksAgree, BooksDiffer, News
from engine.reconciliation.adoption import Adoption, Difference, adopt_figures
from engine.rules import Waits
from engine.timing import Timing

TOLERANCE_PAISE = 100
"""A rupee: what is less is rounding, which each of the two books does in its own way."""


class Theirs(Struct, frozen=True):
    """What a broker says a client has, from reads that began at `began`.

    Money and shares take several calls. They are `bracketed` once the order book has been read behind them
    too: had an order traded in between, it would have moved since.
    """

    funds: BrokerFunds
    holdings: BrokerRows[BrokerHolding]
    began: datetime
    bracketed: bool = False


class Compared(Struct, frozen=True):
    """What a comparison found: None where the client's orders were still moving, so that nothing was said.

    `to_bracket` says that something differs of figures that are not bracketed yet; that is no difference.
    """

    differences: tuple[Difference, ...] | None
    adopted: bool = False
    to_bracket: bool = False


def compare(
    unit: Unit,
    theirs: Mapping[int, Theirs],
    book: Book,
    timing: Timing,
    engine: ThisEngine,
    index: InstrumentIndex,
    adopt: str = "",
) -> dict[int, Compared]:
    """Compare clients and keep the results: adopted when a day opens or the trader says so, else breaks.

    `theirs` is by client, and so is what is returned. `adopt` is the trader's reason. There are no
    differences of a client of whom an order has moved lately or is in doubt, or a conversion is under way,
    since the two books were then read at different moments; nor of figures that are not bracketed. It reads
    and writes for all at once, whoever differs; only what an action exchanged is booked for each alone.
    """
    day = timing.market.trading_day
    done = {one: Compared(None) for one in theirs}
    said = _said_by_orders(unit, theirs, day, timing.waits)
    still = theirs.keys() - said.moving
    if not still:
        return done
    read = {one: theirs[one] for one in sorted(still)}
    ours = _Ours(figures_of(unit, read), shares_of(unit, read))
    differ = _differences(read, ours, said, index)
    for one in [one for one, different in differ.items() if different and not read[one].bracketed]:
        done[one] = Compared(None, to_bracket=True)
        still.discard(one)
        del differ[one], read[one]
    found = _explained(unit, ours, Proof(day, engine.actor), differ)
    known, stood = opened(unit, still, day), standing_breaks(unit, still)
    keep_openings(unit, [_opening(unit, one, day, found[one]) for one in found if one not in known])
    adopted: dict[int, list[Difference]] = {}
    breaks = _Breaks(unit, day, engine.actor)
    for one, different in found.items():
        first = one not in known
        whole = not theirs[one].holdings.unread
        taken = [each for each in different if (first or adopt) and _adoptable(each, whole)]
        if taken:
            adopted[one] = taken
        left = [each for each in different if each not in taken]
        how = adopt or ("adopted at the day's opening" if first else "")
        if left or stood.get(one):
            breaks.keep(one, book.clients[one].code, stood.get(one, ()), left, how)
        done[one] = Compared(tuple(taken if adopt else different), bool(first or adopt))
    if adopted:
        adoption = Adoption(day, adopt, engine.actor)
        adopt_figures(unit, adoption, adopted, ours.figures, timing.calendar, index)
    if adopt:
        settle_unbooked(unit, found.keys(), adopt, engine.actor)
    breaks.write()
    keep_comparisons(unit, [LastComparison(one, engine.id, day, theirs[one].began) for one in found])
    return done


def look(
    unit: Unit, theirs: Mapping[int, Theirs], timing: Timing, index: InstrumentIndex
) -> dict[int, list[Difference] | None]:
    """What differs of clients, of whom nothing is adopted and no break is kept.

    None for one of whom an order has moved lately or is in doubt. It writes nothing.
    """
    said = _said_by_orders(unit, theirs, timing.market.trading_day, timing.waits)
    read = {one: theirs[one] for one in sorted(theirs.keys() - said.moving)}
    found: dict[int, list[Difference] | None] = dict.fromkeys(theirs)
    if read:
        found.update(_differences(read, _Ours(figures_of(unit, read), shares_of(unit, read)), said, index))
    return found


def _adoptable(one: Difference, whole: bool) -> bool:
    """Whether a figure can be taken over; `whole` says that every row of the broker's book could be read.

    Shares are proven absent by such a book, and by no other. A short ends by buying it back alone.
    """
    if one.kind is not BreakKind.SHARES:
        return True
    return (whole or one.theirs >= one.ours) and not (one.theirs < 0 and one.ours == 0)


def _opening(unit: Unit, client_id: int, day: date, found: Sequence[Difference]) -> DayOpening:
    cash = sum(one.theirs - one.ours for one in found if one.kind is BreakKind.CASH)
    return DayOpening(client_id, day, unit.now, cash, sum(one.kind is BreakKind.SHARES for one in found))


def _said_by_orders(unit: Unit, theirs: Mapping[int, Theirs], day: date, waits: Waits) -> SaidByOrders:
    """What orders say of these clients; of the moving ones the two books may be of different moments."""
    newest = newest_day(unit)
    if not theirs or newest is None or newest.day != day or newest.state is not DayState.OPEN:
        return SaidByOrders(set(theirs), set(), set())
    since = {one: read.began - timedelta(seconds=waits.quiet_s) for one, read in theirs.items()}
    said = said_by_orders(unit, since, day)
    late = converting(unit, since, timedelta(seconds=waits.conversion_late_s))
    return replace(said, moving=said.moving | late)


class _Ours(Struct, frozen=True):
    """What the books have of the clients that are compared."""

    figures: Mapping[int, Figures]
    shares: Mapping[int, Sequence[Shares]]


def _differences(
    theirs: Mapping[int, Theirs], ours: _Ours, said: SaidByOrders, index: InstrumentIndex
) -> dict[int, list[Difference]]:
    return {
        one: [
            *money_differences(
                ours.figures[one], read.funds, one in said.with_open_buys, one in said.traded_on_margin
            ),
            *_share_differences(ours.shares.get(one, ()), read.holdings, index),
        ]
        for one, read in theirs.items()
    }


def _explained(
    unit: Unit, ours: _Ours, proof: Proof, found: Mapping[int, list[Difference]]
) -> dict[int, list[Difference]]:
    """The differences that no company's action explains; those that one does are booked by it."""
    differ = [one for one, different in found.items() if different]
    if not differ:
        return dict(found)
    gaps: dict[int, dict[tuple[str, str], tuple[int, int]]] = {}
    cash: dict[int, int] = {}
    for one in differ:
        for each in found[one]:
            if each.kind is BreakKind.SHARES:
                gaps.setdefault(one, {})[each.security, each.product] = each.ours, each.theirs
            elif each.kind is BreakKind.CASH:
                cash[one] = each.theirs - each.ours
    proven = came(unit, proof, ours.shares, gaps)
    traded = exchanged(unit, proof, waiting_for_proof(unit, proof.day), gaps) if gaps else {}
    paid = credited(unit, proof, ours.figures, cash, TOLERANCE_PAISE)
    left = dict(found)
    for one in differ:
        explained = proven.get(one, set()) | traded.get(one, set())
        left[one] = [
            each
            for each in found[one]
            if not (each.kind is BreakKind.SHARES and (each.security, each.product) in explained)
            and not (each.kind is BreakKind.CASH and one in paid)
        ]
    return left


def money_differences(
    ours: Figures, there: BrokerFunds, has_open_buys: bool, has_traded_on_margin: bool
) -> list[Difference]:
    """The balances that differ by more than rounding and charges that are still due.

    What a broker does not tell is not compared: what open buys block, and the loan of a day of margin trades.
    """
    found: list[Difference] = []
    # Each blocks by its own reckoning; only the sum of free and blocked money must agree.
    here_paise = ours.available_paise + ours.blocked_paise
    there_paise = there.available_paise + there.blocked_paise
    comparable = there.orders_blocked or not has_open_buys
    if comparable and abs(here_paise - there_paise) > TOLERANCE_PAISE + abs(ours.charges_due_paise):
        found.append(Difference(BreakKind.CASH, here_paise, there_paise))
    whole = there.loan_whole and (there.loan_of_today or not has_traded_on_margin)
    if whole and abs(ours.mtf_loan_paise - there.mtf_loan_paise) > TOLERANCE_PAISE:
        found.append(Difference(BreakKind.LOAN, ours.mtf_loan_paise, there.mtf_loan_paise))
    return found


def security_of(held: BrokerHolding, index: InstrumentIndex) -> str:
    """Under which security the desk keeps a holding: by the name it has or had, unless its ISIN is another's.

    An ISIN that nothing here has is no contradiction: a split or a consolidation gives a share a new one.
    """
    instrument = index.get(f"{held.exchange}:{held.tradingsymbol}")
    if held.isin and (instrument is None or held.isin != instrument.isin):
        instrument = index.of_isin(held.isin, held.exchange) or instrument
    return instrument.security if instrument is not None else held.isin or held.tradingsymbol


def authorised_shares(holdings: Sequence[BrokerHolding], index: InstrumentIndex) -> dict[str, int]:
    """By security, the settled shares that a client has released for sale today."""
    return {security_of(held, index): held.authorised for held in holdings if held.authorised}


def owed_shares(holdings: Sequence[BrokerHolding], index: InstrumentIndex) -> tuple[OwedShares, ...]:
    """What a client has sold within the day and not bought back."""
    return tuple(
        OwedShares(
            security_of(held, index),
            index.key_now(f"{held.exchange}:{held.tradingsymbol}"),
            held.short,
            held.short_paise,
        )
        for held in holdings
        if held.short
    )


def _share_differences(
    held: Sequence[Shares], theirs: Sequence[BrokerHolding], index: InstrumentIndex
) -> list[Difference]:
    """The shares of which the books do not have as many, by security and product."""
    ours = {(one.security, one.product): one for one in held}
    there: dict[tuple[str, str], list[BrokerHolding]] = defaultdict(list)
    for row in theirs:
        there[security_of(row, index), row.product.value].append(row)
    found: list[Difference] = []
    for key in sorted(ours.keys() | there.keys()):
        rows, own = there.get(key, []), ours.get(key)
        named = rows[0] if rows else ours[key]
        security, product = key
        mine = own or Shares(0, security, product, named.exchange, named.tradingsymbol, 0, 0, 0, 0, 0)
        other = sum(row.free + row.t1 + row.today + row.pledged - row.short for row in rows)
        if mine.quantity == other:
            continue
        found.append(
            Difference(
                BreakKind.SHARES,
                mine.quantity,
                other,
                security,
                product,
                named.exchange,
                named.tradingsymbol,
                max(0, sum(row.cost_paise for row in rows) - mine.cost_paise),
                max(0, sum(row.today for row in rows) - mine.today),
                max(0, sum(row.t1 for row in rows) - mine.t1),
            )
        )
    return found


class _Breaks:
    """The break rows of clients, written together; each change of them is told and audited."""

    def __init__(self, unit: Unit, day: date, actor: str) -> None:
        self._unit, self._day, self._actor = unit, day, actor
        self._opened: list[BreakRow] = []
        self._closed: dict[int, str] = {}

    def keep(
        self, client_id: int, code: str, stood: Sequence[BreakRow], found: Sequence[Difference], how: str
    ) -> None:
        """Open, change or close a client's so that they say what was found; `how` is why one is closed."""
        standing = {(row.kind, row.security, row.product): row for row in stood}
        for one in found:
            row = standing.pop((one.kind, one.security, one.product), None)
            if row is not None and (row.ours, row.theirs) == (one.ours, one.theirs):
                continue
            if row is not None:
                self._closed[row.id] = "other figures"
            self._open(client_id, code, one)
        for row in standing.values():
            why = how or "both agree again"
            self._closed[row.id] = why
            details = {"break": row.id, "how": why}
            self._tell(AuditAction.BREAK_CLOSED, client_id, details, BooksAgree(code))

    def write(self) -> None:
        """Write the rows of all that was kept."""
        close_breaks(self._unit, self._closed, self._unit.now)
        numbers = self._unit.take_ids("break", len(self._opened)) if self._opened else ()
        rows = [replace(row, id=number) for row, number in zip(self._opened, numbers, strict=True)]
        open_breaks(self._unit, rows)

    def _open(self, client_id: int, code: str, one: Difference) -> None:
        row = BreakRow(
            0,  # its number comes as it is written
            client_id,
            one.kind,
            one.security,
            one.product,
            one.tradingsymbol,
            one.ours,
            one.theirs,
            self._day,
            self._unit.now,
        )
        self._opened.append(row)
        what = one.tradingsymbol or one.kind.value
        details = {
            "kind": one.kind.value,
            "symbol": one.tradingsymbol,
            "ours": one.ours,
            "theirs": one.theirs,
        }
        self._tell(AuditAction.BREAK_OPENED, client_id, details, BooksDiffer(code, what))

    def _tell(self, action: AuditAction, client_id: int, details: Mapping[str, object], news: News) -> None:
        self._unit.audit(AuditEntry(action, self._actor, client_id=client_id, details=details))
        self._unit.publish(TapeLine(self._unit.now, news))
        self._unit.touched.clients.add(client_id)
