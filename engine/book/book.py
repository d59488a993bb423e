"""The book: what the store says of clients, money, shares and orders, in memory, for reading only.

It is read again from the database after each commit, on the writer's thread, for whatever that commit
touched; the guards in SQL stay the authority.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, func, select

from brokers.contract import BrokerOrder
from data.columns import table
from data.order_tables import Halt, Order, RunRecord
from data.proving.readable import UNREADABLE, rows_read
from data.reference.names import is_former_name
from data.store import Touched, chunks
from data.tables import (
    Break,
    Client,
    ClientGroup,
    FormerName,
    Funds,
    Hold,
    Holding,
    Posting,
    SizingBase,
    UnbookedFact,
)
from data.vocabulary import (
    LIVE_STATES,
    Account,
    BreakKind,
    ClientStatus,
    HaltScope,
    OrderState,
    Product,
    SessionState,
)
from engine.book.access_views import Access, Applicant, Judge, read_access
from engine.book.day_figures import costs_of_today, read_figures
from engine.book.views import (
    BreakView,
    ClientView,
    DayFigures,
    FundsView,
    HaltView,
    HoldingView,
    OrderView,
    RunRow,
    order_view,
    run_row,
)
from engine.events import (
    ClientsChanged,
    Event,
    FundsChanged,
    HaltChanged,
    OrderChanged,
    RunChanged,
    SessionsChanged,
)


@dataclass(slots=True)
class Projection:
    """Rows read back after a commit; replaces what the book had of the same keys."""

    clients: dict[int, ClientView] | None = None
    access: Access = field(default_factory=Access)
    shared: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    funds: dict[int, FundsView] = field(default_factory=dict[int, FundsView])
    holdings: dict[int, tuple[HoldingView, ...]] = field(default_factory=dict[int, tuple[HoldingView, ...]])
    figures: dict[int, DayFigures] = field(default_factory=dict[int, DayFigures])
    orders: dict[int, OrderView] = field(default_factory=dict[int, OrderView])
    runs: dict[int, RunRow] = field(default_factory=dict[int, RunRow])
    halts: list[HaltView] | None = None
    breaks: dict[int, tuple[BreakView, ...]] = field(default_factory=dict[int, tuple[BreakView, ...]])


class Book:
    """The projection. `adapters` names the adapter that serves each broker's clients, `simulated` says that
    these are stand-ins on this machine, `judge` what is against a client.

    Three are no projections: `foreign`, the live orders at brokers that this desk did not send, `reconciled`,
    the clients whose books were compared with the broker's since the desk was opened, and `authorised`, the
    shares by security that a client had released for sale when its holdings were last read.
    """

    def __init__(
        self,
        adapters: Mapping[str, str],
        trading_day: Callable[[], date],
        simulated: bool = False,
        *,
        judge: Judge,
    ) -> None:
        self._adapters = adapters
        self.simulated = simulated
        self._trading_day = trading_day
        self._judge = judge
        self.clients: dict[int, ClientView] = {}
        self.access = Access()
        self.shared: dict[int, tuple[str, ...]] = {}
        self.funds: dict[int, FundsView] = {}
        self.holdings: dict[int, tuple[HoldingView, ...]] = {}
        self.figures: dict[int, DayFigures] = {}
        self.orders: dict[int, OrderView] = {}
        self.orders_of_client: dict[int, set[int]] = defaultdict(set)
        self.foreign: dict[int, dict[str, BrokerOrder]] = {}
        self.reconciled: set[int] = set()
        self.authorised: dict[int, Mapping[str, int]] = {}
        self.breaks: dict[int, tuple[BreakView, ...]] = {}
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
            out.access = read_access(connection, day)
            self._read_clients(connection, day, out)
        client_ids = None if everything or touched.roster else touched.clients
        out.funds = _read_funds(connection, client_ids)
        out.holdings = _read_holdings(connection, client_ids)
        with suppress(*UNREADABLE):  # the opening names it; cancels need no profit
            out.figures = read_figures(connection, client_ids, day)
        out.breaks = read_breaks(connection, client_ids)
        for client_id in out.funds:  # each client has its row; what is not found of it is empty, not unknown
            out.holdings.setdefault(client_id, ())
            out.figures.setdefault(client_id, DayFigures())
            out.breaks.setdefault(client_id, ())
        out.orders = _read_orders(connection, None if everything else touched.orders, day)
        # A run stands with its orders: of one whose orders are all of earlier days nothing could be told.
        of_the_day = _runs_of(out.orders.values())
        out.runs = read_runs(connection, of_the_day if everything else touched.runs)
        if everything or touched.halts:
            out.halts = read_halts(connection)
        return out

    def asking(self) -> set[int]:
        """Orders that the trader should look at, among them unsent ones of runs that paused by themselves."""
        told = (fact.order_id for fact in self.unbooked())
        paused = [run.number for run in self.runs.values() if run.paused_by_itself]
        waiting = (i for number in paused for i in self.orders_of_run.get(number, ()))
        return self.attention.union(
            (order_id for order_id in told if order_id in self.orders),
            (order_id for order_id in waiting if self.orders[order_id].state is OrderState.RESERVED),
        )

    def unbooked(self) -> list[BreakView]:
        """The facts that could not be booked and are not settled."""
        return [one for found in self.breaks.values() for one in found if one.kind is BreakKind.FACT]

    def adapter_of(self, broker: str) -> str:
        """The name of the adapter that serves clients of this broker; empty where there is none."""
        return self._adapters.get(broker, "")

    def _read_clients(self, connection: Connection, day: date, projection: Projection) -> None:
        clients, groups, bases, funds = table(Client), table(ClientGroup), table(SizingBase), table(Funds)
        member: dict[int, list[str]] = defaultdict(list)
        for client_id, name in connection.execute(select(groups.c.client_id, groups.c.name)):
            member[client_id].append(name)
        rows = rows_read(
            connection,
            select(clients, bases.c.capital_paise.label("base"), funds.c.mtf_limit_paise)
            .outerjoin(bases, (bases.c.client_id == clients.c.id) & (bases.c.trading_date == day))
            .outerjoin(funds, funds.c.client_id == clients.c.id)
            .order_by(clients.c.code),
            _client_words,
            strict=True,
        )
        judged = self._judge(projection.access, [self._applicant(row) for row in rows], day)
        projection.shared = judged.shared
        projection.clients = out = dict[int, ClientView]()
        for row in rows:
            admitted = judged.of[row["id"]]
            out[row["id"]] = ClientView(
                id=row["id"],
                code=row["code"],
                name=row["name"],
                broker=row["broker"],
                broker_user_id=row["broker_user_id"],
                status=row["status"],
                status_reason=row["status_reason"],
                status_since=row["status_since"],
                session=admitted.session,
                route=admitted.route,
                route_ready=not admitted.route_words,
                capital_paise=row["capital_paise"] if row["base"] is None else row["base"],
                mtf_limit_paise=row["mtf_limit_paise"] or 0,
                groups=tuple(sorted(member[row["id"]])),
                phone=row["phone"],
                route_words=admitted.route_words,
                consent_words=admitted.consent_words,
                authorised=admitted.authorised,
            )

    def _applicant(self, row: Mapping[str, Any]) -> Applicant:
        return Applicant(
            client_id=row["id"],
            code=row["code"],
            adapter=self.adapter_of(row["broker"]),
            simulated=self.simulated,
            trading=row["status"] is ClientStatus.ACTIVE,
            session=row["session"],
        )

    # --- applying, on the event loop ---

    def begin_day(self, day: date) -> None:
        """What ended on an earlier day asks for nobody's attention any more."""
        self.attention = {
            i for i in self.attention if self.orders[i].live or self.orders[i].trading_date >= day
        }

    def apply(self, projection: Projection) -> list[Event]:
        """Take a projection in; gives the events that tell what changed."""
        day = self._trading_day()
        events: list[Event] = []
        if projection.clients is not None:
            self.clients = projection.clients
            before, sessions = self.access.sessions, projection.access.sessions
            changed = {c for c in before.keys() | sessions.keys() if before.get(c) != sessions.get(c)}
            if changed:  # another process may have signed them in
                events.append(SessionsChanged(frozenset(changed)))
            self.access, self.shared = projection.access, projection.shared
            self.by_code = {view.code.upper(): view.id for view in self.clients.values()}
            self.by_account = {(v.broker, v.broker_user_id): v.id for v in self.clients.values()}
            events.append(ClientsChanged(frozenset()))
        self.funds.update(projection.funds)
        self.holdings.update(projection.holdings)
        self.figures.update(projection.figures)
        self.breaks.update(projection.breaks)
        touched_money = frozenset(projection.funds)
        if touched_money:
            events.append(FundsChanged(touched_money))
        for order_id, order in projection.orders.items():
            self.orders[order_id] = order
            if order.run_number is not None:
                self.orders_of_run[order.run_number].add(order_id)
            self.orders_of_client[order.client_id].add(order_id)
            if order.live:
                self.live.add(order_id)
            else:
                self.live.discard(order_id)
            current = order.live or order.trading_date >= day
            if order.needs_trader and current:
                self.attention.add(order_id)
            else:
                self.attention.discard(order_id)
            if order.tag:
                self.by_tag[order.tag] = order_id
            if order.broker_order_id:
                theirs = (order.client_id, order.broker_order_id)  # a broker may count anew each day
                self.by_broker_id[theirs] = order_id if current else self.by_broker_id.get(theirs, order_id)
        if projection.orders:
            ids = frozenset(projection.orders)
            events.append(OrderChanged(ids, frozenset(o.client_id for o in projection.orders.values())))
        self.runs.update(projection.runs)
        numbers = set(projection.runs) | _runs_of(projection.orders.values())
        events += [RunChanged(number) for number in sorted(numbers)]
        if projection.halts is not None and projection.halts != self.halts:
            before = {halt.number for halt in self.halts}
            self.halts = projection.halts
            changed = before ^ {halt.number for halt in self.halts}
            events += [HaltChanged(number) for number in sorted(changed)]
        return events


def _client_words(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "status": ClientStatus(row["status"]), "session": SessionState(row["session"])}


def _pieces(ids: Iterable[int] | None) -> Iterable[list[int] | None]:
    return [None] if ids is None else chunks(ids)


def _read_funds(connection: Connection, client_ids: Iterable[int] | None) -> dict[int, FundsView]:
    funds, holds, postings = table(Funds), table(Hold), table(Posting)
    out: dict[int, FundsView] = {}
    for ids in _pieces(client_ids):
        held_query = (
            select(holds.c.client_id, func.sum(holds.c.amount_paise))
            .where(holds.c.released_at.is_(None))
            .group_by(holds.c.client_id)
        )
        lent_query = (
            select(postings.c.client_id, func.sum(postings.c.amount_paise))
            .where(postings.c.account == Account.INTRADAY_LOAN.value)
            .group_by(postings.c.client_id)
        )
        query = select(funds)
        if ids is not None:
            held_query = held_query.where(holds.c.client_id.in_(ids))
            query = query.where(funds.c.client_id.in_(ids))
            lent_query = lent_query.where(postings.c.client_id.in_(ids))
        held = {int(row[0]): int(row[1]) for row in connection.execute(held_query)}
        lent = {int(row[0]): -int(row[1]) for row in connection.execute(lent_query)}
        for row in rows_read(connection, query, dict, strict=ids is None):
            client_id = row["client_id"]
            out[client_id] = FundsView(
                **row, held_paise=held.get(client_id, 0), intraday_loan_paise=lent.get(client_id, 0)
            )
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
        for view in rows_read(connection, query, _holding_view, strict=ids is None):
            if view.today + view.t1 + view.free + view.pledged + view.blocked:
                out[view.client_id].append(view)  # of what is sold out its postings tell the story
    mixed = {
        client_id for client_id, views in out.items() if any(0 < view.today < view.quantity for view in views)
    }
    for (client_id, security, product), cost in costs_of_today(connection, mixed).items():
        out[client_id] = [
            replace(view, today_cost_paise=cost)
            if (view.security, view.product.value) == (security, product)
            else view
            for view in out[client_id]
        ]
    return {client_id: tuple(views) for client_id, views in out.items()}


def _holding_view(row: Mapping[str, Any]) -> HoldingView:
    return HoldingView(
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
        today_cost_paise=row["cost_paise"] if row["today"] else 0,
    )


def read_breaks(connection: Connection, client_ids: Iterable[int] | None) -> dict[int, tuple[BreakView, ...]]:
    """The differences from the brokers that stand for these clients, or for all."""
    breaks = table(Break)
    out: dict[int, list[BreakView]] = defaultdict(list)
    for ids in _pieces(client_ids):
        query = select(breaks).where(breaks.c.closed_at.is_(None)).order_by(breaks.c.id)
        if ids is not None:
            query = query.where(breaks.c.client_id.in_(ids))
        for view in rows_read(connection, query, _break_view, strict=ids is None):
            out[view.client_id].append(view)
        for view in rows_read(connection, _standing_facts(ids), _fact_view, strict=ids is None):
            out[view.client_id].append(view)
    return {client_id: tuple(views) for client_id, views in out.items()}


def _standing_facts(client_ids: list[int] | None) -> Select[Any]:
    facts = table(UnbookedFact)
    standing = facts.c.closed_at.is_(None) & facts.c.client_id.is_not(None)
    query = select(facts).where(standing).order_by(facts.c.id)
    return query if client_ids is None else query.where(facts.c.client_id.in_(client_ids))


def _fact_view(row: Mapping[str, Any]) -> BreakView:
    return BreakView(
        row["id"],
        row["client_id"],
        BreakKind.FACT,
        "",
        "",
        "",
        0,
        0,
        row["at"],
        row["order_id"],
        row["problem"],
    )


def _break_view(row: Mapping[str, Any]) -> BreakView:
    return BreakView(
        row["id"],
        row["client_id"],
        BreakKind(row["kind"]),
        row["security"],
        row["product"],
        row["tradingsymbol"],
        row["ours"],
        row["theirs"],
        row["opened_at"],
        detail=row["detail"],
    )


def _read_orders(connection: Connection, order_ids: Iterable[int] | None, day: date) -> dict[int, OrderView]:
    orders = table(Order)
    out: dict[int, OrderView] = {}
    for ids in _pieces(order_ids):
        query = _with_names_now()
        if ids is not None:
            query = query.where(orders.c.id.in_(ids))
        else:
            live = [state.value for state in LIVE_STATES]
            before = select(func.max(orders.c.trading_date)).where(orders.c.trading_date < day)
            since = func.coalesce(before.scalar_subquery(), day)
            standing = (orders.c.trading_date >= since) | orders.c.state.in_(live)
            of_runs = orders.c.run_number.in_(select(orders.c.run_number).where(standing))
            query = query.where(of_runs | (orders.c.run_number.is_(None) & standing))
        for view in rows_read(connection, query, order_view, strict=ids is None):
            out[view.id] = view
    return out


def _with_names_now() -> Select[Any]:
    """Orders with what `order_view` needs beside them: the symbol of now where theirs is a former one."""
    return select(table(Order), table(FormerName).c.now).outerjoin(table(FormerName), is_former_name())


def _runs_of(orders: Iterable[OrderView]) -> set[int]:
    return {order.run_number for order in orders if order.run_number is not None}


def orders_of_day(connection: Connection, day: date) -> dict[int, list[OrderView]]:
    """The orders of a trading day by the number of their run, in the order of their numbers."""
    orders = table(Order)
    query = _with_names_now().where(orders.c.trading_date == day, orders.c.run_number.is_not(None))
    out = defaultdict[int, list[OrderView]](list)
    for view in rows_read(connection, query.order_by(orders.c.id), order_view):
        if view.run_number is not None:
            out[view.run_number].append(view)
    return out


def read_runs(connection: Connection, numbers: Iterable[int]) -> dict[int, RunRow]:
    """Stored runs by number."""
    runs = table(RunRecord)
    out: dict[int, RunRow] = {}
    for ids in chunks(numbers):
        for view in rows_read(connection, select(runs).where(runs.c.number.in_(ids)), run_row, strict=True):
            out[view.number] = view
    return out


def read_halts(connection: Connection) -> list[HaltView]:
    """The halts that stand now, oldest first."""
    halts = table(Halt)
    return rows_read(
        connection,
        select(halts.c.number, halts.c.scope, halts.c.value, halts.c.at, halts.c.by, halts.c.members)
        .where(halts.c.resumed_at.is_(None))
        .order_by(halts.c.number),
        _halt_view,
    )


def _halt_view(row: Mapping[str, Any]) -> HaltView:
    members = frozenset[int](row["members"] or ())
    return HaltView(row["number"], HaltScope(row["scope"]), row["value"], row["at"], row["by"], members)
