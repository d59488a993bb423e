"""Our figures for a client against the broker's: adopted at the day's opening, a break at any later time.

Tolerance and scope are the design's: one rupee and the charges still due for cash, none for shares.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from brokers.contract import BrokerFunds, BrokerHolding, Rows
from data.audit import AuditEntry
from data.clock import MarketClock
from data.columns import table
from data.order_tables import Order
from data.reference.instruments import InstrumentIndex
from data.store import Unit
from data.tables import Break, Comparison, DayOpen, Funds, Holding, Meta
from data.vocabulary import BreakKind, OrderState, Product
from engine.book.book import Book
from engine.booking.unbooked import settle_unbooked
from engine.days import LAST_DAY
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
    first = (
        unit.connection.execute(
            select(table(DayOpen).c.at).where(
                table(DayOpen).c.client_id == client_id, table(DayOpen).c.trading_date == day
            )
        ).first()
        is None
    )
    if first:
        shares = [one for one in found if one.kind is BreakKind.SHARES]
        cash = sum(one.theirs - one.ours for one in found if one.kind is BreakKind.CASH)
        unit.insert(
            DayOpen,
            [
                {
                    "client_id": client_id,
                    "trading_date": day,
                    "at": unit.now,
                    "cash_difference_paise": cash,
                    "share_differences": len(shares),
                }
            ],
        )
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
    _note(unit, client_id, day, theirs.began, engine.id)
    return Compared(tuple(adopted if adopt else found), bool(first or adopt))


def _note(unit: Unit, client_id: int, day: date, at: datetime, instance_id: int) -> None:
    """Keep when this was, for the engines that are opened beside this one."""
    known = table(Comparison)
    values = {"instance_id": instance_id, "trading_date": day, "at": at}
    ours = known.c.client_id == client_id
    if not unit.connection.execute(update(known).where(ours).values(**values)).rowcount:
        unit.insert(Comparison, [{"client_id": client_id, **values}])


def _moving(unit: Unit, client_id: int, day: date, began: datetime, quiet_s: float) -> bool:
    """Whether the two books may have been read at different moments of this client's trading."""
    orders, meta = table(Order), table(Meta)
    opened = unit.connection.execute(select(meta.c.value).where(meta.c.name == LAST_DAY)).scalar_one_or_none()
    if opened != day.isoformat():
        return True
    doubtful = (OrderState.SENDING.value, OrderState.UNKNOWN.value)
    still = began - timedelta(seconds=quiet_s)
    return (
        unit.connection.execute(
            select(orders.c.id).where(
                orders.c.client_id == client_id,
                orders.c.state.in_(doubtful)
                | (
                    (orders.c.trading_date >= day)
                    & (orders.c.updated_at > still)
                    & (orders.c.sent_at.is_not(None) | orders.c.run_number.is_(None))
                ),
            )
        ).first()
        is not None
    )


def _differences(
    unit: Unit, client_id: int, theirs: Theirs, market_clock: MarketClock, index: InstrumentIndex
) -> list[Difference]:
    funds = table(Funds)
    ours = unit.connection.execute(select(funds).where(funds.c.client_id == client_id)).mappings().one()
    found: list[Difference] = []
    # Each blocks by its own reckoning; only the sum of free and blocked money must agree.
    here = ours["available_paise"] + ours["blocked_paise"]
    there = theirs.funds.available_paise + theirs.funds.blocked_paise
    comparable = theirs.funds.orders_blocked or not _has_open_buys(unit, client_id)
    if comparable and abs(here - there) > TOLERANCE_PAISE + ours["charges_due_paise"]:
        found.append(Difference(BreakKind.CASH, here, there))
    whole = theirs.funds.loan_whole and (
        theirs.funds.loan_of_today or not _has_traded_on_margin(unit, client_id, market_clock)
    )
    if whole and abs(ours["mtf_loan_paise"] - theirs.funds.mtf_loan_paise) > TOLERANCE_PAISE:
        found.append(Difference(BreakKind.LOAN, ours["mtf_loan_paise"], theirs.funds.mtf_loan_paise))
    return found + _share_differences(unit, client_id, theirs, index)


def _has_open_buys(unit: Unit, client_id: int) -> bool:
    """Whether orders of this client block money now."""
    orders = table(Order)
    blocking = (orders.c.client_id == client_id) & (orders.c.blocked_paise > 0)
    return unit.connection.execute(select(orders.c.id).where(blocking)).first() is not None


def _has_traded_on_margin(unit: Unit, client_id: int, market_clock: MarketClock) -> bool:
    """Whether this client has bought or sold by the margin trading facility today."""
    orders = table(Order)
    traded = (
        (orders.c.client_id == client_id)
        & (orders.c.product == Product.MTF.value)
        & (orders.c.trading_date == market_clock.trading_day)
        & (orders.c.filled_quantity > 0)
    )
    return unit.connection.execute(select(orders.c.id).where(traded)).first() is not None


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
    unit: Unit, client_id: int, theirs: Theirs, index: InstrumentIndex
) -> list[Difference]:
    holdings = table(Holding)
    ours: dict[tuple[str, str], Any] = {
        (row["security"], row["product"]): row
        for row in unit.connection.execute(
            select(holdings).where(holdings.c.client_id == client_id)
        ).mappings()
    }
    there: dict[tuple[str, str], list[BrokerHolding]] = defaultdict(list)
    for held in theirs.holdings:
        there[security_of(held, index), held.product.value].append(held)
    found: list[Difference] = []
    for key in sorted(ours.keys() | there.keys()):
        row, rows = ours.get(key), there.get(key, [])
        here = row["today"] + row["t1"] + row["free"] + row["pledged"] if row is not None else 0
        other = sum(held.free + held.t1 + held.today + held.pledged for held in rows)
        if here == other:
            continue
        cost = sum(held.cost_paise for held in rows) - (row["cost_paise"] if row is not None else 0)
        exchange: str = rows[0].exchange if rows else ours[key]["exchange"]
        symbol: str = rows[0].tradingsymbol if rows else ours[key]["tradingsymbol"]
        today, t1 = (
            sum(getattr(held, name) for held in rows) - (row[name] if row is not None else 0)
            for name in ("today", "t1")
        )
        figures = (max(0, cost), max(0, today), max(0, t1))
        found.append(Difference(BreakKind.SHARES, here, other, *key, exchange, symbol, *figures))
    return found


def _keep_breaks(
    unit: Unit, client_id: int, day: date, found: Sequence[Difference], how: str, book: Book, actor: str
) -> None:
    """Open, change or close break rows so that they say what was found; each change is told and audited."""
    breaks = table(Break)
    standing = {
        (row["kind"], row["security"], row["product"]): row
        for row in unit.connection.execute(
            select(breaks).where(
                breaks.c.client_id == client_id,
                breaks.c.kind != BreakKind.UNREAD.value,
                breaks.c.closed_at.is_(None),
            )
        ).mappings()
    }
    code = book.clients[client_id].code
    for one in found:
        row = standing.pop((one.kind.value, one.security, one.product), None)
        if row is not None and (row["ours"], row["theirs"]) == (one.ours, one.theirs):
            continue
        if row is not None:
            _close(unit, row["id"], "other figures")
        unit.insert(
            Break,
            [
                {
                    "id": unit.take_ids("break", 1)[0],
                    "client_id": client_id,
                    "kind": one.kind.value,
                    "security": one.security,
                    "product": one.product,
                    "tradingsymbol": one.tradingsymbol,
                    "ours": one.ours,
                    "theirs": one.theirs,
                    "trading_date": day,
                    "opened_at": unit.now,
                }
            ],
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
        _close(unit, row["id"], how or "both agree again")
        unit.audit(
            AuditEntry(
                "BREAK_CLOSED",
                actor,
                client_id=client_id,
                details={"break": row["id"], "how": how or "both agree again"},
            )
        )
        unit.publish(TapeLine(unit.now, BooksAgree(code)))
        unit.touched.clients.add(client_id)


def _close(unit: Unit, break_id: int, how: str) -> None:
    breaks = table(Break)
    unit.connection.execute(
        update(breaks).where(breaks.c.id == break_id).values(closed_at=unit.now, closed_how=how)
    )
