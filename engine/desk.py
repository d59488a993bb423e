"""The Desk: one running engine as its screens and commands see it; the services are its attributes."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from copy import copy
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from random import Random
from typing import final

from brokers.connections import Connections
from data.acting import Actor, acting
from data.clock import IST, Clock, MarketClock
from data.home import equity_file
from data.vocabulary import ConnectionKind, DeskKind, Right, Via
from engine.access.connecting import Connecting
from engine.access.consents import Consents
from engine.access.gate import Gate
from engine.access.kill_switches import SegmentLocks
from engine.access.lost import LostSessions
from engine.access.probing import RouteProbes
from engine.access.routes import Routes
from engine.access.sessions import Sessions
from engine.accounts.clients import Clients
from engine.accounts.equity import Equity
from engine.accounts.groups import Groups
from engine.accounts.holdings import FundsService, Holdings
from engine.accounts.importing import Importing
from engine.accounts.statement import Statements
from engine.accounts.valuation import Valuation
from engine.alerts.alerts import Alerts
from engine.alerts.hand_over import HandOver
from engine.alerts.judging import RuleJudge
from engine.alerts.margin import MtfAlerts
from engine.alerts.outbox import Outbox
from engine.alerts.readings import Readings
from engine.alerts.rules import AlertRules
from engine.alerts.square_off import SquareOff
from engine.alerts.watching import RuleWatch, Watch
from engine.background import Background
from engine.book.counts import DeskCounts, desk_counts, is_on_its_way
from engine.book.halt_file import halt_file_stands
from engine.book.kept import Kept
from engine.book.views import NO_FIGURES
from engine.book.watched.alert_views import AlertView
from engine.booking.recorder import Recorder
from engine.close.notes import ContractNotes
from engine.close.prices import ClosingPrices
from engine.close.protocols import CloseWith
from engine.close.resting import RestingAtBrokers
from engine.close.risks import DayRisks
from engine.close.service import DayClose
from engine.close.tomorrow import ListsTomorrow
from engine.colon.known import Around, Known, Names
from engine.colon.writing import LONGEST_LINE, line_of
from engine.conversion.conversions import Conversions
from engine.conversion.several import SeveralConversions
from engine.corporate.service import CompanyActions
from engine.days import TradingDays
from engine.events import TapeLine
from engine.execution.changes.bulk import Modifies
from engine.execution.changes.cancels import Canceller
from engine.execution.changes.chases import Chases
from engine.execution.changes.modifies import ChangedWith, Changer
from engine.execution.looking import NoCancels, NoChanges, NoSends
from engine.execution.orders import Orders
from engine.execution.over_firm.firm_orders import FirmOrders
from engine.execution.runs import Runs
from engine.execution.sending.dispatch import ClaimedWith, Dispatcher
from engine.execution.sending.limiting import DoorLimits
from engine.execution.starting import MadeOf
from engine.execution.watching.book_reads import Watcher
from engine.execution.workers import Workers
from engine.flatten.flattens import Flattens
from engine.guards.guards import Guards
from engine.halt.halts import Halts
from engine.history.console import ConsoleFiles
from engine.history.service import History
from engine.hosting import Hosting, Offered
from engine.instances import ThisEngine
from engine.jobs.firm_wide import FirmWide
from engine.jobs.jobs import Jobs
from engine.keeping.service import HomeKeeping
from engine.leasing.service import Leasing
from engine.market.charts import Charts
from engine.market.hours.calendars import Calendars
from engine.market.hours.market_halts import MarketHalts
from engine.market.instruments import InstrumentDump
from engine.market.lists.index_lists import IndexLists
from engine.market.lists.share_lists import ShareLists
from engine.market.lists.watchlists import Watchlists
from engine.market.margins import Margins
from engine.market.market import Market
from engine.market.market_data import MarketData
from engine.market.several_quotes import quotes_of
from engine.market.stamps import MarketStamps
from engine.market.venues import Venues
from engine.mtf.service import Mtf
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
from engine.planning.limits.gathering import LimitFigures
from engine.planning.limits.service import OrderLimits
from engine.planning.service import AskedFirst, Plans
from engine.rebalancing.models import Models
from engine.rebalancing.service import Rebalancing
from engine.reconciliation.reading import BooksReading
from engine.reconciliation.reconciler import Reconciler
from engine.review.at_brokers import AtBrokers
from engine.review.audit import Trail
from engine.review.doctor import Doctor
from engine.review.evidence import Evidence
from engine.review.happenings import RecordedDay
from engine.review.health import Health
from engine.review.lost_chases import LostChases
from engine.review.notes import NoteService
from engine.risk.closes import DailyCloses
from engine.risk.runs import Dispersion
from engine.risk.service import Risk
from engine.rules import Rules
from engine.tape import Tape
from engine.tax.lots import TaxLots
from engine.timing import Timing
from engine.words.alerts import delivery_words
from engine.words.gate import verdict_words
from engine.words.trading.why import all_words
from engine.workings import Workings

CHECKING = "checking the books"
"""Why a desk that is open trades nothing yet."""


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
        old_s = rules.price_age_limit_s
        data = MarketData(connections.feed, quotes_of(connections, timing.wall, old_s), old_s)
        venues = Venues(connections, data)
        recorder = Recorder(kept, timing, engine, rules)
        self.sessions = Sessions(kept, timing, engine, connections, rng)
        lost = LostSessions(kept.book, connections, self.sessions, background.load)
        watcher = Watcher(kept, timing, engine, connections, recorder, lost)
        self.funds = FundsService(kept)
        self.valuation = Valuation(
            holdings=lambda client_id: kept.book.holdings.get(client_id, ()),
            quote=data.quotes.quote,
            figures=lambda client_id: kept.book.figures.get(client_id, NO_FIGURES),
            funds=self.funds.of,
            day_began=self._market_day_began,
        )
        self.mtf = Mtf(kept, timing, engine, venues, rules)
        self.mtf_lists, self.actions = self.mtf.lists, self.mtf.actions
        figures = LimitFigures(kept, timing, data, self.valuation)
        door = DoorLimits(kept.book, data, figures, all_words)
        if engine.looks_only:
            workers = Workers(recorder, watcher, NoSends(), NoCancels(), NoChanges())
        else:
            workers = Workers(
                recorder,
                watcher,
                Dispatcher(kept, timing, engine, venues, recorder, ClaimedWith(rng, door)),
                Canceller(kept, timing, engine, connections, recorder, watcher),
                Changer(kept, timing, engine, venues, recorder, ChangedWith(watcher, door)),
            )
        asked = (kept, timing, engine, venues)
        self.reconcile, self.readings = Reconciler(*asked, workers), BooksReading(*asked)
        self.market = Market(kept, timing, engine, data)
        here = kept, timing, engine
        self.calendar, self.charts = Calendars(*here), Charts(self.market, timing, connections.feed)
        self.market_halts = MarketHalts(*here, self.market)
        self.instruments = InstrumentDump(kept, timing, venues, self.market)
        on_market = *here, self.market
        self.index_lists, self.share_lists = IndexLists(*on_market), ShareLists(*on_market)
        self.watchlists, self.baskets = Watchlists(kept, engine, data), Baskets(kept, engine)
        self.presets, self.clients = Presets(kept, engine), Clients(*here)
        self.groups, self.importing = Groups(kept, engine), Importing(kept, engine, self.clients)
        self.connecting, self.routes = Connecting(kept, engine, connections), Routes(kept, engine)
        self.consents = Consents(kept, engine)
        self.probes = RouteProbes(kept, timing, engine, connections, self.sessions.check)
        told = partial(verdict_words, shown_at=self.shown_at)
        self.gate = Gate(kept, timing, engine, connections, self.reconcile.compared_at, told)
        self.kill_switches = SegmentLocks(kept, timing, engine, connections)
        self.holdings, self.statements = Holdings(kept, timing, data), Statements(kept)
        self.tax = TaxLots(kept, data)
        self.company_actions = CompanyActions(kept, timing, engine, connections)
        self.history, self.console_files = History(*here, self.valuation), ConsoleFiles(kept, engine, data)
        closes = DailyCloses(kept, timing, connections.feed)
        self.risk = Risk(kept, timing, self.valuation, closes, self.history)
        margins = Margins(kept, timing, engine, connections, data, background.load)
        ask, lends = self.reconcile.ensure, self.mtf_lists.lends_on
        first = AskedFirst(ask, margins, self._line_of, self._portfolio_paise, figures, lends)
        self.plans = Plans(kept, timing, engine, venues, rules, first)
        self.dispersion, self.who = Dispersion(kept, timing, self.market, self.plans), WhoActs(*here)
        self.limits = OrderLimits(kept, engine, figures, partial(self.who.require, Right.SET_UP))
        self.approvals = Approvals(kept, timing, self.who, self.plans)
        made_of = MadeOf(self.plans, rules, rng, all_words, self.approvals.require)
        self.models = Models(kept, timing, engine, data)
        self.rebalancing = Rebalancing(kept, timing, data, self.plans, rules)
        self.runs, self.firm_orders = Runs(*asked, workers, made_of), FirmOrders(*here, workers)
        self.orders, self.modifies = Orders(*here, data, workers), Modifies(*here, data, rules, workers)
        self.chases = Chases(*here, data, self.modifies, workers)
        self.halt = Halts(kept, timing, engine, venues, rules, workers)
        self.flatten = Flattens(kept, timing, engine, venues, rules, workers)
        self.guards = Guards(kept, timing, engine, workers, self.market, self.flatten)
        self.conversions = Conversions(*here, venues, rules)
        self.several_conversions = SeveralConversions(kept, self.conversions)
        self.lost_chases, self.hand_over = LostChases(*here), HandOver(*here, data)
        square_off = SquareOff(kept, timing, engine, self.flatten)
        self.alerts = Alerts(kept, timing, engine, square_off, self.lost_chases, self.guards)
        readings = Readings(kept, timing, self.market, self.valuation, connections)
        judge = RuleJudge(readings, lambda: kept.book.funds)
        self.alert_rules = AlertRules(kept, engine, judge, self.known)
        self.health = Health(kept, timing, connections, self.market, workers)
        watch = Watch(self.market, self.valuation, judge, self.health.looks.note)
        self.rule_watch = RuleWatch(kept, timing, engine, self.alert_rules, watch)
        self.outbox = Outbox(kept, timing, engine, self.alerts, rules.quiet_hours, self._left_as)
        self.health.waiting["alerts"] = self.outbox.waiting
        self.mtf_alerts = MtfAlerts(kept, timing, engine, self.market, self.mtf)
        self.leases = Leasing(kept, timing, engine, rules, workers)
        self.at_brokers, self.audit = AtBrokers(kept, timing, venues), Trail(kept, timing, engine, stamps)
        self.notes, self.evidence = NoteService(kept, engine), Evidence(kept, timing, engine)
        self.keeping, self.jobs = HomeKeeping(*here, rules.keep_days), Jobs(*here, self.who)
        self.firm_wide = FirmWide(*asked, made_of, self.jobs)
        self.doctor, self.contract_notes = Doctor(*here, connections), ContractNotes(*here)
        everybody, file = (lambda: kept.book.clients.keys()), equity_file(kept.home)
        self.equity = Equity(timing, self.valuation, everybody, self.market.feed_stale, file)
        closing = ClosingPrices(kept, timing, engine, self.market, connections.feed)
        lists = ListsTomorrow(kept, timing, self.mtf, RestingAtBrokers(kept, timing, connections))
        risks = DayRisks(self.risk, self.dispersion)
        with_others = CloseWith(self.reconcile, lists, risks, self.keeping.back_up)
        self.close = DayClose(kept, timing, engine, self.market, closing, with_others)
        self.day_tape, self.recorded = Tape(kept, timing, self.runs), RecordedDay(timing.market.now)
        offered = Offered(self.market, self.instruments, self.sessions, lost, background.load)
        for connection in connections:
            connection.life.attach(Hosting(connection, kept, timing, engine, offered))
        self.signing = signing = SigningIn(kept, timing, self.who, rng)
        self.people = PeopleService(kept, timing, self.who, signing, rng)
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
        return stopped or store.trouble or engine.sign_on_trouble or store.owning.over or None

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
        return any(is_on_its_way(book.orders[one], book.runs) for one in book.live)

    async def price(self, client_ids: Collection[int] | None = None) -> None:
        """Fetch the prices of what these clients, or all, hold, and value them by these."""
        keys = self.valuation.keys() if client_ids is None else self.valuation.keys_of(client_ids)
        await self.market.fetch(sorted(keys))
        self.valuation.take_in(keys)

    def counts(self) -> DeskCounts:
        """Live, unsent and unknown orders, clients ready, and orders that need the trader."""
        return desk_counts(self.workings.kept.book, self.who.scope(), self.clients.ready_count())

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

    def _left_as(self, alert: AlertView) -> tuple[str, str]:
        """The title and the text under which an alert leaves this machine."""
        return delivery_words(alert, {one.id: one.code for one in self.workings.kept.book.clients.values()})

    def known(self, names: Names = Names(), around: Around = Around()) -> Known:  # noqa: B008 - frozen
        """What the words of a typed line can name."""
        runs = [run.number for run in self.runs.all()]
        index, holders = self.market.index, self.holdings.holders
        today = self.market_clock.now().astimezone(IST).date()
        connections = [one.name for one in self.connections]
        numbers = self.alert_rules.numbers()
        clients, select = self.clients, self.plans.select
        return Known(index, clients, select, holders, today, runs, names, around, connections, numbers)

    async def hear(self, client_ids: Collection[int]) -> None:
        """Have a command hear these clients' order updates while it waits; where all are heard, nothing."""
        for connection in self.connections:
            await connection.life.hear(client_ids)

    async def settle(self) -> None:
        """Wait until nothing is under way: every call has ended and every fact is booked."""
        await self.workings.workers.settle()
