"""What a typed line would do, in one sentence, and what is wrong with one that cannot be understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, assert_never

from data.errors import BadInput
from data.vocabulary import Drift, HaltScope, PerClient
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
    GroupDo,
    Numbered,
    OfClient,
    OfRun,
)
from engine.words import formats
from engine.words.alerts import PUT_OFF_WORDS
from engine.words.formats import counted
from engine.words.trading.plans import product_words, sizing_words

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from engine.colon.asked import Asked
    from engine.planning.intent import Intent, Leg, Selection

FORMS: Mapping[str, tuple[str, str]] = {
    "buy": ("SYMBOL SIZE [@LIMIT] [CLIENTS]", "an order: infy 2% @1500 g:growth !mtf"),
    "sell": ("SYMBOL SIZE [@LIMIT] [CLIENTS]", "an order: tcs 100% holders"),
    "basket": ("LEGS, NAME or save NAME", "several legs: buy RELIANCE:15% TCS:20%"),
    "flatten": ("[CODE|g:GROUP|desk] [mis|today|mtf|all]", "take positions flat; asks"),
    "convert": ("CODE SYMBOL mis|mtf cnc", "make positions the clients' own: marked mis cnc; asks"),
    "cancel": ("ORDERS, CODE or run N", "cancel live orders; asks"),
    "modify": ("ORDER [QUANTITY] [@LIMIT] [t:TRIGGER]", "change a live order; asks"),
    "run": ("NUMBER", "a run"),
    "plan": ("NUMBER", "a stored plan"),
    "order": ("NUMBER", "an order's life"),
    "approve": ("PLAN [HASH]", "confirm somebody else's plan by its hash"),
    "pause": ("NUMBER", "pause a run"),
    "repair": ("NUMBER", "plan what provably failed of a run or was skipped"),
    "reverse": ("NUMBER", "plan the opposite of what a run filled"),
    "client": ("CODE [edit|pause|unpause|close], or add", "a client's page; or what is done with it"),
    "note": ("CODE, order N or run N, and TEXT", "a note, which the audit keeps"),
    "group": ("NAME = RULE, NAME + CODES", "a group: hni = capital > 5L and broker = zerodha"),
    "import": ("FILE", "a list of clients, as it is kept: shows what it would do; asks"),
    "export": ("[clients|orders|trades|funds|audit] [csv|xlsx]", "write what is shown to a file"),
    "symbol": ("SYMBOL", "a symbol's page"),
    "chart": ("SYMBOL", "its candles, depth, and who holds it"),
    "watch": ("SYMBOL [l:LIST]", "put a symbol on a watchlist"),
    "unwatch": ("SYMBOL [l:LIST]", "take a symbol off a watchlist"),
    "filter": ("WORDS", "show only rows with these words; none shows all"),
    "audit": ("[action:A client:C order:N run:N by:NAME on:DAY WORDS]", "look through it; or story ROW"),
    "alerts": ("[done KIND|later KIND [5m|1h|15:00|eod]]", "what you were told; done with one, or later"),
    "certificate": ("[NUMBER]", "the certificate of a halt, the latest without a number"),
    "resume": ("[NUMBER]", "open the halt's certificate, where typed words resume"),
    "sign": ("in [CODE] or out", "sign in whoever is due, or one client; leave the desk"),
    "theme": ("[NAME]", "the colours; without a name each is seen before it is taken"),
    "profile": ("[NAME]", "whose keys your hands know: plain, kite, odin"),
    "set": ("SETTING VALUE", "a setting of the screen for good: density compact"),
}
"""What stands behind each command's name, and what it does."""


def problem_words(problem: Exception) -> str:
    """What is wrong with a line: the word, and what would be right."""
    if isinstance(problem, BadInput):
        word = "" if problem.value is None else str(problem.value)
        return f"{word}: {problem.expected}" if word else problem.expected
    return str(problem)


def asked_words(asked: Asked, select: Callable[[Selection], Sequence[ClientView]]) -> str:
    """What a line would do: `BUY INFY 2 % of capital CNC LIMIT 1,500.00 · group growth · 12 clients`."""
    match asked:
        case AskedOrders(intent, client_id):
            whom = intent.selection.title if client_id is not None else _whom(intent, select)
            return " · ".join((_leg_words(intent.legs[0], intent), *_terms(intent), whom))
        case AskedBasket(None):
            return "the legs of a basket"
        case AskedBasket(intent):
            assert intent is not None
            legs = " + ".join(_leg_words(leg, intent) for leg in intent.legs)
            how = "in order" if intent.per_client is PerClient.IN_ORDER else "all or none"
            return " · ".join((legs, how, *_terms(intent), _whom(intent, select)))
        case AskedToSave(name):
            return f"keeps the legs of the basket's form under the name {name}"
        case AskedToFlatten(scope, value, what):
            of = (
                "the desk"
                if scope is HaltScope.EVERYTHING
                else f"{scope.value} {_shown(scope, value, select)}"
            )
            return f"FLATTEN {what.value} of {of}: shows what it would send, then asks"
        case AskedToConvert(client_id, key, of, to):
            return (
                f"CONVERT {_symbol(key)} of client {_code(client_id, select)}, {of.value} to {to.value}; asks"
            )
        case AskedToConvertAll(client_ids, key, of, to):
            what = "all positions" if key is None else _symbol(key)
            whose = counted(len(client_ids), "client")
            return f"CONVERT {what} of {whose}, {of.value} to {to.value}; asks"
        case AskedOfClient() | AskedNote() | AskedGroup():
            return _of_clients_words(asked, select)
        case AskedChange() | AskedToCancel():
            return _change_words(asked) if isinstance(asked, AskedChange) else _cancel_words(asked, select)
        case AskedImport() | AskedExport():
            return _file_words(asked)
        case _:
            return _shown_words(asked, select)


def _file_words(asked: AskedImport | AskedExport) -> str:
    if isinstance(asked, AskedImport):
        return f"shows what taking the clients of {asked.path.name} would do; asks"
    what = "the table here" if asked.what is None else asked.what.value
    return f"writes {what} to a file ({asked.kind.value})"


def _person_words(asked: AskedSignIn | AskedSignOut | AskedAlert) -> str:
    match asked:
        case AskedSignOut():
            return "leave the desk: whoever comes next signs in"
        case AskedSignIn(code):
            return f"sign in client {code.upper()}" if code else "sign in whoever is due"
        case AskedAlert(None):
            return "the alerts that stand"
        case AskedAlert(AlertDo.DONE, kind):
            return f"done with the alert {kind}: it is not shown again"
        case AskedAlert(_, kind, how_long):
            return f"the alert {kind} put off: {PUT_OFF_WORDS.get(how_long, how_long)}"


def _shown_words(
    asked: AskedPage
    | AskedOfRun
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
    select: Callable[[Selection], Sequence[ClientView]],
) -> str:
    match asked:
        case AskedPage(kind, number):
            return _PAGES[kind].format(number if number is not None else "the latest").replace("  ", " ")
        case AskedOfRun(what, number):
            return _OF_RUNS[what].format(number)
        case AskedClient(client_id):
            return f"the page of client {_code(client_id, select)}"
        case AskedSymbol(key):
            return f"the page of {_symbol(key)}"
        case AskedWatch(key, name, off):
            of = f"watchlist {name}" if name else "the first watchlist"
            return f"{'take' if off else 'put'} {_symbol(key)} {'off' if off else 'on'} {of}"
        case AskedFilter(text):
            return f"show only rows with “{text}”" if text else "show all rows"
        case AskedSignIn() | AskedSignOut() | AskedAlert():
            return _person_words(asked)
        case AskedToApprove(number, digest):
            return f"confirm plan {number} by {digest}" if digest else f"how far plan {number} is confirmed"
        case AskedSetting(key, typed):
            return f"{key}: {typed}, from now on and at the next start" if typed else f"choose the {key}"
        case AskedAudit(wish):
            return f"the audit's rows of {wish.line}" if wish.line else "the audit"
        case AskedPlainly(name):
            return name.replace("-", " ")
        case _:
            assert_never(asked)


def _of_clients_words(
    asked: AskedOfClient | AskedNote | AskedGroup, select: Callable[[Selection], Sequence[ClientView]]
) -> str:
    match asked:
        case AskedOfClient(OfClient.ADD):
            return "the form of a client that is to be added"
        case AskedOfClient(what, client_id, until, reason):
            whom = f"{what.value} client {_code(client_id, select)}"
            return f"{whom}{f' until {until}' if until else ''}: {reason}" if reason else f"{whom}; asks"
        case AskedNote(text, client_id, order_id, number):
            on = f"order {order_id}" if order_id is not None else f"run {number}"
            on = on if client_id is None else f"client {_code(client_id, select)}"
            return f"note on {on}: {text}" if text else f"note on {on}; asks"
        case AskedGroup(name, GroupDo.RULE, rule):
            return f"group {name} is whoever this is true of: {rule}"
        case AskedGroup(name, do, _, client_ids):
            verb = "put into" if do is GroupDo.ADD else "taken out of"
            return f"{counted(len(client_ids), 'client')} {verb} group {name}"
        case _:
            assert_never(asked)


_PAGES = {
    Numbered.AUDIT_ROW: "the story of row {} of the audit",
    Numbered.CERTIFICATE: "the certificate of halt {}",
    Numbered.FLATTEN: "flatten {}",
    Numbered.ORDER: "the life of order {}",
    Numbered.PLAN: "plan {}",
    Numbered.RUN: "run {}",
}

_OF_RUNS = {
    OfRun.PAUSE: "pause run {}: nothing more of it is sent before it goes on",
    OfRun.REPAIR: "plan what provably failed of run {} or was skipped",
    OfRun.REVERSE: "plan the opposite of what run {} filled",
}


def _leg_words(leg: Leg, intent: Intent) -> str:
    price = leg.order_type.value
    if leg.limit_paise is not None:
        price += f" {formats.price(leg.limit_paise)}"
    if leg.trigger_paise is not None:
        price += f" trigger {formats.price(leg.trigger_paise)}"
    product = product_words(intent.with_legs((leg,)))
    return f"{leg.side.value} {_symbol(leg.key)} {sizing_words(leg.sizing)} {product} {price}"


def _terms(intent: Intent) -> list[str]:
    said = [] if intent.standing == "DAY" else [intent.standing]
    if intent.drift is Drift.NONE:
        said.append("no drift limit")
    if intent.again:
        said.append("once more, on purpose")
    if intent.line_changes:
        said.append(f"{counted(len(intent.line_changes), 'line')} by hand")
    return said


def _whom(intent: Intent, select: Callable[[Selection], Sequence[ClientView]]) -> str:
    clients = select(intent.selection)
    ready = sum(client.gate is None for client in clients)
    title = re.sub(r" \(\d+\)", "", intent.selection.title)
    count = counted(len(clients), "client")
    return f"{title} · {count}" if ready == len(clients) else f"{title} · {count}, {ready} ready"


def _change_words(asked: AskedChange) -> str:
    said = [] if asked.quantity is None else [counted(asked.quantity, "share")]
    said += [] if asked.limit_paise is None else [f"limit {formats.price(asked.limit_paise)}"]
    said += [] if asked.trigger_paise is None else [f"trigger {formats.price(asked.trigger_paise)}"]
    return f"MODIFY order {asked.order_id}{': ' if said else ''}{', '.join(said)}; asks"


def _cancel_words(asked: AskedToCancel, select: Callable[[Selection], Sequence[ClientView]]) -> str:
    if asked.run_number is not None:
        return f"CANCEL what lives of run {asked.run_number}; asks"
    if asked.client_id is not None:
        return f"CANCEL every live order of client {_code(asked.client_id, select)}; asks"
    numbers = ", ".join(map(str, asked.order_ids))
    return f"CANCEL order{'s' if len(asked.order_ids) > 1 else ''} {numbers}; asks"


def _symbol(key: str) -> str:
    exchange, _, symbol = key.partition(":")
    return symbol if exchange == "NSE" else key


def _shown(scope: HaltScope, value: str, select: Callable[[Selection], Sequence[ClientView]]) -> str:
    return _code(int(value), select) if scope is HaltScope.CLIENT else value


def _code(client_id: int, select: Callable[[Selection], Sequence[ClientView]]) -> str:
    from engine.planning.intent import Selection

    return select(Selection((client_id,)))[0].code
