"""Every place of the screen: each screen, each card of the dock, and views of them, with a way to open it.

What must hold everywhere walks through these; one that is missing is found by its class.
"""

from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from textual.screen import Screen

import screens
import tradedesk.app
from data.money import paise_from_text
from data.vocabulary import (
    AlertKind,
    FlattenWhat,
    HaltScope,
    LimitKind,
    LimitScope,
    LimitTo,
    Product,
    Side,
    SizingKind,
)
from engine.book.views import ClientView
from engine.book.watched.alert_views import AlertView
from engine.colon.records.asked import OfWhom
from engine.execution.changes.new_limits import NewLimit
from engine.guards.asked import GuardWish
from engine.planning.intent import Intent, Selection, Sizing
from engine.planning.limits.typed import LimitWish
from engine.rebalancing.asked import RebalanceOf
from engine.rebalancing.model import ModelRules
from screens.audit.screen import AuditScreen
from screens.audit.story import StoryScreen
from screens.bulk.presets import PresetsCard
from screens.bulk.run_stop import StopCard
from screens.bulk.screen import BulkScreen
from screens.clients.changing import ChangesClients
from screens.clients.client_card import ClientCard
from screens.clients.groups_card import GroupCard, GroupsCard
from screens.clients.page import ClientScreen
from screens.clients.pause_card import PauseCard
from screens.clients.screen import ClientsScreen
from screens.clients.sign_in import SignInScreen
from screens.clients.sign_in_round import begin_round
from screens.clients.waive import WaiveCard
from screens.consents.card import ConsentsCard
from screens.day.screen import DayScreen
from screens.desk.columns_form import ColumnsCard
from screens.desk.lists import WatchlistCard
from screens.desk.screen import DeskScreen
from screens.desk.search import FindCard
from screens.desk.symbol import SymbolScreen
from screens.equity.screen import EquityScreen
from screens.flatten.screen import FlattenScreen
from screens.frame.cards.alert_form import AlertForm
from screens.frame.cards.alerts_card import AlertsCard
from screens.frame.cards.command_log import CommandLog
from screens.frame.cards.commandline import CommandLineCard
from screens.frame.cards.confirm import QuestionCard, QuitCard, WordsCard, YesCard
from screens.frame.cards.form import FormCard
from screens.frame.cards.note import NoteCard
from screens.frame.cards.override import OverrideCard
from screens.frame.cards.profile import ProfileCard
from screens.frame.cards.put_off_card import PutOffCard
from screens.frame.cards.theme import ThemeCard
from screens.frame.dock import Card, DockHost
from screens.frame.fault import FaultScreen
from screens.frame.help import HelpScreen
from screens.frame.lock import LockScreen
from screens.frame.opening import OpeningScreen
from screens.frame.routes import View, WorkspaceName
from screens.frame.workspace import Dialog, Framed, Workspace
from screens.guards.guard_card import GuardCard
from screens.guards.guards_card import GuardsCard
from screens.halt.screen import CertificateScreen
from screens.health.screen import HealthScreen
from screens.history.actions import ActionsScreen
from screens.history.costs import DispersionScreen
from screens.history.figures import FiguresScreen
from screens.history.flows import FlowsScreen
from screens.history.losses import RiskScreen
from screens.history.recorded import RecordedScreen
from screens.history.screen import HistoryScreen
from screens.importing.calendar_card import CalendarCard
from screens.importing.column_card import ColumnCard
from screens.importing.rows import ColumnRow
from screens.importing.screen import ImportScreen
from screens.importing.take_card import TakeCard
from screens.limits.limit_card import LimitCard
from screens.limits.limits_card import LimitsCard
from screens.limits.lists_card import ListsCard
from screens.matrix.basket_card import BasketCard
from screens.matrix.draft import BasketDraft
from screens.matrix.saved_card import NameCard, SavedCard
from screens.matrix.screen import MatrixScreen
from screens.mtf.screen import MtfScreen
from screens.orders.cancel import ask_cancel
from screens.orders.life import OrderScreen
from screens.orders.modify import ModifyCard
from screens.orders.modify_many import ModifyManyCard, ModifyReview
from screens.orders.screen import OrdersScreen
from screens.orders.settle import ReasonCard
from screens.positions.conversions_card import ConversionsCard
from screens.positions.screen import PositionsScreen
from screens.rebalance.exception_card import ExceptionCard
from screens.rebalance.rules_card import RulesCard
from screens.rebalance.screen import RebalanceScreen
from screens.rebalance.wish_card import WishCard
from screens.ticket.card import TicketCard
from screens.ticket.review import ReviewCard
from screens.ticket.what_if import WhatIfCard
from tests.rebalancing import model, model_file
from tests.screens.papers import PaperBench
from tradedesk.app.keymap import PROFILES
from tradedesk.app.mending import FAULT
from tradedesk.app.palette import Palette

Open = Callable[["Visit"], Awaitable[Any]]


async def looked(valid: bool) -> list[str]:
    """What a file on its way in would change."""
    return ["own of 18 Nov 2026: 2 shares"]


UNSEEN: frozenset[type] = frozenset(
    {
        FiguresScreen,
        DockHost,
        Framed,
        Workspace,
        ChangesClients,
        Dialog,
        Card,
        FormCard,
        QuestionCard,
        OpeningScreen,
        LockScreen,
    }
)
"""What others are made of; the screen before there is a desk, which test_early_halt is about; and the lock of
a home with people, which tests/people/test_lock.py is about."""


class Visit:
    """A bench whose desk has live orders, a paused run, shares and a plan to be reviewed."""

    def __init__(self, bench: PaperBench) -> None:
        self.bench = bench
        self.live: list[int] = []
        self.run = 0

    async def furnish(self) -> None:
        """Make what the places show."""
        bench, desk = self.bench, self.bench.desk
        await desk.models.import_file(model_file(desk.home), "Balanced")
        some = tuple(bench.client(code) for code in ("AM1042", "RG1008", "AP1022"))
        sizing = Sizing(SizingKind.PERCENT_OF_CAPITAL, 2500)
        bought = await desk.plans.freeze(Intent(Side.BUY, "NSE:INFY", sizing, selection=Selection(some)))
        filled = await desk.runs.start(bought, bought.digest)
        await bench.until(lambda: desk.runs.get(filled.number).finished_at is not None)
        self.live = await bench.rest_orders("AM1042", "RG1008", "AP1022")
        plan = await desk.plans.freeze(Intent(Side.BUY, "NSE:TCS", Sizing(SizingKind.FIXED_QUANTITY, 1)))
        run = await desk.runs.start(plan, plan.digest)
        await desk.runs.pause(run.number)
        await bench.pass_time(0.5)
        self.run = run.number

    @property
    def client(self) -> int:
        return self.bench.client("AM1042")

    @property
    def view(self) -> ClientView:
        return self.bench.desk.clients.get(self.client)

    async def open(self, name: str) -> None:
        """Turn to a place, from the Desk."""
        await PLACES[name][1](self)
        await self.bench.settle()
        await self.bench.pass_time(0.5)
        kind = PLACES[name][0]
        app = self.bench.app
        found = self.bench.card if issubclass(kind, Card) else app.screen
        assert type(found) is kind, (name, found)

    async def leave(self) -> None:
        """Close what was opened, below a screen laid over it too, and go back to the Desk."""
        bench, app = self.bench, self.bench.app
        await self._close_cards()
        while len(app.screen_stack) > 1:
            app.pop_screen()
            await bench.settle()
            await self._close_cards()
        app.open_workspace(WorkspaceName.DESK)
        await bench.settle()
        await self._close_cards()
        await bench.keys("escape")  # a filter line, too
        bench.screen.query_one("#clients").focus()

    async def _close_cards(self) -> None:
        for _ in range(5):
            if self.bench.card is not None:
                self.bench.card.close()
                await self.bench.settle()

    def workspace(self, name: WorkspaceName, view: View | None = None) -> None:
        self.bench.app.open_workspace(name, view)

    async def card(self, card: Card[Any], over: Card[Any] | None = None) -> None:
        self.bench.screen.open_card(card, over=over)
        await self.bench.settle()


def intent(quantity: int = 1, *client_ids: int) -> Intent:
    sizing = Sizing(SizingKind.FIXED_QUANTITY, quantity)
    return Intent(Side.BUY, "NSE:TCS", sizing, selection=Selection(client_ids))


def workspace(name: WorkspaceName, *keys: str, view: View | None = None) -> Open:
    async def go(visit: Visit) -> None:
        visit.workspace(name, view)
        await visit.bench.settle()
        if keys:
            await visit.bench.keys(*keys)

    return go


def card(make: Callable[[Visit], Card[Any]]) -> Open:
    async def go(visit: Visit) -> None:
        await visit.card(make(visit))

    return go


def screen(make: Callable[[Visit], Screen[Any]]) -> Open:
    async def go(visit: Visit) -> None:
        visit.bench.app.push_screen(make(visit))

    return go


def keys(*names: str) -> Open:
    async def go(visit: Visit) -> None:
        await visit.bench.keys(*names)

    return go


async def bulk_fields(visit: Visit) -> None:
    visit.bench.app.open_bulk(Side.BUY, intent=intent())  # else it is in the field that was left last
    await visit.bench.settle()
    await visit.bench.keys("tab", "tab")


async def bulk_plan(visit: Visit) -> None:
    plan = await visit.bench.desk.plans.freeze(
        Intent(Side.BUY, "NSE:INFY", Sizing(SizingKind.PERCENT_OF_CAPITAL, 2500))
    )
    assert plan.number is not None
    visit.bench.app.open_plan(plan.number)


async def rebalance_plan(visit: Visit) -> None:
    visit.bench.app.run_command("rebalance balanced")
    await visit.bench.settle()


async def matrix_plan(visit: Visit) -> None:
    visit.bench.app.run_command("basket buy RELIANCE:15% TCS:20%")


async def ticket_filled(visit: Visit) -> None:
    await visit.card(TicketCard(Side.BUY, "NSE:TCS", visit.client))
    await visit.bench.type("500")


async def review(visit: Visit) -> None:
    ticket = TicketCard(Side.BUY, "NSE:TCS", visit.client)
    await visit.card(ticket)
    await visit.card(ReviewCard(await visit.bench.desk.plans.freeze(intent(2, visit.client))), ticket)


async def many_review(visit: Visit) -> None:
    desk = visit.bench.desk
    card = ModifyManyCard([desk.orders.get(one) for one in visit.live])
    await visit.card(card)
    wish = NewLimit(LimitTo.PRICE, paise_from_text("2,310.00"))
    await visit.card(ModifyReview(await desk.modifies.look(visit.live, wish)), card)


async def cancel_one(visit: Visit) -> None:
    ask_cancel(visit.bench.screen, [visit.bench.desk.orders.get(visit.live[0])])


async def cancel_many(visit: Visit) -> None:
    ask_cancel(visit.bench.screen, [visit.bench.desk.orders.get(one) for one in visit.live])


async def faulty(visit: Visit) -> None:
    app = visit.bench.app
    app.switch_mode(FAULT)
    await visit.bench.settle()
    assert isinstance(app.screen, FaultScreen)
    app.screen.show(WorkspaceName.BULK, "ValueError: a test")


async def what_if(visit: Visit) -> None:
    plan = await visit.bench.desk.plans.freeze(intent(2, visit.client))
    await visit.card(WhatIfCard(visit.bench.desk.plans.what_if(plan, plan.lines[0])))


A_COLUMN = ColumnRow("UCC", ("AR77", "BN78"), ("code",))


def a_list(visit: Visit) -> Path:
    path = visit.bench.desk.home / "list.csv"
    path.write_text("code,name,broker,broker_user_id,capital\nAR77,Asha,zerodha,DR1,x\n", encoding="utf-8")
    return path


def waiver(visit: Visit) -> WaiveCard:
    row = visit.bench.desk.gate.of(visit.client)
    return WaiveCard(row, row.checks)


async def conversions(visit: Visit) -> None:
    found = await visit.bench.desk.conversions.prospect(visit.client, "NSE:INFY", (Product.MIS, Product.CNC))
    await visit.card(ConversionsCard([found]))


async def guards(visit: Visit) -> Any:
    """The guards, of which one is set by an amount."""
    wish = GuardWish(HaltScope.CLIENT, str(visit.client), FlattenWhat.ALL, loss_paise=5_000_00)
    await visit.bench.desk.guards.set(wish, visit.bench.desk.guards.answer(wish))
    return await visit.card(GuardsCard())


def alert(visit: Visit) -> AlertView:
    now = visit.bench.desk.market.now()
    return AlertView(AlertKind.SQUARE_OFF, now.date(), now, (), ())


async def settled(reason: str, number: str) -> str:
    return reason + number


PLACES: dict[str, tuple[type[Screen[Any]] | type[Card[Any]], Open]] = {
    "desk": (DeskScreen, workspace(WorkspaceName.DESK)),
    "desk, the watchlist": (DeskScreen, workspace(WorkspaceName.DESK, "shift+tab")),
    "desk, a filter line": (DeskScreen, workspace(WorkspaceName.DESK, "f")),
    "bulk, its form": (BulkScreen, workspace(WorkspaceName.BULK)),
    "bulk, in its fields": (BulkScreen, bulk_fields),
    "bulk, a plan": (BulkScreen, bulk_plan),
    "bulk, a run": (BulkScreen, lambda visit: _done(visit.bench.app.open_run(visit.run))),
    "orders": (OrdersScreen, workspace(WorkspaceName.ORDERS)),
    "orders, trades": (OrdersScreen, workspace(WorkspaceName.ORDERS, view=View.TRADES)),
    "positions": (PositionsScreen, workspace(WorkspaceName.POSITIONS)),
    "positions, by client": (PositionsScreen, workspace(WorkspaceName.POSITIONS, "tab")),
    "matrix": (MatrixScreen, workspace(WorkspaceName.MATRIX)),
    "matrix, turned": (MatrixScreen, workspace(WorkspaceName.MATRIX, "comma", "comma")),
    "matrix, a plan": (MatrixScreen, matrix_plan),
    "rebalance": (RebalanceScreen, workspace(WorkspaceName.REBALANCE)),
    "rebalance, a plan": (RebalanceScreen, rebalance_plan),
    "clients": (ClientsScreen, workspace(WorkspaceName.CLIENTS)),
    "a client": (ClientScreen, lambda visit: _done(visit.bench.app.open_client(visit.client))),
    "a symbol": (SymbolScreen, lambda visit: _done(visit.bench.app.open_symbol("NSE:INFY"))),
    "an order": (OrderScreen, lambda visit: _done(visit.bench.app.open_order(visit.live[0]))),
    "signing in": (
        SignInScreen,
        screen(lambda visit: SignInScreen(begin_round(visit.bench.desk, [visit.client]))),
    ),
    "import": (ImportScreen, screen(lambda visit: ImportScreen(a_list(visit)))),
    "flatten": (FlattenScreen, lambda visit: _done(visit.bench.app.open_flatten())),
    "equity": (EquityScreen, screen(lambda visit: EquityScreen())),
    "history": (HistoryScreen, screen(lambda visit: HistoryScreen())),
    "risk": (RiskScreen, screen(lambda visit: RiskScreen(OfWhom()))),
    "dispersion": (DispersionScreen, screen(lambda visit: DispersionScreen())),
    "dispersion of a run": (DispersionScreen, screen(lambda visit: DispersionScreen(1))),
    "flows": (FlowsScreen, screen(lambda visit: FlowsScreen())),
    "recorded": (RecordedScreen, screen(lambda visit: RecordedScreen())),
    "actions": (ActionsScreen, screen(lambda visit: ActionsScreen())),
    "mtf": (MtfScreen, screen(lambda visit: MtfScreen())),
    "health": (HealthScreen, screen(lambda visit: HealthScreen())),
    "day": (DayScreen, workspace(WorkspaceName.DAY)),
    "audit": (AuditScreen, workspace(WorkspaceName.AUDIT)),
    "audit, a search": (AuditScreen, workspace(WorkspaceName.AUDIT, "f", *"action:run", "enter")),
    "audit, a row's story": (StoryScreen, lambda visit: _done(visit.bench.app.open_audit_row(60))),
    "help": (HelpScreen, keys("question_mark")),
    "the palette": (Palette, keys("ctrl+p")),
    "a certificate": (CertificateScreen, screen(lambda visit: CertificateScreen())),
    "a fault": (FaultScreen, faulty),
    "a client's form": (ClientCard, lambda visit: visit.card(ClientCard(visit.view))),
    "a client's form, added": (ClientCard, card(lambda _: ClientCard(None))),
    "a column of a list": (ColumnCard, card(lambda _: ColumnCard(A_COLUMN, ("UCC", "Name"), True))),
    "a waiver": (WaiveCard, card(waiver)),
    "beyond a soft limit": (
        OverrideCard,
        card(lambda _: OverrideCard("PS1015", "10 shares, the desk's soft limit 5")),
    ),
    "consents": (ConsentsCard, card(lambda _: ConsentsCard())),
    "consents of a client": (ConsentsCard, card(lambda visit: ConsentsCard(visit.client))),
    "limits": (LimitsCard, card(lambda visit: LimitsCard(visit.client))),
    "a limit": (LimitCard, card(lambda _: LimitCard(LimitWish(LimitScope.DESK, "", LimitKind.STOCK)))),
    "lists of shares": (ListsCard, card(lambda _: ListsCard())),
    "a day of the calendar": (
        CalendarCard,
        card(lambda visit: CalendarCard(visit.bench.desk.market_clock.trading_day)),
    ),
    "a file on its way in": (TakeCard, card(lambda _: TakeCard("LISTS", Path("own.csv"), looked, looked))),
    "a pause": (PauseCard, lambda visit: visit.card(PauseCard(visit.view))),
    "a note": (NoteCard, workspace(WorkspaceName.CLIENTS, "n")),
    "groups": (GroupsCard, card(lambda _: GroupsCard())),
    "a group": (GroupCard, card(lambda _: GroupCard(None, ["AM1042"]))),
    "search": (FindCard, keys("slash")),
    "search, a client": (FindCard, keys("slash", *"PS10")),
    "the command line": (CommandLineCard, keys("colon", *"buy tcs 2%")),
    "quit": (QuitCard, keys("q")),
    "ticket": (TicketCard, card(lambda visit: TicketCard(Side.SELL, "NSE:INFY", visit.client))),
    "ticket, too large": (TicketCard, ticket_filled),
    "review": (ReviewCard, review),
    "modify": (ModifyCard, card(lambda visit: ModifyCard(visit.live[0]))),
    "modify many": (
        ModifyManyCard,
        card(lambda visit: ModifyManyCard([visit.bench.desk.orders.get(one) for one in visit.live])),
    ),
    "review of many": (ModifyReview, many_review),
    "cancel one": (YesCard, cancel_one),
    "cancel many": (WordsCard, cancel_many),
    "stop a run": (StopCard, card(lambda visit: StopCard(visit.bench.desk.runs.get(visit.run)))),
    "a reason": (ReasonCard, card(lambda _: ReasonCard("ADOPT", ["an order"], "adopt", settled))),
    "watchlists": (WatchlistCard, card(lambda _: WatchlistCard("Watchlist"))),
    "a rebalance": (WishCard, card(lambda _: WishCard(RebalanceOf("Balanced"), (1,)))),
    "a model's rules": (RulesCard, card(lambda _: RulesCard(model(ModelRules())))),
    "an exception": (
        ExceptionCard,
        card(lambda visit: ExceptionCard(model(ModelRules()), visit.client, "NSE:TCS")),
    ),
    "a basket": (BasketCard, card(lambda _: BasketCard(BasketDraft(), lambda card: None))),
    "saved baskets": (SavedCard, card(lambda _: SavedCard(BasketDraft()))),
    "a name": (NameCard, card(lambda _: NameCard("SAVE BASKET", "Two", "two legs"))),
    "what if": (WhatIfCard, what_if),
    "presets": (PresetsCard, card(lambda _: PresetsCard((), None))),
    "the log of commands": (CommandLog, card(lambda _: CommandLog())),
    "guards": (GuardsCard, guards),
    "a guard": (GuardCard, card(lambda visit: GuardCard(GuardWish(HaltScope.CLIENT, str(visit.client))))),
    "alerts": (AlertsCard, card(lambda _: AlertsCard())),
    "a rule of alerts": (AlertForm, card(lambda _: AlertForm())),
    "an alert put off": (PutOffCard, card(lambda visit: PutOffCard(alert(visit)))),
    "the watchlist's columns": (ColumnsCard, card(lambda _: ColumnsCard((), lambda columns: None))),
    "conversions": (ConversionsCard, conversions),
    "the keys": (ProfileCard, card(lambda _: ProfileCard(tuple(PROFILES), "plain"))),
    "the theme": (ThemeCard, card(lambda visit: ThemeCard(visit.bench.app.themes, "dark"))),
}
"""Every place by its name: the class that must be up, and how it is opened from the Desk."""

PARTS = [tuple(PLACES)[first::5] for first in range(5)]
"""All places in parts that each have some of every kind: a plain run of a test takes the first part."""


async def _done(nothing: object) -> None:
    """What was asked for opens by itself."""


def classes(kinds: tuple[type, ...] = (Screen, Card)) -> Iterator[type[Any]]:
    """Every class of a screen or a card in this program, or of other kinds of widget."""
    for package in (screens, tradedesk.app):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            place = path.relative_to(root).with_suffix("")
            module = import_module(".".join([package.__name__, *place.parts]).removesuffix(".__init__"))
            yield from (
                found
                for found in vars(module).values()
                if isinstance(found, type)
                and issubclass(found, kinds)
                and found.__module__ == module.__name__
            )
