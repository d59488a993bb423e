"""The book: what the store says of clients, money, shares and orders, in memory, for reading only.

It is read again from the database after each commit, on the writer's thread, for whatever that commit
touched; the guards in SQL stay the authority.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from data.money import half_up
from data.store import Touched, chunks
from data.tables import (
    Client,
    ClientGroup,
    ClosedLot,
    Fill,
    Funds,
    Halt,
    Hold,
    Holding,
    Order,
    RunRecord,
    SizingBase,
    table,
)
from data.vocabulary import (
    LIVE_STATES,
    ClientStatus,
    HaltScope,
    OrderState,
    OrderType,
    Product,
    Reason,
    RunStatus,
    SessionState,
    Side,
)
from engine.events import ClientsChanged, Event, FundsChanged, HaltChanged, OrderChanged, RunChanged

_ENDED_BADLY = frozenset(
    {OrderState.UNKNOWN, OrderState.REJECTED, OrderState.DENIED, OrderState.NOT_RECEIVED}
)


@dataclass(frozen=True, slots=True)
class ClientView:
    """One client as screens and plans see it. `gate` is None when the client may trade."""

    id: int
    code: str
    name: str
    broker: str
    broker_user_id: str
    status: ClientStatus
    status_reason: str
    status_since: date | None
    session: SessionState
    route: str
    route_ready: bool
    capital_paise: int
    mtf_limit_paise: int
    groups: tuple[str, ...]
    phone: str

    @property
    def gate(self) -> Reason | None:
        """The first reason why no order of this client may be sent, if any."""
        if self.status is ClientStatus.PENDING:
            return Reason.CLIENT_PENDING
        if self.status is ClientStatus.INACTIVE:
            return Reason.CLIENT_INACTIVE
        if self.session is SessionState.EXPIRED:
            return Reason.SESSION_EXPIRED
        return None if self.route_ready else Reason.ROUTE_NOT_READY


@dataclass(frozen=True, slots=True)
class FundsView:
    """A client's balances in paise. `held_paise` is the part of `blocked_paise` that named holds keep."""

    client_id: int
    available_paise: int = 0
    blocked_paise: int = 0
    held_paise: int = 0
    unsettled_paise: int = 0
    charges_due_paise: int = 0
    mtf_limit_paise: int = 0
    mtf_loan_paise: int = 0
    mtf_reserved_paise: int = 0
    shortfall_paise: int = 0


@dataclass(frozen=True, slots=True)
class HoldingView:
    """A client's shares of one security and product. `blocked` counts shares that open sells hold."""

    client_id: int
    security: str
    key: str
    tradingsymbol: str
    product: Product
    today: int
    t1: int
    free: int
    pledged: int
    blocked: int
    cost_paise: int

    @property
    def quantity(self) -> int:
        """All shares, sellable or not."""
        return self.today + self.t1 + self.free + self.pledged

    @property
    def sellable(self) -> int:
        """Shares that a sell may take now; trade-to-trade securities allow only the free ones."""
        return max(0, self.free + self.t1 + self.today - self.blocked)

    @property
    def average_paise(self) -> int:
        """Cost per share, half-up, for display."""
        return half_up(self.cost_paise, self.quantity) if self.quantity else 0


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order as it stands."""

    id: int
    run_number: int
    plan_number: int
    client_id: int
    broker: str
    key: str
    tradingsymbol: str
    side: Side
    product: Product
    order_type: OrderType
    quantity: int
    filled_quantity: int
    filled_notional_paise: int
    limit_paise: int | None
    reserve_price_paise: int
    state: OrderState
    sub_status: str
    reason_code: str
    reason_text: str
    broker_order_id: str | None
    tag: str | None
    flags: tuple[str, ...]
    blocked_paise: int
    instance_id: int
    trading_date: date
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None

    @property
    def leaves(self) -> int:
        """Shares that could still trade."""
        return max(0, self.quantity - self.filled_quantity) if self.live else 0

    @property
    def live(self) -> bool:
        """Whether it could still trade."""
        return self.state in LIVE_STATES

    @property
    def needs_trader(self) -> bool:
        """Whether a trader should look: UNKNOWN, refused by anyone, partly filled, or flagged."""
        partly = 0 < self.filled_quantity < self.quantity
        return bool(self.flags) or partly or self.state in _ENDED_BADLY

    @property
    def average_paise(self) -> int | None:
        """Average fill price, half-up, for display."""
        return half_up(self.filled_notional_paise, self.filled_quantity) if self.filled_quantity else None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as stored; `RunView` adds the counts."""

    number: int
    plan_number: int
    title: str
    status: RunStatus
    actor: str
    instance_id: int
    skipped: int
    left_paise: int
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class HaltView:
    """A halt that has not been resumed."""

    number: int
    scope: HaltScope
    value: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What a client has realised and paid on the current trading day, in paise."""

    realised_paise: int = 0
    charges_paise: int = 0


@dataclass(slots=True)
class Projection:
    """Rows read back after a commit; replaces what the book had of the same keys."""

    clients: dict[int, ClientView] | None = None
    funds: dict[int, FundsView] = field(default_factory=dict[int, FundsView])
    holdings: dict[int, tuple[HoldingView, ...]] = field(default_factory=dict[int, tuple[HoldingView, ...]])
    figures: dict[int, DayFigures] = field(default_factory=dict[int, DayFigures])
    orders: dict[int, OrderView] = field(default_factory=dict[int, OrderView])
    runs: dict[int, RunRow] = field(default_factory=dict[int, RunRow])
    halts: list[HaltView] | None = None


class Book:
    """The projection. `routes` says how a broker's clients leave: its words and whether it is ready."""

    def __init__(self, route: Mapping[str, str], trading_day: Callable[[], date]) -> None:
        self._route = route
        self._trading_day = trading_day
        self.clients: dict[int, ClientView] = {}
        self.funds: dict[int, FundsView] = {}
        self.holdings: dict[int, tuple[HoldingView, ...]] = {}
        self.figures: dict[int, DayFigures] = {}
        self.orders: dict[int, OrderView] = {}
        self.orders_of_run: dict[int, set[int]] = defaultdict(set)
        self.live: set[int] = set()
        self.attention: set[int] = set()
        self.by_broker_id: dict[tuple[int, str], int] = {}
        self.by_tag: dict[str, int] = {}
        self.runs: dict[int, RunRow] = {}
        self.halts: list[HaltView] = []
        self.by_code: dict[str, int] = {}
        self.by_account: dict[tuple[str, str], int] = {}

    # --- reading, on the writer's thread ---

    def project(self, connection: Connection, touched: Touched) -> Projection:
        """Read what was touched."""
        day = self._trading_day()
        out = Projection()
        everything = touched.everything
        if everything or touched.roster:
            out.clients = self._read_clients(connection, day)
        client_ids = None if everything or touched.roster else touched.clients
        out.funds = _read_funds(connection, client_ids)
        out.holdings = _read_holdings(connection, client_ids)
        out.figures = _read_figures(connection, client_ids, day)
        for client_id in out.funds:  # each client has its row; what is not found of it is empty, not unknown
            out.holdings.setdefault(client_id, ())
            out.figures.setdefault(client_id, DayFigures())
        out.orders = _read_orders(connection, None if everything else touched.orders, day)
        out.runs = _read_runs(connection, None if everything else touched.runs)
        if everything or touched.halts:
            out.halts = read_halts(connection)
        return out

    def _read_clients(self, connection: Connection, day: date) -> dict[int, ClientView]:
        clients, groups, bases, funds = table(Client), table(ClientGroup), table(SizingBase), table(Funds)
        member: dict[int, list[str]] = defaultdict(list)
        for client_id, name in connection.execute(select(groups.c.client_id, groups.c.name)):
            member[client_id].append(name)
        rows = connection.execute(
            select(clients, bases.c.capital_paise.label("base"), funds.c.mtf_limit_paise)
            .outerjoin(bases, (bases.c.client_id == clients.c.id) & (bases.c.trading_date == day))
            .outerjoin(funds, funds.c.client_id == clients.c.id)
            .order_by(clients.c.code)
        ).mappings()
        out: dict[int, ClientView] = {}
        for row in rows:
            route = self._route.get(row["broker"], "")
            out[row["id"]] = ClientView(
                id=row["id"],
                code=row["code"],
                name=row["name"],
                broker=row["broker"],
                broker_user_id=row["broker_user_id"],
                status=ClientStatus(row["status"]),
                status_reason=row["status_reason"],
                status_since=row["status_since"],
                session=SessionState(row["session"]),
                route=route or "none",
                route_ready=bool(route),
                capital_paise=row["capital_paise"] if row["base"] is None else row["base"],
                mtf_limit_paise=row["mtf_limit_paise"] or 0,
                groups=tuple(sorted(member[row["id"]])),
                phone=row["phone"],
            )
        return out

    # --- applying, on the event loop ---

    def apply(self, projection: Projection) -> list[Event]:
        """Take a projection in; gives the events that tell what changed."""
        events: list[Event] = []
        if projection.clients is not None:
            self.clients = projection.clients
            self.by_code = {view.code.upper(): view.id for view in self.clients.values()}
            self.by_account = {(v.broker, v.broker_user_id): v.id for v in self.clients.values()}
            events.append(ClientsChanged(frozenset()))
        self.funds.update(projection.funds)
        self.holdings.update(projection.holdings)
        self.figures.update(projection.figures)
        touched_money = frozenset(projection.funds)
        if touched_money:
            events.append(FundsChanged(touched_money))
        for order_id, order in projection.orders.items():
            self.orders[order_id] = order
            self.orders_of_run[order.run_number].add(order_id)
            if order.live:
                self.live.add(order_id)
            else:
                self.live.discard(order_id)
            if order.needs_trader:
                self.attention.add(order_id)
            else:
                self.attention.discard(order_id)
            if order.tag:
                self.by_tag[order.tag] = order_id
            if order.broker_order_id:
                self.by_broker_id[order.client_id, order.broker_order_id] = order_id
        if projection.orders:
            ids = frozenset(projection.orders)
            events.append(OrderChanged(ids, frozenset(o.client_id for o in projection.orders.values())))
        self.runs.update(projection.runs)
        numbers = set(projection.runs) | {order.run_number for order in projection.orders.values()}
        events += [RunChanged(number) for number in sorted(numbers)]
        if projection.halts is not None and projection.halts != self.halts:
            before = {halt.number for halt in self.halts}
            self.halts = projection.halts
            changed = before ^ {halt.number for halt in self.halts}
            events += [HaltChanged(number) for number in sorted(changed)]
        return events


def _pieces(ids: Iterable[int] | None) -> Iterable[list[int] | None]:
    return [None] if ids is None else chunks(ids)


def _read_funds(connection: Connection, client_ids: Iterable[int] | None) -> dict[int, FundsView]:
    funds, holds = table(Funds), table(Hold)
    out: dict[int, FundsView] = {}
    for ids in _pieces(client_ids):
        held_query = (
            select(holds.c.client_id, func.sum(holds.c.amount_paise))
            .where(holds.c.released_at.is_(None))
            .group_by(holds.c.client_id)
        )
        query = select(funds)
        if ids is not None:
            held_query = held_query.where(holds.c.client_id.in_(ids))
            query = query.where(funds.c.client_id.in_(ids))
        held = {int(row[0]): int(row[1]) for row in connection.execute(held_query)}
        for row in connection.execute(query).mappings():
            out[row["client_id"]] = FundsView(**row, held_paise=held.get(row["client_id"], 0))
    return out


def _read_holdings(
    connection: Connection, client_ids: Iterable[int] | None
) -> dict[int, tuple[HoldingView, ...]]:
    holdings = table(Holding)
    out: dict[int, list[HoldingView]] = defaultdict(list)
    for ids in _pieces(client_ids):
        query = select(holdings).order_by(holdings.c.tradingsymbol, holdings.c.product)
        if ids is not None:
            query = query.where(holdings.c.client_id.in_(ids))
            for client_id in ids:
                out[client_id] = []
        for row in connection.execute(query).mappings():
            if row["today"] + row["t1"] + row["free"] + row["pledged"] + row["blocked"] == 0:
                continue  # sold out: its postings tell its story
            out[row["client_id"]].append(
                HoldingView(
                    client_id=row["client_id"],
                    security=row["security"],
                    key=f"{row['exchange']}:{row['tradingsymbol']}",
                    tradingsymbol=row["tradingsymbol"],
                    product=Product(row["product"]),
                    today=row["today"],
                    t1=row["t1"],
                    free=row["free"],
                    pledged=row["pledged"],
                    blocked=row["blocked"],
                    cost_paise=row["cost_paise"],
                )
            )
    return {client_id: tuple(views) for client_id, views in out.items()}


def _read_figures(
    connection: Connection, client_ids: Iterable[int] | None, day: date
) -> dict[int, DayFigures]:
    closed, fills = table(ClosedLot), table(Fill)
    realised: dict[int, int] = defaultdict(int)
    charges: dict[int, int] = defaultdict(int)
    known: set[int] = set()
    for ids in _pieces(client_ids):
        sold = (
            select(closed.c.client_id, func.sum(closed.c.proceeds_paise - closed.c.cost_paise))
            .where(closed.c.trading_date == day)
            .group_by(closed.c.client_id)
        )
        paid = (
            select(fills.c.client_id, func.sum(fills.c.charges_paise))
            .where(fills.c.trading_date == day)
            .group_by(fills.c.client_id)
        )
        if ids is not None:
            sold = sold.where(closed.c.client_id.in_(ids))
            paid = paid.where(fills.c.client_id.in_(ids))
            known.update(ids)
        for client_id, total in connection.execute(sold):
            realised[client_id] += int(total)
        for client_id, total in connection.execute(paid):
            charges[client_id] += int(total)
    return {c: DayFigures(realised[c], charges[c]) for c in known | realised.keys() | charges.keys()}


def _read_orders(connection: Connection, order_ids: Iterable[int] | None, day: date) -> dict[int, OrderView]:
    orders = table(Order)
    out: dict[int, OrderView] = {}
    for ids in _pieces(order_ids):
        query = select(orders)
        if ids is not None:
            query = query.where(orders.c.id.in_(ids))
        else:
            live = [state.value for state in LIVE_STATES]
            query = query.where((orders.c.trading_date == day) | orders.c.state.in_(live))
        for row in connection.execute(query).mappings():
            out[row["id"]] = order_view(row)
    return out


def order_view(row: Mapping[Any, Any]) -> OrderView:
    """A stored order as a view."""
    return OrderView(
        id=row["id"],
        run_number=row["run_number"],
        plan_number=row["plan_number"],
        client_id=row["client_id"],
        broker=row["broker"],
        key=f"{row['exchange']}:{row['tradingsymbol']}",
        tradingsymbol=row["tradingsymbol"],
        side=Side(row["side"]),
        product=Product(row["product"]),
        order_type=OrderType(row["order_type"]),
        quantity=row["quantity"],
        filled_quantity=row["filled_quantity"],
        filled_notional_paise=row["filled_notional_paise"],
        limit_paise=row["limit_paise"],
        reserve_price_paise=row["reserve_price_paise"],
        state=OrderState(row["state"]),
        sub_status=row["sub_status"],
        reason_code=row["reason_code"],
        reason_text=row["reason_text"],
        broker_order_id=row["broker_order_id"],
        tag=row["tag"],
        flags=tuple(row["flags"].split()),
        blocked_paise=row["blocked_paise"],
        instance_id=row["instance_id"],
        trading_date=row["trading_date"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        ended_at=row["ended_at"],
    )


def _read_runs(connection: Connection, numbers: Iterable[int] | None) -> dict[int, RunRow]:
    runs = table(RunRecord)
    out: dict[int, RunRow] = {}
    for ids in _pieces(numbers):
        query = select(runs)
        query = (
            query.where(runs.c.number.in_(ids))
            if ids is not None
            else query.order_by(runs.c.number.desc()).limit(200)
        )
        for row in connection.execute(query).mappings():
            values: dict[str, Any] = {**row, "status": RunStatus(row["status"])}
            out[row["number"]] = RunRow(**values)
    return out


def read_halts(connection: Connection) -> list[HaltView]:
    """The halts that stand now, oldest first."""
    halts = table(Halt)
    return [
        HaltView(row.number, HaltScope(row.scope), row.value, row.at, row.by)
        for row in connection.execute(
            select(halts.c.number, halts.c.scope, halts.c.value, halts.c.at, halts.c.by)
            .where(halts.c.resumed_at.is_(None))
            .order_by(halts.c.number)
        )
    ]
