"""What a desk keeps in memory of its books: read whole when it opens, then again whatever a commit touched.

Row classes are the caller's: their fields are columns, or what is made here under the field's name.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    text,
    type_coerce,
)

from data.repositories.base import On, Query, among, given, named_as
from data.repositories.instruments import is_former_name, names_now
from data.repositories.readable import Members, Projected, ReadableQuery, Words
from data.repositories.stored_values import field_classes, is_enum
from data.repositories.trading.orders import WRITTEN
from data.roster import InGroup, StoredClient, StoredRule
from data.tables.access import BrokerSession, ClientRoute, ConsentEnd, ConsentRecord, GateWaiver
from data.tables.books import (
    Break,
    Client,
    ClientGroup,
    Funds,
    GroupRule,
    Hold,
    HoldingRecord,
    SizingBase,
    UnbookedFact,
)
from data.tables.columns import table
from data.tables.lots import LEFT, ClosedLotRecord, LotRecord
from data.tables.market import FormerName
from data.tables.orders import FillRecord, Halt, Order, RunRecord
from data.vocabulary import (
    LIVE_STATES,
    BreakKind,
    Bucket,
    GateItem,
    PauseReason,
    PhaseKind,
    Product,
)

T = TypeVar("T")


# --- clients and how they reach their brokers ---------------------------------------------------------------


class Waived(Struct, frozen=True):
    """An item of a client's gate that was waived, and why."""

    client_id: int
    item: GateItem
    reason: str


def _clients() -> ReadableQuery[StoredClient]:
    clients, bases, funds = table(Client), table(SizingBase), table(Funds)
    of_the_day = (bases.c.client_id == clients.c.id) & (bases.c.trading_date == given("day"))
    made = {"base_paise": bases.c.capital_paise, "mtf_limit_paise": funds.c.mtf_limit_paise}
    query = (
        select(*named_as(StoredClient, clients, **made))
        .outerjoin_from(clients, bases, of_the_day)
        .outerjoin(funds, funds.c.client_id == clients.c.id)
        .order_by(clients.c.code)
    )
    return ReadableQuery(StoredClient, query, strict=True)


def _waivers() -> ReadableQuery[Waived]:
    waivers = table(GateWaiver)
    query = select(*named_as(Waived, waivers)).where(waivers.c.trading_date == given("day"))
    return ReadableQuery(Waived, query.order_by(waivers.c.id))


CLIENTS = _clients()
"""Every client by code, with its sizing base of the `day`."""

GROUPS = Query(InGroup, select(*named_as(InGroup, table(ClientGroup))))
"""Clients by the groups they are in."""

GROUP_RULES = Query(
    StoredRule, select(*named_as(StoredRule, table(GroupRule))).order_by(table(GroupRule).c.name)
)
"""Groups by rule, by name."""

WAIVERS = _waivers()
"""What was waived at the gate on the `day`, oldest first."""


def routes(row: type[T]) -> ReadableQuery[T]:
    """Every client's route."""
    return ReadableQuery(row, select(*named_as(row, table(ClientRoute))))


def sessions(row: type[T]) -> ReadableQuery[T]:
    """Every client's session at its broker, its `problem` a word."""
    sessions = table(BrokerSession)
    return ReadableQuery(row, select(*named_as(row, sessions, problem=sessions.c.problem_code)))


def consents(row: type[T]) -> ReadableQuery[T]:
    """Every consent that was ever given, oldest first, with when, by whom and why it was ended."""
    given_by, ends = table(ConsentRecord), table(ConsentEnd)
    made = {"ended_at": ends.c.at, "ended_by": ends.c.actor, "ended_why": ends.c.why}
    query = select(*named_as(row, given_by, **made)).outerjoin_from(
        given_by, ends, ends.c.consent_id == given_by.c.id
    )
    return ReadableQuery(row, query.order_by(given_by.c.id))


# --- money and shares ---------------------------------------------------------------------------------------


def funds(row: type[T]) -> Projected[T]:
    """Clients' balances, with what holds keep of them and what is lent within the day."""
    funds, holds, lots = table(Funds), table(Hold), table(LotRecord)
    held = (
        select(func.sum(holds.c.amount_paise))
        .where(holds.c.client_id == funds.c.client_id, holds.c.released_at.is_(None))
        .scalar_subquery()
    )
    lent = (  # what its lots still owe is what the postings of its account come to, which the doctor holds
        select(func.sum(lots.c.loan_left_paise))
        .where(lots.c.client_id == funds.c.client_id, lots.c.product == Product.MIS.value, text(LEFT))
        .scalar_subquery()
    )
    made = {"held_paise": _number(held), "intraday_loan_paise": _number(lent)}
    return Projected(row, select(*named_as(row, funds, **made)), funds.c.client_id)


def _number(of: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.coalesce(of, 0), BigInteger)


def holdings(row: type[T]) -> Projected[T]:
    """Clients' shares by symbol, their `key` that of now; the cost of today's is theirs where any are."""
    holdings = table(HoldingRecord)
    made: dict[str, ColumnElement[Any]] = {
        "key": holdings.c.exchange + ":" + holdings.c.tradingsymbol,
        "today_cost_paise": case((holdings.c.today != 0, holdings.c.cost_paise), else_=0),
    }
    query = select(*named_as(row, holdings, **made))
    return Projected(row, query.order_by(holdings.c.tradingsymbol, holdings.c.product), holdings.c.client_id)


class CostOfToday(Struct, frozen=True):
    """What a client's shares of one holding cost that were bought today, in paise."""

    client_id: int
    security: str
    product: str
    cost_paise: int


def _costs_of_today() -> Query[CostOfToday]:
    lots = table(LotRecord)
    group = (lots.c.client_id, lots.c.security, lots.c.product)
    query = (
        select(*group, func.sum(lots.c.cost_left_paise))
        .where(lots.c.bucket == Bucket.TODAY.value, among(lots.c.client_id, "clients"), text(LEFT))
        .group_by(*group)
    )
    return Query(CostOfToday, query)


_COSTS_OF_TODAY = _costs_of_today()


def costs_of_today(on: On, clients: Collection[int]) -> list[CostOfToday]:
    """What these clients' shares bought today cost. Raises `ValueError` where that cannot be read."""
    return _COSTS_OF_TODAY.all(on, clients=clients) if clients else []


# --- what a day has brought and cost ------------------------------------------------------------------------


class Sold(Struct, frozen=True):
    """A client's sales of a day out of one holding, of shares bought that day or of others; in paise.

    A lot says which by its bucket, since one adopted from the broker may have been opened today.
    """

    client_id: int
    exchange: str
    tradingsymbol: str
    product: Product
    bought_today: bool
    quantity: int
    cost_paise: int
    pnl_paise: int


class Paid(Struct, frozen=True):
    """What a client's fills of a day in one security and product cost in charges, in paise."""

    client_id: int
    security: str
    product: Product
    charges_paise: int


def _sold(*where: ColumnElement[bool]) -> Query[Sold]:
    closed, lots, holdings = table(ClosedLotRecord), table(LotRecord), table(HoldingRecord)
    today: ColumnElement[str] = literal_column(
        f"'{Bucket.TODAY.value}'"
    )  # a place would be another value where it is grouped by
    bought_today = (lots.c.bucket == today).label("bought_today")
    names = (holdings.c.exchange, holdings.c.tradingsymbol)
    group = (closed.c.client_id, *names, closed.c.product, bought_today)
    same = [closed.c[name] == holdings.c[name] for name in ("client_id", "security", "product")]
    sums = (closed.c.quantity, closed.c.cost_paise, closed.c.proceeds_paise - closed.c.cost_paise)
    query = (
        select(*group, *(func.sum(one) for one in sums))
        .join(lots, lots.c.id == closed.c.lot_id)
        .join(holdings, and_(*same))
        .where(closed.c.trading_date == given("day"), *where)
        .group_by(*group)
    )
    return Query(Sold, query)


def _paid(*where: ColumnElement[bool]) -> Query[Paid]:
    fills, orders = table(FillRecord), table(Order)
    group = (fills.c.client_id, orders.c.security, orders.c.product)
    query = select(*group, func.sum(fills.c.charges_paise)).join(orders, orders.c.id == fills.c.order_id)
    return Query(Paid, query.where(fills.c.trading_date == given("day"), *where).group_by(*group))


_SOLD, _SOLD_OF_CLIENTS = _sold(), _sold(among(table(ClosedLotRecord).c.client_id, "clients"))
_PAID, _PAID_OF_CLIENTS = _paid(), _paid(among(table(FillRecord).c.client_id, "clients"))


def sold_on(on: On, day: date, clients: Collection[int] | None) -> list[Sold]:
    """The sales of a day, of all clients where None are named. Raises `ValueError`."""
    return _of_clients(on, day, clients, _SOLD, _SOLD_OF_CLIENTS)


def paid_on(on: On, day: date, clients: Collection[int] | None) -> list[Paid]:
    """The charges of a day by what was traded, of all clients where None are named. Raises `ValueError`."""
    return _of_clients(on, day, clients, _PAID, _PAID_OF_CLIENTS)


def _of_clients(
    on: On, day: date, clients: Collection[int] | None, every: Query[T], some: Query[T]
) -> list[T]:
    if clients is None:
        return every.all(on, day=day)
    return some.all(on, day=day, clients=clients) if clients else []


# --- differences from the brokers ---------------------------------------------------------------------------


def breaks(row: type[T]) -> Projected[T]:
    """The differences from the brokers that stand, oldest first."""
    breaks = table(Break)
    query = select(*named_as(row, breaks, order_id=null(), problem=literal("")))
    standing = query.where(breaks.c.closed_at.is_(None)).order_by(breaks.c.id)
    return Projected(row, standing, breaks.c.client_id)


def unbooked_facts(row: type[T]) -> Projected[T]:
    """What brokers told of clients and no booking took, as differences of that kind, oldest first."""
    facts = table(UnbookedFact)
    nothing = {name: literal("") for name in ("security", "product", "tradingsymbol", "detail")}
    figures = {"ours": literal(0), "theirs": literal(0)}
    query = select(
        *named_as(row, facts, kind=literal(BreakKind.FACT.value), opened_at=facts.c.at, **nothing, **figures)
    )
    standing = facts.c.closed_at.is_(None) & facts.c.client_id.is_not(None)
    return Projected(row, query.where(standing).order_by(facts.c.id), facts.c.client_id)


# --- orders, runs, halts ------------------------------------------------------------------------------------


def orders(row: type[T]) -> Projected[T]:
    """Orders; all that are kept are the live ones and those of runs from the trading day before `day` on."""
    orders = table(Order)
    live = [state.value for state in LIVE_STATES]
    before = select(func.max(orders.c.trading_date)).where(orders.c.trading_date < given("day"))
    since = func.coalesce(before.scalar_subquery(), given("day"))
    standing = (orders.c.trading_date >= since) | orders.c.state.in_(live)
    of_runs = orders.c.run_number.in_(select(orders.c.run_number).where(standing))
    query = _orders_as(row)
    every = query.where(or_(of_runs, orders.c.run_number.is_(None) & standing))
    return Projected(row, query, orders.c.id, every)


class WrittenOrders(Generic[T]):
    """Orders made of the cells that were written, as a read makes them of their rows."""

    def __init__(self, row: type[T]) -> None:
        kinds = field_classes(row)
        source = {"key": "exchange", "modifying": "asked_quantity"}
        self._make = row
        self._names = list(kinds)
        self._places = [WRITTEN.index(source.get(name, name)) for name in kinds]
        self._words = [(place, kind) for place, kind in enumerate(kinds.values()) if is_enum(kind)]
        self._moments = [place for place, kind in enumerate(kinds.values()) if kind is datetime]

    def made(self, on: On, written: Sequence[Sequence[Any]]) -> list[T] | None:
        """The orders; None where one has a word of no meaning known here, for which a read stands in."""
        if not written:
            return []
        stored = list(zip(*written, strict=True))
        columns: list[Iterable[Any]] = [stored[place] for place in self._places]
        if any(set(map(type, columns[place])) != {kind} for place, kind in self._words):
            return None
        for place in self._moments:
            columns[place] = map(_utc, columns[place])
        said = {words: words for words in stored[_SUB_STATUS]}  # one text for all who say the same
        columns[self._names.index("sub_status")] = map(said.__getitem__, stored[_SUB_STATUS])
        columns[self._names.index("flags")] = map(tuple, stored[_FLAGS])
        columns[self._names.index("modifying")] = (asked is not None for asked in stored[_ASKED])
        securities = list(zip(*(stored[place] for place in _SECURITY), strict=True))
        now = {one: f"{one[1]}:{symbol}" for one, symbol in names_now(on, set(securities)).items()}
        columns[self._names.index("key")] = map(now.__getitem__, securities)
        return list(map(self._make, *columns))


_SECURITY = [WRITTEN.index(name) for name in ("security", "exchange", "tradingsymbol")]
_FLAGS, _ASKED, _SUB_STATUS = map(WRITTEN.index, ("flags", "asked_quantity", "sub_status"))


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is UTC else moment.astimezone(UTC)


def orders_of_runs(row: type[T]) -> ReadableQuery[T]:
    """The orders of a trading `day` that runs made, in the order of their numbers."""
    orders = table(Order)
    query = _orders_as(row).where(orders.c.trading_date == given("day"), orders.c.run_number.is_not(None))
    return ReadableQuery(row, query.order_by(orders.c.id))


def _orders_as(row: type[T]) -> Select[*tuple[Any, ...]]:
    """Orders with their `key` of now, their `flags` as words and whether one is `modifying`."""
    orders, former = table(Order), table(FormerName)
    made: dict[str, ColumnElement[Any]] = {
        "key": orders.c.exchange + ":" + func.coalesce(former.c.now, orders.c.tradingsymbol),
        "flags": type_coerce(orders.c.flags, Words()),
        "modifying": orders.c.asked_quantity.is_not(None),
    }
    return select(*named_as(row, orders, **made)).outerjoin_from(orders, former, is_former_name())


def runs(row: type[T]) -> ReadableQuery[T]:
    """Stored runs of some `numbers`; one of a version before has no reason of its pause that is known."""
    runs = table(RunRecord)
    known, phases = [reason.value for reason in PauseReason], [phase.value for phase in PhaseKind]
    made: dict[str, ColumnElement[Any]] = {
        "confirmed_at": func.coalesce(runs.c.confirmed_at, runs.c.started_at),
        "pause_reason": case((runs.c.pause_reason.in_(known), runs.c.pause_reason)),
        "held": case((runs.c.held.in_(known), runs.c.held)),
        "phase": case((runs.c.phase.in_(phases), runs.c.phase)),
        "held_phase": case((runs.c.held_phase.in_(phases), runs.c.held_phase)),
    }
    query = select(*named_as(row, runs, **made)).where(among(runs.c.number, "numbers"))
    return ReadableQuery(row, query, strict=True)


def _halts(row: type[T]) -> Select[Any]:
    members = type_coerce(table(Halt).c.members, Members())
    return select(*named_as(row, table(Halt), members=members, here=literal(False)))


def halts(row: type[T]) -> ReadableQuery[T]:
    """The halts that stand now, oldest first, their `members` a set."""
    halts = table(Halt)
    return ReadableQuery(row, _halts(row).where(halts.c.resumed_at.is_(None)).order_by(halts.c.number))


MOST_LIFTED = 100
"""How many halts that were resumed are looked at: what was confirmed before all of them is old."""


def lifted_halts(row: type[T]) -> ReadableQuery[T]:
    """The newest halts that were resumed, so many of them at most, their `members` a set."""
    halts = table(Halt).c
    lifted = _halts(row).where(halts.resumed_at.is_not(None)).order_by(halts.number.desc())
    return ReadableQuery(row, lifted.limit(MOST_LIFTED))
