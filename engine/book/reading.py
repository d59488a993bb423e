"""Reading what the book keeps in memory: all of it, or what a commit touched, on whichever thread commits."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from data.engines.shared.leases import ClientElsewhere
from data.proving.readable import UNREADABLE
from data.records import replace
from data.repositories import people as stored_people
from data.repositories import projected
from data.repositories.accounts import limits as stored_limits
from data.repositories.accounts import probes
from data.repositories.accounts.clients import not_trading_among
from data.repositories.accounts.lent import dividends_on, interest_on
from data.repositories.base import On
from data.repositories.market_halts import market_halts_of
from data.repositories.meta import facts_under
from data.repositories.trading.guards import StoredGuard, StoredTrip, guards_set, standing_trips
from data.repositories.trading.stages import waiting_clients
from data.roster import StoredClient
from data.vocabulary import Reason
from data.writing.changes import Touched
from engine.book.access_views import (
    DOWN,
    Access,
    Admissions,
    ConsentView,
    DownView,
    ProbeView,
    RouteView,
    SessionView,
    by_client,
    down_of,
)
from engine.book.break_views import BreakView
from engine.book.group_rules import ReadRule, read_rules
from engine.book.halt_scope import HaltView
from engine.book.market_halt import MarketHalt
from engine.book.not_trading import not_trading
from engine.book.people_views import People, people_of
from engine.book.roster import client_view, in_groups
from engine.book.views import (
    NO_FIGURES,
    ClientView,
    DayCharge,
    DayFigures,
    DaySale,
    FundsView,
    HoldingView,
    OrderView,
    RunRow,
)
from engine.book.watched.limit_views import Limits, limits_of

_FUNDS = projected.funds(FundsView)
_PROBES = probes.of_day(ProbeView)
_HOLDINGS = projected.holdings(HoldingView)
_BREAKS = projected.breaks(BreakView)
_FACTS = projected.unbooked_facts(BreakView)
_ORDERS = projected.orders(OrderView)
_WRITTEN = projected.WrittenOrders(OrderView)
_ORDERS_OF_RUNS = projected.orders_of_runs(OrderView)
_RUNS = projected.runs(RunRow)
_HALTS = projected.halts(HaltView)
_LIFTED = projected.lifted_halts(HaltView)
_MARKET_HALTS = market_halts_of(MarketHalt)
_ROUTES = projected.routes(RouteView)
_SESSIONS = projected.sessions(SessionView)
_CONSENTS = projected.consents(ConsentView)

Admit = Callable[[Access, Sequence[StoredClient], date], Admissions]
"""Says of each client what is against it on that day."""


@dataclass(slots=True)
class Projection:
    """Rows read back after a commit; replaces what the book had of the same keys.

    `market` says that instruments or watchlists were changed, which are no part of the book. `to_come` are
    the clients of whom lines of a run's later stages wait for their turn.
    """

    clients: dict[int, ClientView] | None = None
    group_rules: dict[str, ReadRule] = field(default_factory=dict[str, ReadRule])
    access: Access = field(default_factory=Access)
    shared: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    funds: dict[int, FundsView] = field(default_factory=dict[int, FundsView])
    holdings: dict[int, tuple[HoldingView, ...]] = field(default_factory=dict[int, tuple[HoldingView, ...]])
    figures: dict[int, DayFigures] = field(default_factory=dict[int, DayFigures])
    orders: dict[int, OrderView] = field(default_factory=dict[int, OrderView])
    runs: dict[int, RunRow] = field(default_factory=dict[int, RunRow])
    to_come: dict[int, frozenset[int]] = field(default_factory=dict[int, frozenset[int]])
    halts: list[HaltView] | None = None
    lifted: list[HaltView] = field(default_factory=list[HaltView])
    market_halts: list[MarketHalt] = field(default_factory=list[MarketHalt])
    guards: dict[int, StoredGuard] | None = None
    trips: dict[int, StoredTrip] = field(default_factory=dict[int, StoredTrip])
    market: bool = False
    people: People | None = None
    limits: Limits | None = None
    breaks: dict[int, tuple[BreakView, ...]] = field(default_factory=dict[int, tuple[BreakView, ...]])
    mine: frozenset[int] | None = None
    """Whose books are this desk's, where several share them."""
    elsewhere: dict[int, ClientElsewhere] = field(default_factory=dict[int, ClientElsewhere])
    """The other clients, where it was read who there are."""


def read_touched(
    connection: On, touched: Touched, day: date, admit: Admit, mine: frozenset[int] | None = None
) -> Projection:
    """What was touched, as it stands on a trading day; of the clients in `mine` alone, None for everybody."""
    out = Projection(mine=mine)
    everything = touched.everything or touched.leases
    if everything or touched.roster:
        _read_clients(connection, day, admit, out)
    client_ids = None if everything or touched.roster else touched.clients
    if mine is not None:
        client_ids = mine if client_ids is None else client_ids & mine
    out.funds = {funds.client_id: funds for funds in _FUNDS.read(connection, client_ids)}
    out.holdings = _read_holdings(connection, client_ids)
    with suppress(*UNREADABLE):  # the opening names it; cancels need no profit
        out.figures = _read_figures(connection, client_ids, day)
    out.breaks = read_breaks(connection, client_ids)
    for client_id in out.funds:  # each client has its row; what is not found of it is empty, not unknown
        out.holdings.setdefault(client_id, ())
        out.figures.setdefault(client_id, NO_FIGURES)
        out.breaks.setdefault(client_id, ())
    orders = _ORDERS.read(connection, None, day=day) if everything else _read_orders(connection, touched, day)
    if mine is not None:
        orders = [order for order in orders if order.client_id in mine]
    out.orders = {order.id: order for order in orders}
    if everything or touched.runs:
        with suppress(*UNREADABLE):  # cancels need nothing of what was never ordered
            out.to_come = _to_come(connection, None if everything else touched.runs, mine)
    # A run stands with its orders, made or to come: of one whose orders are of earlier days nothing is told.
    out.runs = read_runs(connection, runs_of(orders) | out.to_come.keys() if everything else touched.runs)
    out.market = everything or touched.market
    if everything or touched.halts:
        out.halts, out.lifted = read_halts(connection), read_lifted(connection)
        out.market_halts = read_market_halts(connection, day)
    if everything or touched.guards:
        with suppress(*UNREADABLE):  # the look at the books stops all trading; cancels need no guard
            out.guards = {one.number: one for one in guards_set(connection)}
            out.trips = {one.guard_number: one for one in standing_trips(connection)}
    if everything or touched.people:
        with suppress(*UNREADABLE):  # the look at the books stops all trading; cancels need nobody's rights
            out.people = read_people(connection)
    if everything or touched.limits:
        with suppress(*UNREADABLE):  # as of people
            out.limits = read_limits(connection)
    return out


def _to_come(
    connection: On, numbers: Collection[int] | None, mine: frozenset[int] | None
) -> dict[int, frozenset[int]]:
    found = waiting_clients(connection, numbers)
    if mine is None:
        return found
    return {number: of_run & mine for number, of_run in found.items() if of_run & mine}


def _read_orders(connection: On, touched: Touched, day: date) -> list[OrderView]:
    """The orders that were touched, of which those that this process wrote need not be read."""
    written = {i: cells for i, cells in touched.written.items() if cells is not None and i in touched.orders}
    made = _WRITTEN.made(connection, list(written.values()))
    if made is None:
        return _ORDERS.read(connection, touched.orders, day=day)
    rest = _ORDERS.read(connection, touched.orders - written.keys(), day=day)
    return sorted(made + rest, key=lambda order: order.id)


def runs_of(orders: Iterable[OrderView]) -> set[int]:
    """The numbers of the runs that made these orders."""
    return {order.run_number for order in orders if order.run_number is not None}


def read_access(connection: On, day: date) -> Access:
    """What is stored of every client, with the waivers of `day`; the latest waiver of an item counts."""
    routes = {route.client_id: route for route in _ROUTES.all(connection)}
    probed = {
        one.client_id: one
        for one in _PROBES.all(connection, day=day)
        if one.client_id in routes and one.way_out == routes[one.client_id].way_out
    }
    return Access(
        routes,
        {session.client_id: session for session in _SESSIONS.all(connection)},
        {(one.client_id, one.item): one.reason for one in projected.WAIVERS.all(connection, day=day)},
        by_client(_CONSENTS.all(connection)),
        probed,
        _read_down(connection),
    )


def _read_down(connection: On) -> dict[str, DownView]:
    with suppress(*UNREADABLE, ValueError):  # what is down shows itself again
        return down_of(facts_under(connection, DOWN))
    return {}


def read_breaks(connection: On, client_ids: Collection[int] | None) -> dict[int, tuple[BreakView, ...]]:
    """The differences from the brokers that stand for these clients, or for all."""
    out: dict[int, list[BreakView]] = defaultdict(list)
    for kept in (_BREAKS, _FACTS):
        for view in kept.read(connection, client_ids):
            out[view.client_id].append(view)
    return {client_id: tuple(views) for client_id, views in out.items()}


def orders_of_day(connection: On, day: date) -> dict[int, list[OrderView]]:
    """The orders of a trading day by the number of their run, in the order of their numbers."""
    out = defaultdict[int, list[OrderView]](list)
    for view in _ORDERS_OF_RUNS.all(connection, day=day):
        if view.run_number is not None:
            out[view.run_number].append(view)
    return out


def read_runs(connection: On, numbers: Collection[int]) -> dict[int, RunRow]:
    """Stored runs by number."""
    return {run.number: run for run in _RUNS.all(connection, numbers=numbers)} if numbers else {}


def read_halts(connection: On) -> list[HaltView]:
    """The halts that stand now, oldest first."""
    return _HALTS.all(connection)


def read_lifted(connection: On) -> list[HaltView]:
    """The newest halts that were resumed."""
    return _LIFTED.all(connection)


def read_market_halts(connection: On, day: date) -> list[MarketHalt]:
    """The halts of the whole market on a trading day, oldest first."""
    return _MARKET_HALTS.all(connection, day=day)


def barred_clients(connection: On, client_ids: Collection[int]) -> dict[int, Reason]:
    """Those of these clients that are not traded for as their rows stand, each with why."""
    found = not_trading_among(connection, client_ids)
    return {one.id: not_trading(one.status, one.paused) or Reason.CLIENT_INACTIVE for one in found}


def read_people(connection: On) -> People:
    """Who may act, who is signed in, and the limit of confirmation."""
    return people_of(
        stored_people.every_person(connection),
        stored_people.standing_sign_ins(connection),
        stored_people.approval_rule(connection),
    )


def read_limits(connection: On) -> Limits:
    """The limits before the order that stand, with their lists."""
    return limits_of(
        stored_limits.standing_limits(connection),
        stored_limits.standing_lists(connection),
        stored_limits.limits_version(connection),
    )


def limits_now(connection: On, known: Limits) -> Limits:
    """The same, without reading them where nothing was written since those that are known."""
    newest = stored_limits.limits_version(connection)
    return known if newest == known.version else read_limits(connection)


def _read_clients(connection: On, day: date, admit: Admit, out: Projection) -> None:
    groups = in_groups(projected.GROUPS.all(connection))
    stored = projected.CLIENTS.all(connection, day=day)
    out.access = read_access(connection, day)
    judged = admit(out.access, stored, day)
    out.shared = judged.shared
    with suppress(*UNREADABLE):  # as of figures: cancels need no group
        out.group_rules = read_rules(projected.GROUP_RULES.all(connection))
    out.clients = {
        client.id: client_view(client, judged.of[client.id], groups.get(client.id, ()))
        for client in stored
        if out.mine is None or client.id in out.mine
    }


def _read_holdings(connection: On, client_ids: Collection[int] | None) -> dict[int, tuple[HoldingView, ...]]:
    out: dict[int, list[HoldingView]] = {client_id: [] for client_id in client_ids or ()}
    for view in _HOLDINGS.read(connection, client_ids):
        if view.quantity + view.blocked:
            out.setdefault(view.client_id, []).append(view)  # of what is sold out its postings tell the story
    mixed = {c for c, views in out.items() if any(0 < view.today < view.quantity for view in views)}
    costs = {
        (one.client_id, one.security, one.product): one.cost_paise
        for one in projected.costs_of_today(connection, mixed)
    }
    return {c: tuple(_with_cost_of_today(view, costs) for view in views) for c, views in out.items()}


def _with_cost_of_today(view: HoldingView, costs: dict[tuple[int, str, str], int]) -> HoldingView:
    cost = costs.get((view.client_id, view.security, view.product.value))
    return view if cost is None else replace(view, today_cost_paise=cost)


def _read_figures(connection: On, client_ids: Collection[int] | None, day: date) -> dict[int, DayFigures]:
    """What clients, all where None are named, have realised and paid on a day."""
    sales: dict[int, list[DaySale]] = defaultdict(list)
    for sold in projected.sold_on(connection, day, client_ids):
        carried = (0, 0) if sold.bought_today else (sold.quantity, sold.cost_paise)
        key = f"{sold.exchange}:{sold.tradingsymbol}"
        sales[sold.client_id].append(DaySale(key, sold.product, sold.pnl_paise, *carried))
    paid: dict[int, list[DayCharge]] = defaultdict(list)
    for one in projected.paid_on(connection, day, client_ids):
        paid[one.client_id].append(DayCharge(one.security, one.product, one.charges_paise))
    interest = interest_on(connection, day, client_ids)
    dividends = dividends_on(connection, day, client_ids)
    named = set(client_ids or ()) | sales.keys() | paid.keys() | interest.keys() | dividends.keys()
    return {
        c: DayFigures(
            sum(one.charges_paise for one in paid[c]),
            tuple(sales[c]),
            tuple(paid[c]),
            interest.get(c, 0),
            dividends.get(c, 0),
        )
        for c in named
    }
