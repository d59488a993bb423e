"""The book: what the store says of clients, money, shares and orders, in memory, for reading only.

It is read again from the database after each commit, on the writer's thread, for whatever that commit
touched, but for orders, which are taken as they were written; the guards in SQL stay the authority.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from brokers.connection import Connection
from brokers.connections import carrier, carrier_for
from brokers.contract import BrokerOrder
from data.engines.shared.leases import ClientElsewhere
from data.errors import BadInput
from data.records import replace
from data.repositories.base import On
from data.repositories.trading.guards import StoredGuard, StoredTrip
from data.roster import StoredClient
from data.vocabulary import BreakKind, ClientStatus, OrderState, Product
from data.writing.changes import Touched
from engine.book.access_views import Access, Admissions, Applicant, ConsentNeed, ConsentNeeds, Judge
from engine.book.break_views import BreakView
from engine.book.group_rules import ReadRule, RuleSubject, true_of
from engine.book.halt_scope import HaltView, covered, seen_from
from engine.book.market_halt import MarketHalt
from engine.book.owed import OwedShares
from engine.book.people_views import NOBODY
from engine.book.reading import Projection, read_touched, runs_of
from engine.book.views import (
    ClientView,
    DayFigures,
    FundsView,
    HoldingView,
    OrderView,
    RunRow,
)
from engine.book.watched.limit_views import NO_LIMITS
from engine.events import (
    ClientsChanged,
    Event,
    FundsChanged,
    GuardsChanged,
    HaltChanged,
    LimitsChanged,
    MarketHaltChanged,
    OrderChanged,
    PeopleChanged,
    RunChanged,
    SessionsChanged,
)


class Book:
    """The projection. `connections` carry the clients, `judge` says what is against each of them.

    `intraday` are the clients with intraday shares (MIS).

    Five are no projections: `external_orders`, those live that this desk did not send, `external_seen`, all
    that brokers' books have shown of them since the desk was opened, `owed`, the shares that clients had sold
    within the day and not bought back, and `authorised`, by security those that they had released for sale,
    when their holdings were last read; `reconciled`, the clients whose books were compared with the broker's
    since the desk was opened.
    """

    def __init__(
        self,
        connections: Sequence[Connection],
        trading_day: Callable[[], date],
        *,
        judge: Judge,
        needs: ConsentNeeds = ConsentNeeds(),  # noqa: B008 - frozen
    ) -> None:
        self._connections = tuple(connections)
        self._trading_day = trading_day
        self._judge = judge
        self._needs = needs
        self.owned: Callable[[Any], frozenset[int] | None] = lambda connection: None
        """Whose books are this desk's; None for everybody's."""
        self.home_id = ""
        """By which halts of this desk are known, where several share the books."""
        self.elsewhere_in: Callable[[Any], dict[int, ClientElsewhere]] = lambda connection: {}
        self.elsewhere: dict[int, ClientElsewhere] = {}
        """Clients of other desks on the same books, and those that nobody has."""
        self.clients: dict[int, ClientView] = {}
        self.ready: frozenset[int] = frozenset()
        self.access = Access()
        self.shared: dict[int, tuple[str, ...]] = {}
        self.funds: dict[int, FundsView] = {}
        self.holdings: dict[int, tuple[HoldingView, ...]] = {}
        self.figures: dict[int, DayFigures] = {}
        self.orders: dict[int, OrderView] = {}
        self.orders_of_client: dict[int, set[int]] = defaultdict(set)
        self.external_orders: dict[int, dict[str, BrokerOrder]] = {}
        self.external_seen: dict[int, dict[str, BrokerOrder]] = {}
        self.owed: dict[int, tuple[OwedShares, ...]] = {}
        self.reconciled: set[int] = set()
        self.authorised: dict[int, Mapping[str, int]] = {}
        self.breaks: dict[int, tuple[BreakView, ...]] = {}
        self.orders_of_run: dict[int, set[int]] = defaultdict(set)
        self.live: set[int] = set()
        self.attention: set[int] = set()
        self._by_broker_id: dict[int, dict[str, int]] = defaultdict(dict)
        self.by_tag: dict[str, int] = {}
        self.runs: dict[int, RunRow] = {}
        self.to_come: dict[int, frozenset[int]] = {}
        self.halts: list[HaltView] = []
        self.lifted: list[HaltView] = []
        self.market_halts: list[MarketHalt] = []
        self.guards: dict[int, StoredGuard] = {}
        self.trips: dict[int, StoredTrip] = {}
        self.group_rules: dict[str, ReadRule] = {}
        self.people = NOBODY
        self.limits = NO_LIMITS
        self.intraday: set[int] = set()
        self._open_clients: list[ClientView] = []
        self._groups: list[str] = []
        self.by_code: dict[str, int] = {}
        self.by_account: dict[tuple[str, str], int] = {}

    def named(self, code: str) -> int:
        """The client with this code, in any letter case. Raises `BadInput` with the nearest codes."""
        found = self.by_code.get(code.upper())
        if found is None:
            for other in self.elsewhere.values():
                if other.code.upper() == code.upper():
                    raise BadInput("code", code, f"{other.words}: only who has a client trades for it")
            close = ", ".join(get_close_matches(code.upper(), list(self.by_code), n=3, cutoff=0.5))
            hint = f"nearest: {close}" if close else "import the client first"
            raise BadInput("code", code, f"no client has this code; {hint}")
        return found

    @property
    def newest_halt(self) -> int:
        """The number of the halt that was fired last, whether or not it stands; 0 before the first.

        What is confirmed keeps it: once a later halt was over an order, it leaves no more (`halted_since`).
        """
        return max((halt.number for halt in (*self.halts, *self.lifted)), default=0)

    def seen(self, halts: Iterable[HaltView]) -> list[HaltView]:
        """Halts as they were read, those of this desk known as its own."""
        return seen_from(self.home_id, halts)

    def halted_since(self, newest: int, client_id: int, key: str) -> bool:
        """Whether a halt later than `newest` is over such orders of a client, or was until it was resumed."""
        later = [halt for halt in (*self.halts, *self.lifted) if halt.number > newest]
        return covered(later, self.clients[client_id], key)

    # --- reading, on the writer's thread ---

    def project(self, connection: On, touched: Touched) -> Projection:
        """Read what was touched."""
        mine = self.owned(connection)
        projection = read_touched(connection, touched, self._trading_day(), self._admitted, mine)
        if mine is not None and projection.clients is not None:
            projection.elsewhere = self.elsewhere_in(connection)
        return projection

    def known_as(self, client_id: int, broker_order_id: str) -> int | None:
        """The order that a client's broker knows by this number, of several the one of now; None for none."""
        return self._by_broker_id.get(client_id, {}).get(broker_order_id)

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

    def open_clients(self) -> list[ClientView]:
        """Every client that is not closed, by code."""
        return list(self._open_clients)

    def groups(self) -> list[str]:
        """The names of all groups, those by rule among them whoever is in them."""
        return list(self._groups)

    def carrier_of(self, client_id: int) -> Connection | None:
        """The connection that carries a client; None where there is none."""
        client = self.clients.get(client_id)
        return None if client is None else carrier(self._connections, client.connection)

    def down_since(self, client_id: int) -> datetime | None:
        """Since when the broker of this client's connection answers nobody; None where it does."""
        down = self.access.down.get(self.clients[client_id].connection)
        return None if down is None else down.since

    def carrier_for(self, broker: str) -> str:
        """The name of the connection for a client of this broker; empty where none takes it."""
        return carrier_for(self._connections, broker)

    def _admitted(self, access: Access, stored: Sequence[StoredClient], day: date) -> Admissions:
        return self._judge(access, [self._applicant(client) for client in stored], day)

    def _applicant(self, client: StoredClient) -> Applicant:
        return Applicant(
            client_id=client.id,
            code=client.code,
            connection=carrier(self._connections, client.connection),
            trading=client.status is ClientStatus.ACTIVE,
            session=client.session,
            needs=self.consents_asked(client.connection, client.discretionary),
        )

    def consents_asked(self, connection: str, discretionary: bool) -> tuple[ConsentNeed, ...]:
        """Which consents are asked of a client that is carried by this connection."""
        return self._needs.of(carrier(self._connections, connection), discretionary)

    # --- applying, on the event loop ---

    def begin_day(self, day: date) -> None:
        """What ended on an earlier day asks for nobody's attention any more."""
        self.attention = {
            i for i in self.attention if self.orders[i].live or self.orders[i].trading_date >= day
        }

    def apply(self, projection: Projection) -> list[Event]:
        """Take a projection in; returns the events that tell what changed."""
        day = self._trading_day()
        events: list[Event] = []
        if projection.clients is not None:
            self.clients, self.elsewhere = projection.clients, projection.elsewhere
            if projection.mine is not None:
                self._forget_others()
            down = projection.access.down
            self.ready = frozenset(
                one
                for one, client in self.clients.items()
                if client.gate is None and client.connection not in down
            )
            before, sessions = self.access.sessions, projection.access.sessions
            changed = {c for c in before.keys() | sessions.keys() if before.get(c) != sessions.get(c)}
            if changed:  # another process may have signed them in
                events.append(SessionsChanged(frozenset(changed)))
            self.access, self.shared = projection.access, projection.shared
            self.by_code = {view.code.upper(): view.id for view in self.clients.values()}
            self.by_account = {(v.broker, v.broker_user_id): v.id for v in self.clients.values()}
            events.append(ClientsChanged(frozenset()))
        self.funds.update(projection.funds)
        self._take_holdings(projection.holdings)
        self.figures.update(projection.figures)
        self.breaks.update(projection.breaks)
        if projection.clients is not None:
            self.group_rules = projection.group_rules
            self._list_clients()
        regrouped = self._regroup(self.clients if projection.clients is not None else projection.funds)
        if regrouped and projection.clients is None:
            events.append(ClientsChanged(frozenset()))
        touched_money = frozenset(projection.funds)
        if touched_money:
            events.append(FundsChanged(touched_money))
        self._take_orders(projection.orders, day)
        if projection.orders:
            ids = frozenset(projection.orders)
            events.append(OrderChanged(ids, frozenset(o.client_id for o in projection.orders.values())))
        self.runs.update(self._runs_of(projection))
        self.to_come.update({one: projection.to_come.get(one, frozenset()) for one in projection.runs})
        numbers = set(projection.runs) | runs_of(projection.orders.values())
        # What another desk runs is not known here: whoever hears of it would ask for it.
        events += [RunChanged(number) for number in sorted(numbers & self.runs.keys())]
        if projection.halts is not None:
            events += self._take_halts(projection.halts, projection)
        if projection.guards is not None and (projection.guards, projection.trips) != (
            self.guards,
            self.trips,
        ):
            self.guards, self.trips = projection.guards, projection.trips
            events.append(GuardsChanged())
        if projection.people is not None and projection.people != self.people:
            self.people = projection.people
            events.append(PeopleChanged())
        if projection.limits is not None and projection.limits.version != self.limits.version:
            self.limits = projection.limits
            events.append(LimitsChanged())
        return events

    def _take_halts(self, halts: list[HaltView], projection: Projection) -> list[Event]:
        newest, before = self.newest_halt, {halt.number for halt in self.halts}
        self.halts, self.lifted = self.seen(halts), self.seen(projection.lifted)
        gone_by = {halt.number for halt in self.lifted if halt.number > newest}  # fired and resumed
        changed = (before ^ {halt.number for halt in self.halts}) | gone_by
        events: list[Event] = [HaltChanged(number) for number in sorted(changed)]
        if self.market_halts != projection.market_halts:
            self.market_halts = projection.market_halts
            events.append(MarketHaltChanged())
        return events

    def _runs_of(self, projection: Projection) -> dict[int, RunRow]:
        """The runs that were read, of several desks those of our clients: another's are not ours to end."""
        if projection.mine is None:
            return projection.runs
        own = self.orders_of_run.keys() | projection.to_come.keys()
        return {number: run for number, run in projection.runs.items() if number in own}

    def _forget_others(self) -> None:
        """Know nothing any more of clients that are another desk's by now: what they have changes there."""
        gone = self.funds.keys() - self.clients.keys()
        of_clients: tuple[dict[int, Any], ...] = (
            *(self.funds, self.holdings, self.figures, self.breaks, self.owed, self.authorised),
            *(self.external_orders, self.external_seen, self._by_broker_id),
        )
        for client_id in gone:
            for kept in of_clients:
                kept.pop(client_id, None)
            for order_id in self.orders_of_client.pop(client_id, ()):
                order = self.orders.pop(order_id)
                self.live.discard(order_id)
                self.attention.discard(order_id)
                self.by_tag.pop(order.tag or "", None)
                if order.run_number is not None:
                    self.orders_of_run[order.run_number].discard(order_id)
        self.reconciled -= gone
        self.intraday -= gone
        for number in [one for one, orders in self.orders_of_run.items() if not orders]:
            del self.orders_of_run[number]
            self.runs.pop(number, None)
            self.to_come.pop(number, None)

    def _take_holdings(self, holdings: Mapping[int, tuple[HoldingView, ...]]) -> None:
        self.holdings.update(holdings)
        for client_id, held in holdings.items():
            within_day = any(one.product is Product.MIS and one.quantity for one in held)
            (self.intraday.add if within_day else self.intraday.discard)(client_id)

    def _list_clients(self) -> None:
        """Know who is not closed and the groups they are in, which the screens ask at every frame."""
        self._open_clients = [one for one in self.clients.values() if one.status is not ClientStatus.CLOSED]
        named = {name for client in self._open_clients for name in client.fixed_groups}
        self._groups = sorted(named | self.group_rules.keys())

    def _take_orders(self, orders: Mapping[int, OrderView], day: date) -> None:
        """Know orders as they were read, by all that they are found by."""
        for order_id, order in orders.items():
            before = self.orders.get(order_id)
            self.orders[order_id] = order
            if before is None:
                self.orders_of_client[order.client_id].add(order_id)
                if order.run_number is not None:
                    self.orders_of_run[order.run_number].add(order_id)
            live = order.live
            (self.live.add if live else self.live.discard)(order_id)
            current = live or order.trading_date >= day
            attention = current and order.needs_attention
            (self.attention.add if attention else self.attention.discard)(order_id)
            # Keys are taken out first: a dictionary would keep their older texts beside the order's own.
            if order.tag and (before is None or before.tag is not order.tag):
                self.by_tag.pop(order.tag, None)
                self.by_tag[order.tag] = order_id
            if order.broker_order_id:  # a broker may count anew each day
                of_client = self._by_broker_id[order.client_id]
                known = of_client.pop(order.broker_order_id, order_id)
                of_client[order.broker_order_id] = order_id if current else known

    def _regroup(self, client_ids: Iterable[int]) -> bool:
        """Ask the rules of groups of these clients anew; returns whether any is in others than before."""
        changed = False
        for client_id in client_ids if self.group_rules else ():
            client = self.clients.get(client_id)
            if client is None:
                continue
            funds = self.funds.get(client_id) or FundsView(client_id)
            subject = RuleSubject(client, funds, self.holdings.get(client_id, ()))
            true = true_of(self.group_rules, subject) if client.status is not ClientStatus.CLOSED else ()
            groups = tuple(sorted({*client.fixed_groups, *true}))
            if groups != client.groups:
                self.clients[client_id] = replace(client, groups=groups)
                changed = True
        if changed:
            self._list_clients()
        return changed
