"""Our figures for a client against the broker's: adopted at the day's opening, a break at any later time.

Tolerance and scope are the design's: one rupee and the charges still due for cash, none for shares.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from brokers.contract import BrokerFunds, BrokerHolding, Rows
from data.audit import AuditEntry
from data.clock import MarketClock
from data.reference.instruments import InstrumentIndex
from data.repositories.breaks import BreakRow, close_break, open_break, standing_breaks
from data.repositories.comparisons import (
    DayOpening,
    LastComparison,
    Shares,
    figures_of,
    has_open_buys,
    has_traded_on_margin,
    is_moving,
    is_opened,
    keep_comparison,
    keep_opening,
    shares_of,
)
from data.repositories.meta import LAST_DAY, day_of
from data.store import Unit
from data.vocabulary import BreakKind
from engine.book.book import Book
from engine.booking.unbooked import settle_unbooked
from engine.events import TapeLine
from engine.instances import ThisEngine
from engine.news import BooksAgree, BooksDiffer
from engine.reconciliation.adoption import Difference, adopt_figures
from engine.timing import Timing

TOLERANCE_PAISE = 100


@dataclass(frozen=True, slots=True)
class Theirs:
    """What a broker says a client has, from reads that began at `began`."""

    funds: BrokerFunds
    holdings: Rows[BrokerHolding]
    began: datetime


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found: None where the client's orders were still moving, so that nothing was said."""

    differences: tuple[Difference, ...] | None
    adopted: bool = False


def compare(
    unit: Unit,
    client_id: int,
    theirs: Theirs,
    book: Book,
    timing: Timing,
    engine: ThisEngine,
    index: InstrumentIndex,
    adopt: str = "",
) -> Compared:
    """Compare and keep the result: adopted when the client's day opens or the trader says so, else breaks.

    `adopt` is the trader's reason. Gives no differences while an order of the client has moved lately or its
    fate is unknown, since the two books were then read at different moments.
    """
    day = timing.market.trading_day
    if _moving(unit, client_id, day, theirs.began, timing.waits.quiet_s):
        return Compared(None)
    found = _differences(unit, client_id, theirs, timing.market, index)
    first = not is_opened(unit, client_id, day)
    if first:
        shares = sum(one.kind is BreakKind.SHARES for one in found)
        cash = sum(one.theirs - one.ours for one in found if one.kind is BreakKind.CASH)
        keep_opening(unit, DayOpening(client_id, day, unit.now, cash, shares))
    # Shares are proven absent by a book whose every row could be read, and by no other.
    unproven = theirs.holdings.unread
    adopted = [
        one
        for one in found
        if (first or adopt) and not (unproven and one.kind is BreakKind.SHARES and one.theirs < one.ours)
    ]
    if adopted:
        adopt_figures(unit, client_id, day, adopted, adopt, timing.calendar, engine.actor, index)
    if adopt:
        settle_unbooked(unit, client_id, adopt, engine.actor)
    standing = [one for one in found if one not in adopted]
    _keep_breaks(
        unit,
        client_id,
        day,
        standing,
        adopt or ("adopted at the day's opening" if first else ""),
        book,
        engine.actor,
    )
    keep_comparison(unit, LastComparison(client_id, engine.id, day, theirs.began))
    return Compared(tuple(adopted if adopt else found), bool(first or adopt))


def _moving(unit: Unit, client_id: int, day: date, began: datetime, quiet_s: float) -> bool:
    """Whether the two books may have been read at different moments of this client's trading."""
    opened = day_of(unit, LAST_DAY) == day
    return not opened or is_moving(unit, client_id, day, began - timedelta(seconds=quiet_s))


def _differences(
    unit: Unit, client_id: int, theirs: Theirs, market_clock: MarketClock, index: InstrumentIndex
) -> list[Difference]:
    ours, there = figures_of(unit, client_id), theirs.funds
    found: list[Difference] = []
    # Each blocks by its own reckoning; only the sum of free and blocked money must agree.
    here_paise = ours.available_paise + ours.blocked_paise
    there_paise = there.available_paise + there.blocked_paise
    comparable = there.orders_blocked or not has_open_buys(unit, client_id)
    if comparable and abs(here_paise - there_paise) > TOLERANCE_PAISE + ours.charges_due_paise:
        found.append(Difference(BreakKind.CASH, here_paise, there_paise))
    whole = there.loan_whole and (
        there.loan_of_today or not has_traded_on_margin(unit, client_id, market_clock.trading_day)
    )
    if whole and abs(ours.mtf_loan_paise - there.mtf_loan_paise) > TOLERANCE_PAISE:
        found.append(Difference(BreakKind.LOAN, ours.mtf_loan_paise, there.mtf_loan_paise))
    return found + _share_differences(shares_of(unit, client_id), theirs.holdings, index)


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
        other = sum(row.free + row.t1 + row.today + row.pledged for row in rows)
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


def _keep_breaks(
    unit: Unit, client_id: int, day: date, found: Sequence[Difference], how: str, book: Book, actor: str
) -> None:
    """Open, change or close break rows so that they say what was found; each change is told and audited."""
    standing = {(row.kind, row.security, row.product): row for row in standing_breaks(unit, client_id)}
    code = book.clients[client_id].code
    for one in found:
        row = standing.pop((one.kind, one.security, one.product), None)
        if row is not None and (row.ours, row.theirs) == (one.ours, one.theirs):
            continue
        if row is not None:
            close_break(unit, row.id, unit.now, "other figures")
        open_break(
            unit,
            BreakRow(
                unit.take_ids("break", 1)[0],
                client_id,
                one.kind,
                one.security,
                one.product,
                one.tradingsymbol,
                one.ours,
                one.theirs,
                day,
                unit.now,
            ),
        )
        details = {
            "kind": one.kind.value,
            "symbol": one.tradingsymbol,
            "ours": one.ours,
            "theirs": one.theirs,
        }
        unit.audit(AuditEntry("BREAK_OPENED", actor, client_id=client_id, details=details))
        what = one.tradingsymbol or one.kind.value
        unit.publish(TapeLine(unit.now, BooksDiffer(code, what)))
        unit.touched.clients.add(client_id)
    for row in standing.values():
        close_break(unit, row.id, unit.now, how or "both agree again")
        unit.audit(
            AuditEntry(
                "BREAK_CLOSED",
                actor,
                client_id=client_id,
                details={"break": row.id, "how": how or "both agree again"},
            )
        )
        unit.publish(TapeLine(unit.now, BooksAgree(code)))
        unit.touched.clients.add(client_id)
