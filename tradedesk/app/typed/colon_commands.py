"""What a line of the command line does once it is understood: every way from its words to a screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, assert_never

from data.errors import BadInput, TradedeskError
from data.vocabulary import Product
from engine.colon.asked import (
    AlertDo,
    AskedAlert,
    AskedAudit,
    AskedBasket,
    AskedChange,
    AskedClient,
    AskedExport,
    AskedFilter,
    AskedGroup,
    AskedImport,
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
    Numbered,
    OfRun,
)
from engine.colon.grammar import READERS, parse
from engine.colon.known import Around, Known, Names
from engine.refusals import Refusal
from engine.words import formats
from engine.words.approvals import approval_words
from engine.words.colon import problem_words
from engine.words.refusals import refusal_words
from screens.frame.cards.alerts_card import put_off
from screens.frame.commands import EMERGENCY
from screens.frame.draft import Draft
from screens.frame.pane import FilterLine
from screens.frame.routes import WorkspaceName
from screens.frame.workspace import Framed, Here
from tradedesk.app.converting import ask_conversion, ask_conversions
from tradedesk.app.keymap import all_commands
from tradedesk.app.preferences import SETTING_WORDS
from tradedesk.app.typed.client_lines import about_clients
from tradedesk.app.typed.file_lines import about_files
from tradedesk.app.typed.rights import right_of_line

if TYPE_CHECKING:
    from engine.colon.asked import Asked
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
    if not app.is_refused(f":{type(asked).__name__}", right_of_line(asked)):
        _carry_out(app, asked)


def _carry_out(app: ShellApp, asked: Asked) -> None:
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
        case AskedToConvert(client_id, key, of, to):
            app.run_worker(ask_conversion(app, client_id, key, (of, to)), exit_on_error=False)
        case AskedToConvertAll(client_ids, key, of, to):
            app.run_worker(ask_conversions(app, client_ids, key, (of, to)), exit_on_error=False)
        case AskedChange():
            _modify(app, asked)
        case AskedToCancel():
            _cancel(app, asked)
        case AskedOfRun(what, number):
            app.run_worker(_of_run(app, what, number), exit_on_error=False)
        case AskedOfClient() | AskedNote() | AskedGroup():
            about_clients(app, asked)
        case AskedImport() | AskedExport():
            about_files(app, asked)
        case _:
            _look(app, asked)


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
        case AskedSetting(key, typed):
            _set(app, key, typed)
        case AskedAudit(wish):
            app.open_audit(wish)
        case AskedAlert():
            _alert(app, asked)
        case AskedPlainly(name):
            action = plain_commands()[name].action.removeprefix("app.")
            app.call_later(app.run_action, action, app)
        case _:
            assert_never(asked)


def _sign(app: ShellApp, asked: AskedSignIn | AskedSignOut) -> None:
    if isinstance(asked, AskedSignIn):
        app.open_sign_in(asked.code)
    else:
        app.sign_out()


def _alert(app: ShellApp, asked: AskedAlert) -> None:
    """The alerts, or what is done with one. Raises `BadInput` where no such one is to be done with."""
    alerts = app.desk.alerts
    if asked.do is None:
        app.action_alerts()
    elif asked.do is AlertDo.DONE:
        app.run_worker(alerts.done(alerts.of_kind(asked.kind)), exit_on_error=False)
    else:
        off = put_off(app.desk, app.say, alerts.of_kind(asked.kind), asked.how_long)
        app.run_worker(off, exit_on_error=False)


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
        app.open_run(number)


async def _of_run(app: ShellApp, what: OfRun, number: int) -> None:
    """Pause a run, or plan what its repair or reversal is."""
    runs = app.desk.runs
    try:
        if what is OfRun.PAUSE:
            run = await runs.pause(number)
            app.say(f"run {run.number} is paused: typed words go on with it, p in it asks for them")
            return
        reverse = what is OfRun.REVERSE
        intent = await (runs.reverse_intent(number) if reverse else runs.repair_intent(number))
    except LookupError:
        app.say(f"there is no run {number}", "warning")
    except Exception as problem:
        app.say(refusal_words(problem), "warning")
    else:
        if intent is None:
            had = "filled nothing that could be reversed" if reverse else "has nothing that provably failed"
            app.say(f"run {number} {had}", "warning")
        else:
            app.open_bulk(intent.side, intent.key, (), intent)


async def _approve(app: ShellApp, number: int, digest: str) -> None:
    """Confirm somebody else's plan, or say how far it is confirmed."""
    approvals = app.desk.approvals
    try:
        state = await (approvals.approve(number, digest) if digest else approvals.of(number))
    except Exception as problem:
        app.say(refusal_words(problem), "warning")
    else:
        app.say(approval_words(state))


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


def _set(app: ShellApp, key: str, typed: str) -> None:
    """Change a setting; without a value have it chosen on the screen."""
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
