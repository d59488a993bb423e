"""The Desk: one running engine as its screens and commands see it; the services are its attributes."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from copy import copy
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol, final

from msgspec import Struct

from brokers.connections import Connections
from data.acting import Actor, acting
from data.clock import IST, Clock, MarketClock
from data.home import equity_file
from data.vocabulary import ConnectionKind, DeskKind, OrderState, RunStatus, Via
from engine.access.connecting import Connecting
from engine.access.gate import Gate
from engine.access.lost import LostSessions
from engine.access.routes import Routes
from engine.access.sessions import Sessions
from engine.accounts.clients import Clients
from engine.accounts.equity import Equity
from engine.accounts.groups import Groups
from engine.accounts.holdings import FundsService, Holdings
from engine.accounts.importing import Importing
from engine.accounts.statement import Statements
from engine.accounts.valuation import Valuation
from engine.background import Background
from engine.book.halt_file import halt_file_stands
from engine.book.kept import Kept
from engine.book.views import NO_FIGURES, OrderView, RunRow
from engine.booking.recorder import Recorder
from engine.colon.known import Around, Known, Names
from engine.colon.writing import LONGEST_LINE, line_of
from engine.conversion.conversions import Conversions
from engine.conversion.several import SeveralConversions
from engine.days import TradingDays
from engine.events import TapeLine
from engine.execution.changes.bulk import Modifies
from engine.execution.changes.cancels import Canceller
from engine.execution.changes.chases import Chases
from engine.execution.changes.modifies import Changer
from engine.execution.looking import NoCancels, NoChanges, NoSends
from engine.execution.orders import Orders
from engine.execution.runs import Runs
from engine.execution.sending.dispatch import Dispatcher
from engine.execution.starting import MadeOf
from engine.execution.watching.book_reads import Watcher
from engine.execution.workers import Workers
from engine.flatten.flattens import Flattens
from engine.halt.halts import Halts
from engine.hosting import Hosting, Offered
from engine.instances import ThisEngine
from engine.market.charts import Charts
from engine.market.index_lists import IndexLists
from engine.market.instruments import InstrumentDump
from engine.market.margins import Margins
from engine.market.market import Market
from engine.market.market_data import MarketData
from engine.market.quotes import QuoteMap
from engine.market.stamps import MarketStamps
from engine.market.venues import Venues
from engine.market.watchlists import Watchlists
from engine.people.approvals import Approvals
from engine.people.events import EventsForPeople
from engine.people.facade import FACADE
from engine.people.guard import guarded
from engine.people.people import PeopleService
from engine.people.signing import SigningIn
from engine.people.who import WhoActs
from engine.planning.entry.baskets import Baskets
from engine.planning.entry.presets import Presets
from engine.planning.intent import Intent
from engine.planning.service import AskedFirst, Plans
from engine.reconciliation.reconciler import Reconciler
from engine.review.alerts import Alerts
from engine.review.at_brokers import AtBrokers
from engine.review.audit import Trail
from engine.review.doctor import Doctor
from engine.review.lost_chases import LostChases
from engine.review.notes import NoteService
from engine.rules import Rules
from engine.tape import Tape
from engine.timing import Timing
from engine.words.gate import verdict_words
from engine.words.trading.why import all_words
from engine.workings import Workings

CHECKING = "checking the books"
"""Why a desk that is open trades nothing yet."""


class _OfClient(Protocol):
    @property
    def client_id(self) -> int: ...


def _is_of(one: _OfClient, scope: Collection[int] | None) -> bool:
    return scope is None or one.client_id in scope


def _is_on_its_way(order: OrderView, runs: Mapping[int, RunRow]) -> bool:
    if order.state is not OrderState.RESERVED or order.run_number is None:
        return order.state is OrderState.SENDING
    return runs[order.run_number].status is RunStatus.RUNNING


class DeskCounts(Struct, frozen=True):
    """What the status strip shows at all times."""

    live: int
    unsent: int
    unknown: int
    ready: int
    clients: int
    needs_attention: int


@final
class Desk:
    """One engine over one home. `engine.startup.opened` opens it, once; all of it is for that one loop."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        connections: Connections,
        rules: Rules,
        rng: Random,
    ) -> None:
        self.rules = rules
        self.connections = connections
        self.events = kept.bus
        kept.store.via = Via(engine.kind)
        background = Background(engine.trader)
        stamps = MarketStamps(kept, timing, engine, self.market_is_simulated)
        data = MarketData(connections.feed, QuoteMap(timing.wall.monotonic), rules.price_age_limit_s)
        venues = Venues(connections, data)
        recorder = Recorder(kept, timing, engine, rules)
        self.sessions = Sessions(kept, timing, engine, connections, rng)
        lost = LostSessions(kept.book, connections, self.sessions, background.load)
        watcher = Watcher(kept, timing, engine, connections, recorder, lost)
        if engine.looks_only:
            workers = Workers(recorder, watcher, NoSends(), NoCancels(), NoChanges())
        else:
            workers = Workers(
                recorder,
                watcher,
                Dispatcher(kept, timing, engine, venues, rng, recorder),
                Canceller(kept, timing, engine, connections, recorder, watcher),
                Changer(kept, timing, engine, venues, recorder, watcher),
            )
        self.reconcile = Reconciler(kept, timing, engine, venues, workers)
        self.market = Market(kept, timing, engine, data)
        self.charts = Charts(self.market, timing, connections.feed)
        self.instruments = InstrumentDump(kept, timing, data, self.market)
        self.index_lists = IndexLists(kept, timing, engine, self.market)
        self.watchlists = Watchlists(kept, engine, data)
        self.baskets = Baskets(kept, engine)
        self.presets = Presets(kept, engine)
        self.clients = Clients(kept, timing, engine)
        self.groups = Groups(kept, engine)
        self.importing = Importing(kept, engine, self.clients)
        self.connecting = Connecting(kept, engine, connections)
        self.routes = Routes(kept, engine)
        told = partial(verdict_words, shown_at=self.shown_at)
        self.gate = Gate(kept, timing, engine, connections, self.reconcile.compared_at, told)
        self.funds = FundsService(kept)
        self.holdings = Holdings(kept, timing, data)
        self.statements = Statements(kept)
        self.valuation = Valuation(
            holdings=lambda client_id: kept.book.holdings.get(client_id, ()),
            quote=data.quotes.quote,
            figures=lambda client_id: kept.book.figures.get(client_id, NO_FIGURES),
            funds=self.funds.of,
            day_began=self._market_day_began,
        )
        margins = Margins(kept, timing, engine, connections, data, background.load)
        first = AskedFirst(self.reconcile.ensure, margins, self._line_of, self._portfolio_paise)
        self.plans = Plans(kept, timing, engine, venues, rules, first)
        self.who = WhoActs(kept, timing, engine)
        self.approvals = Approvals(kept, timing, self.who, self.plans)
        made_of = MadeOf(self.plans, rules, rng, all_words, self.approvals.require)
        self.runs = Runs(kept, timing, engine, venues, workers, made_of)
        self.orders = Orders(kept, timing, engine, data, workers)
        self.modifies = Modifies(kept, timing, engine, data, rules, workers)
        self.chases = Chases(kept, timing, engine, data, self.modifies, workers)
        self.halt = Halts(kept, timing, engine, venues, rules, workers)
        self.flatten = Flattens(kept, timing, engine, venues, rules, workers)
        self.conversions = Conversions(kept, timing, engine, venues)
        self.several_conversions = SeveralConversions(kept, self.conversions)
        self.lost_chases = LostChases(kept, timing, engine)
        self.alerts = Alerts(kept, timing, engine, self.flatten, self.lost_chases)
        self.at_brokers = AtBrokers(kept, timing, venues)
        self.audit = Trail(kept, timing, engine, stamps)
        self.notes = NoteService(kept, engine)
        self.doctor = Doctor(kept, timing, engine, connections)
        self.equity = Equity(
            timing,
            self.valuation,
            lambda: kept.book.clients.keys(),
            self.market.feed_stale,
            equity_file(kept.home),
        )
        self.day_tape = Tape(kept, timing, self.runs)
        offered = Offered(self.market, self.instruments, self.sessions, lost, background.load)
        for connection in connections:
            connection.life.attach(Hosting(connection, kept, timing, engine, offered))
        self.signing = SigningIn(kept, timing, self.who, rng)
        self.people = PeopleService(kept, timing, self.who, self.signing, rng)
        days = TradingDays(kept, timing, engine, self.reconcile.forget)
        self.workings = Workings(kept, timing, engine, connections, data, stamps, workers, background, days)

    def for_people(self) -> "Desk":
        """The same desk as people use it: what each may do is asked before it is done."""
        theirs, book = copy(self), self.workings.kept.book
        for name, rules in FACADE.items():
            setattr(theirs, name, guarded(getattr(self, name), name, rules, self.who, book))
        theirs.events = EventsForPeople(self.events, self.who, book)
        return theirs

    @property
    def kind(self) -> DeskKind:
        """As what it is open: an app, a command, a script."""
        return self.workings.engine.kind

    @property
    def mode(self) -> str:
        """PAPER, SIM or LIVE; LOOK where it only looks."""
        return "LOOK" if self.looks_only else self.connections.kind.value.upper()

    @property
    def looks_only(self) -> bool:
        """Whether it has nothing that could send, modify, convert or cancel."""
        return self.workings.engine.looks_only

    @property
    def market_is_simulated(self) -> bool:
        """Whether its market is a stand-in's, with a time of its own beside the wall's."""
        return self.connections.kind is not ConnectionKind.LIVE

    @property
    def actor(self) -> str:
        """Who acts now: whoever this was asked for (`acting`), who sits here, or the home's own trader."""
        return self.who.actor.name

    def acting(self, actor: Actor) -> AbstractContextManager[None]:
        """Have `actor` do whatever is asked of this desk within the context, and in tasks begun there.

        The services are the same ones, since they keep what is under way. What the desk does by itself later,
        such as sending what was confirmed, is the desk's own again.
        """
        return acting(actor)

    @property
    def home(self) -> Path:
        """The folder with this desk's files."""
        return self.workings.kept.home

    @property
    def clock(self) -> Clock:
        """Wall time."""
        return self.workings.timing.wall

    @property
    def market_clock(self) -> MarketClock:
        """Market time."""
        return self.workings.timing.market

    @property
    def next_trading_day(self) -> date | None:
        """The trading day after this one, from which a changed capital counts; None where none is known."""
        return self.workings.timing.next_day

    @property
    def trading_disabled(self) -> str | None:
        """Why no order may be sent though none is halted, such as a full disk; cancels still go."""
        engine, store = self.workings.engine, self.workings.kept.store
        checking = CHECKING if engine.is_checking_books else ""
        stopped = engine.trading_disabled or engine.venues_differ() or checking
        return stopped or store.trouble or engine.sign_on_trouble or None

    @property
    def commits(self) -> int:
        """Transactions this engine has committed."""
        return self.workings.kept.store.commits

    def halt_stands(self) -> bool:
        """Whether a halt stops everything, whoever asks."""
        book = self.workings.kept.book
        return any(one.stops_desk for one in book.halts) or halt_file_stands(self.workings.kept.halt_file)

    def is_sending(self) -> bool:
        """Whether orders are on their way to a broker, or wait for their turn in a run that goes on."""
        book = self.workings.kept.book
        return any(_is_on_its_way(book.orders[one], book.runs) for one in book.live)

    async def price(self, client_ids: Collection[int] | None = None) -> None:
        """Fetch the prices of what these clients, or all, hold, and value them by these."""
        keys = self.valuation.keys() if client_ids is None else self.valuation.keys_of(client_ids)
        await self.market.fetch(sorted(keys))
        self.valuation.take_in(keys)

    def counts(self) -> DeskCounts:
        """Live, unsent and unknown orders, clients ready, and orders that need the trader."""
        book, scope = self.workings.kept.book, self.who.scope()
        states = [one.state for order_id in book.live if _is_of(one := book.orders[order_id], scope)]
        asking = [order_id for order_id in book.asking() if _is_of(book.orders[order_id], scope)]
        return DeskCounts(
            live=states.count(OrderState.OPEN) + states.count(OrderState.SENDING),
            unsent=states.count(OrderState.RESERVED),
            unknown=states.count(OrderState.UNKNOWN),
            ready=self.clients.ready_count(),
            clients=len([one for one in book.open_clients() if scope is None or one.id in scope]),
            needs_attention=len(asking)
            + sum(one.order_id is None and _is_of(one, scope) for one in book.unbooked()),
        )

    def shown_at(self, at: datetime) -> datetime:
        """A stamp as the trader reads it: on a simulated market its own time, as far as that was kept."""
        return self.workings.stamps.shown(at)

    def tape(self) -> list[TapeLine]:
        """The latest lines of the tape, oldest first."""
        return self.day_tape.lines()

    def _portfolio_paise(self, client_id: int) -> int:
        """What all that a client has is worth by the prices of now."""
        self.valuation.refresh((client_id,))
        return self.valuation.client(client_id).portfolio_paise

    def _market_day_began(self) -> datetime:
        return datetime.combine(self.market_clock.trading_day, time(), IST).astimezone(UTC)

    def _line_of(self, intent: Intent) -> str | None:
        line = line_of(intent, self.known())
        return line if line is not None and len(line) <= LONGEST_LINE else None

    def known(self, names: Names = Names(), around: Around = Around()) -> Known:  # noqa: B008 - frozen
        """What the words of a typed line can name."""
        runs = [run.number for run in self.runs.all()]
        index, holders = self.market.index, self.holdings.holders
        today = self.market_clock.now().astimezone(IST).date()
        return Known(index, self.clients, self.plans.select, holders, today, runs, names, around)

    async def hear(self, client_ids: Collection[int]) -> None:
        """Have a command hear these clients' order updates while it waits; where all are heard, nothing."""
        for connection in self.connections:
            await connection.life.hear(client_ids)

    async def settle(self) -> None:
        """Wait until nothing is under way: every call has ended and every fact is booked."""
        await self.workings.workers.settle()
