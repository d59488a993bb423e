"""What a line of the command line does once it is understood: every way from its words to a screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, assert_never

from data.errors import BadInput, TradedeskError
from data.vocabulary import Product
from engine.colon.asked import (
    AskedAlert,
    AskedAlertRule,
    AskedAudit,
    AskedBasket,
    AskedCalendar,
    AskedChange,
    AskedClient,
    AskedClock,
    AskedEvidence,
    AskedExport,
    AskedFilter,
    AskedGroup,
    AskedGuard,
    AskedImport,
    AskedLimit,
    AskedLimits,
    AskedLists,
    AskedMarket,
    AskedMtf,
    AskedNote,
    AskedOfClient,
    AskedOfRun,
    AskedOrders,
    AskedPage,
    AskedPlainly,
    AskedSetting,
    AskedSignIn,
    AskedSignOut,
    AskedSymbol,
    AskedToApprove,
    AskedToCancel,
    AskedToConvert,
    AskedToConvertAll,
    AskedToFlatten,
    AskedToSave,
    AskedWatch,
    MarketDo,
    Numbered,
)
from engine.colon.grammar import READERS, parse
from engine.colon.known import Around, Known, Names
from engine.colon.records.asked import AskedOfRecord
from engine.rebalancing.asked import AskedOfModels
from engine.refusals import Refusal
from engine.words import formats
from engine.words.approvals import approval_words
from engine.words.colon import problem_words
from engine.words.market import market_halt_words, moved_words
from engine.words.refusals import refusal_words
from screens.frame.commands import EMERGENCY
from screens.frame.draft import Draft
from screens.frame.pane import FilterLine
from screens.frame.routes import WorkspaceName
from screens.frame.workspace import Framed, Here
from tradedesk.app.converting import convert
from tradedesk.app.keymap import all_commands
from tradedesk.app.preferences import SETTING_WORDS
from tradedesk.app.typed.alert_lines import about_alerts
from tradedesk.app.typed.client_lines import about_clients
from tradedesk.app.typed.file_lines import about_calendar, about_files
from tradedesk.app.typed.guard_lines import about_guards
from tradedesk.app.typed.limit_lines import about_limits
from tradedesk.app.typed.model_lines import about_models
from tradedesk.app.typed.mtf_lines import about_margin
from tradedesk.app.typed.record_lines import about_records
from tradedesk.app.typed.rights import right_of_line
from tradedesk.app.typed.run_lines import about_runs

if TYPE_CHECKING:
    from engine.colon.asked import Asked, AskedOfDesk
    from screens.frame.commands import Command
    from tradedesk.app.shell import ShellApp

GATE = "gate"
"""Another name for the workspace of the clients."""


def plain_commands() -> dict[str, Command]:
    """The commands of the palette that need no cursor, by the names under which they are typed."""
    offered = [
        command
        for command in all_commands().values()
        if command.palette
        and command.group != EMERGENCY
        and (command.action.startswith("app.") or command.group == "Workspaces")
    ]
    named = {_typed(command.id): command for command in offered if "." not in command.id}
    named |= {_typed(command.words): command for command in offered}
    clients = named[WorkspaceName.CLIENTS.value]
    return {name: one for name, one in {**named, GATE: clients}.items() if name not in (*READERS, "command")}


def _typed(words: str) -> str:
    """Words as one."""
    return words.casefold().replace(" ", "-").replace("_", "-")


def known_to(app: ShellApp) -> Known:
    """What the words of a line can name, over the screen that is up."""
    here = app.screen.here() if isinstance(app.screen, Framed) else Here()
    commands = {name: command.help for name, command in plain_commands().items()}
    app.themes.read()
    settings = {"theme": app.themes.names, **SETTING_WORDS}
    names = Names(settings=settings, commands=commands)
    return app.desk.known(names, Around(here.client_ids, here.shown or ()))


def run_line(app: ShellApp, text: str) -> None:
    """Carry out a line; what is wrong with it is said in a toast."""
    try:
        carry_out(app, parse(text, known_to(app)))
    except (BadInput, LookupError) as problem:
        app.say(problem_words(problem), "warning")
    except Refusal as refusal:
        app.say(refusal_words(refusal), "warning")


def carry_out(app: ShellApp, asked: Asked) -> None:
    """Open what a line asks for, where who sits here may. Raises `BadInput`, `LookupError`, `Refusal`."""
    if app.is_refused(f":{type(asked).__name__}", right_of_line(asked)):
        return
    if isinstance(asked, AskedOfRecord):
        about_records(app, asked)
    elif isinstance(asked, AskedOfModels):
        about_models(app, asked)
    else:
        _carry_out(app, asked)


def _carry_out(app: ShellApp, asked: AskedOfDesk) -> None:
    """Open what a line asks for. Raises `BadInput`, `LookupError`, `Refusal`."""
    match asked:
        case AskedOrders():
            _orders(app, asked)
        case AskedBasket(intent):
            _basket(app) if intent is None else app.open_basket(intent)
        case AskedToSave(name):
            matrix = app.in_matrix()
            matrix.call_later(matrix.save, name)
        case AskedToFlatten(scope, value, what):
            app.open_flatten(scope, app.desk.halt.check_scope(scope, value), what)
        case AskedGuard() | AskedLimit() | AskedLimits() | AskedLists():
            _bounds(app, asked)
        case AskedToConvert() | AskedToConvertAll():
            convert(app, asked)
        case AskedChange():
            _modify(app, asked)
        case AskedToCancel():
            _cancel(app, asked)
        case AskedOfRun():
            about_runs(app, asked)
        case AskedOfClient() | AskedNote() | AskedGroup():
            about_clients(app, asked)
        case AskedImport() | AskedExport() | AskedEvidence():
            about_files(app, asked)
        case _:
            _look(app, asked)


def _bounds(app: ShellApp, asked: AskedGuard | AskedLimit | AskedLimits | AskedLists) -> None:
    if isinstance(asked, AskedGuard):
        about_guards(app, asked.guard)
    else:
        about_limits(app, asked)


def _look(
    app: ShellApp,
    asked: AskedPage
    | AskedClient
    | AskedSymbol
    | AskedWatch
    | AskedFilter
    | AskedSignIn
    | AskedSignOut
    | AskedToApprove
    | AskedSetting
    | AskedAudit
    | AskedAlert
    | AskedMtf
    | AskedClock
    | AskedMarket
    | AskedCalendar
    | AskedAlertRule
    | AskedPlainly,
) -> None:
    """Show what no order is in."""
    match asked:
        case AskedPage(kind, number):
            _page(app, kind, number)
        case AskedClient(client_id):
            app.open_client(client_id)
        case AskedSymbol(key):
            app.open_symbol(key)
        case AskedWatch():
            _watch(app, asked)
        case AskedFilter(text):
            app.run_worker(_filter(app, text), exit_on_error=False)
        case AskedSignIn() | AskedSignOut():
            _sign(app, asked)
        case AskedToApprove(number, digest):
            app.run_worker(_approve(app, number, digest), exit_on_error=False)
        case AskedSetting() | AskedClock():
            _set(app, asked)
        case AskedAudit(wish):
            app.open_audit(wish)
        case AskedAlert() | AskedAlertRule() | AskedMarket() | AskedCalendar() | AskedMtf():
            _told(app, asked)
        case AskedPlainly(name):
            action = plain_commands()[name].action.removeprefix("app.")
            app.call_later(app.run_action, action, app)
        case _:
            assert_never(asked)


def _told(app: ShellApp, asked: AskedAlert | AskedAlertRule | AskedMarket | AskedCalendar | AskedMtf) -> None:
    if isinstance(asked, AskedMarket):
        app.run_worker(_market(app, asked), exit_on_error=False)
    elif isinstance(asked, AskedCalendar):
        about_calendar(app, asked)
    elif isinstance(asked, AskedMtf):
        about_margin(app, asked)
    else:
        about_alerts(app, asked)


def _sign(app: ShellApp, asked: AskedSignIn | AskedSignOut) -> None:
    if isinstance(asked, AskedSignIn):
        app.open_sign_in(asked.code)
    else:
        app.sign_out()


async def _market(app: ShellApp, asked: AskedMarket) -> None:
    """Say how the market stands, or have it halted or open as typed."""
    halts = app.desk.market_halts
    try:
        if asked.do is MarketDo.HALTED:
            await halts.halt(asked.percent, asked.reason)
        elif asked.do is MarketDo.OPEN:
            await halts.open_again(asked.reason)
    except Exception as problem:
        app.say(refusal_words(problem), "warning")
        return
    standing = halts.standing
    moves = ", ".join(moved_words(key, bps) for key, bps in halts.moves().items())
    stands = f"the market is halted {market_halt_words(standing)}" if standing else "the market is not halted"
    app.say(f"{stands}{f' · {moves}' if moves else ''}", "warning" if standing else "information")


def _orders(app: ShellApp, asked: AskedOrders) -> None:
    """The bulk form, filled; one client's count of shares is a ticket."""
    intent = asked.intent
    if asked.client_id is None:
        app.open_bulk(intent.side, intent=intent)
        return
    product: Product | None = intent.product
    typed = {
        "quantity": str(intent.sizing.value),
        "type": intent.order_type.value,
        "price": formats.typed(intent.limit_paise),
        "trigger": formats.typed(intent.trigger_paise),
        "validity": intent.standing,
        **({} if product is None else {"product": product.value}),
    }
    draft = Draft(intent.side, intent.key, asked.client_id, typed, sent=False, after_run=0, told="as typed")
    app.open_ticket(intent.side, intent.key, asked.client_id, draft=draft)


def _basket(app: ShellApp) -> None:
    matrix = app.in_matrix()
    matrix.call_later(matrix.begin_form)


def _modify(app: ShellApp, asked: AskedChange) -> None:
    from screens.orders.modify import ask_modify

    order = app.desk.orders.get(asked.order_id)
    if isinstance(app.screen, Framed):
        ask_modify(app.screen, order, (asked.quantity, asked.limit_paise, asked.trigger_paise))


def _cancel(app: ShellApp, asked: AskedToCancel) -> None:
    from screens.orders.cancel import ask_cancel

    orders = app.desk.orders
    if asked.order_ids:
        named = [orders.get(order_id) for order_id in asked.order_ids]
        found = [order for order in named if order.live]
    else:
        found = orders.all(live=True, client_id=asked.client_id, run=asked.run_number)
    if isinstance(app.screen, Framed):
        ask_cancel(app.screen, found)


def _page(app: ShellApp, kind: Numbered, number: int | None) -> None:
    if kind is Numbered.CERTIFICATE or number is None:
        app.open_certificate(number)
    elif kind is Numbered.AUDIT_ROW:
        app.open_audit_row(number)
    elif kind is Numbered.FLATTEN:
        app.open_flatten(number=number)
    elif kind is Numbered.ORDER:
        app.open_order(app.desk.orders.get(number).id)
    elif kind is Numbered.PLAN:
        app.open_plan(number)
    else:
        app.open_run(app.desk.runs.get(number).number)


async def _approve(app: ShellApp, number: int, digest: str) -> None:
    """Confirm somebody else's plan, or say how far it is confirmed."""
    approvals = app.desk.approvals
    try:
        state = await (approvals.approve(number, digest) if digest else approvals.of(number))
    except Exception as problem:
        app.say(refusal_words(problem), "warning")
    else:
        app.say(approval_words(state))


async def _clock(app: ShellApp, to: str) -> None:
    """Move a simulated market's day on, and say what time it is there."""
    from tradedesk.compose.rehearsing.market_clock import market_time

    try:
        now, _ = await market_time(app.desk, to or None)
    except BadInput as problem:
        app.say(problem_words(problem), "warning")
    except Exception as problem:
        app.say(refusal_words(problem), "warning")
    else:
        app.note(f"clock {to}".strip())
        app.say(f"the market's time is {formats.time_of_day(now)}")


def _watch(app: ShellApp, asked: AskedWatch) -> None:
    app.run_worker(_put_or_take(app, asked), exit_on_error=False)


async def _put_or_take(app: ShellApp, asked: AskedWatch) -> None:
    lists, symbol = app.desk.watchlists, asked.key.partition(":")[2]
    name = asked.list_name or lists.or_first(app.list_in_view)
    try:
        done = await (lists.remove if asked.off else lists.add)(asked.key, name)
    except TradedeskError as problem:
        app.say(refusal_words(problem), "warning")
        return
    now = "off" if asked.off else "on"
    app.say(f"{symbol} is {now} {name}" if done else f"{symbol} was {now} {name} already")


def _set(app: ShellApp, asked: AskedSetting | AskedClock) -> None:
    """Change a setting, or a simulated market's time; a setting without a value is chosen on the screen."""
    if isinstance(asked, AskedClock):
        app.run_worker(_clock(app, asked.to), exit_on_error=False)
        return
    key, typed = asked.key, asked.typed
    if typed and key == "theme":
        app.preferences.take_theme(typed)
    elif typed:
        app.preferences.change(key, typed)
        app.say(f"{key} is {typed}, from now on and at the next start")
    elif key == "theme":
        app.preferences.pick_theme()
    else:
        app.preferences.ask_for_keys()


async def _filter(app: ShellApp, text: str) -> None:
    """Type words into the filter of the rows that have the focus, as the key for it would have it."""
    screen = app.screen
    if not await app.run_action("filter_here", screen) or not screen.query(FilterLine):
        app.say("there is no table to filter here", "warning")
        return
    app.call_later(partial(_fill_filter, app, text))


def _fill_filter(app: ShellApp, text: str) -> None:
    line = app.screen.focused
    if isinstance(line, FilterLine):
        line.value = text
        app.call_later(line.action_submit)
