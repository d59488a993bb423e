"""What a typed line would do, in one sentence, and what is wrong with one that cannot be understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, assert_never

from data.errors import BadInput
from data.vocabulary import Drift, HaltScope, PerClient
from engine.colon.asked import (
    AlertDo,
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
    GroupDo,
    MarketDo,
    Moment,
    Numbered,
    OfClient,
    OfRun,
)
from engine.colon.records.asked import AskedOfRecord
from engine.rebalancing.asked import AskedOfModels
from engine.words import formats
from engine.words.alerts import PUT_OFF_WORDS, rule_words
from engine.words.formats import counted
from engine.words.model_lines import model_line_words
from engine.words.trading.guards import wish_words
from engine.words.trading.limits import limit_wish_words, place_words
from engine.words.trading.plans import product_words, sizing_words

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from engine.colon.asked import Asked, AskedOfDesk
from engine.planning.intent import Intent, Leg, Selection
from engine.words.day.record_lines import record_words

_MOMENTS: dict[str, str] = {
    Moment.AUCTION: "the end of continuous trading",
    Moment.CLOSE: "the day's last minute",
    Moment.TOMORROW: "the next trading day",
}


def problem_words(problem: Exception) -> str:
    """What is wrong with a line: the word, and what would be right."""
    if isinstance(problem, BadInput):
        word = "" if problem.value is None else str(problem.value)
        expected = problem.expected.replace("\n", " · ")  # a file's, a row each
        return f"{word}: {expected}" if word else expected
    return str(problem)


def asked_words(asked: Asked, select: Callable[[Selection], Sequence[ClientView]]) -> str:
    """What a line would do: `BUY INFY 2 % of capital CNC LIMIT 1,500.00 · group growth · 12 clients`."""
    if isinstance(asked, AskedOfRecord):
        return record_words(asked, lambda client_id: _code(client_id, select))
    if isinstance(asked, AskedOfModels):
        return model_line_words(asked, select)
    return _of_desk_words(asked, select)


def _of_desk_words(asked: AskedOfDesk, select: Callable[[Selection], Sequence[ClientView]]) -> str:
    match asked:
        case AskedOrders(intent, client_id):
            whom = intent.selection.title if client_id is not None else _whom(intent, select)
            return " · ".join((_leg_words(intent.legs[0], intent), *_terms(intent), whom))
        case AskedBasket(None):
            return "the legs of a basket"
        case AskedBasket(intent):
            assert intent is not None
            if intent.listed:
                orders = counted(len(intent.line_changes), "order")
                return f"{orders} of {_whom(intent, select)}"
            legs = " + ".join(_leg_words(leg, intent) for leg in intent.legs)
            how = "in order" if intent.per_client is PerClient.IN_ORDER else "all or none"
            return " · ".join((legs, how, *_terms(intent), _whom(intent, select)))
        case AskedToSave(name):
            return f"keeps the legs of the basket's form under the name {name}"
        case AskedLimit() | AskedLists():
            return _limit_words(asked)
        case AskedToFlatten() | AskedGuard() | AskedLimits() | AskedToConvert() | AskedToConvertAll():
            return _positions_words(asked, select)
        case AskedOfClient() | AskedNote() | AskedGroup():
            return _of_clients_words(asked, select)
        case AskedChange() | AskedToCancel():
            return _change_words(asked) if isinstance(asked, AskedChange) else _cancel_words(asked, select)
        case AskedImport() | AskedExport() | AskedEvidence():
            return _file_words(asked)
        case _:
            return _shown_words(asked, select)


def _positions_words(
    asked: AskedToFlatten | AskedGuard | AskedLimits | AskedToConvert | AskedToConvertAll,
    select: Callable[[Selection], Sequence[ClientView]],
) -> str:
    match asked:
        case AskedToFlatten(scope, value, what):
            of = (
                "the desk"
                if scope is HaltScope.EVERYTHING
                else f"{scope.value} {_shown(scope, value, select)}"
            )
            return f"FLATTEN {what.value} of {of}: shows what it would send, then asks"
        case AskedGuard(guard):
            if guard is None:
                return "the guards that are set"
            named = (
                "desk" if guard.scope is HaltScope.EVERYTHING else _shown(guard.scope, guard.value, select)
            )
            return wish_words(guard, named)
        case AskedLimits(client_id):
            return f"the limits{'' if client_id is None else f' over {_code(client_id, select)}'}"
        case AskedToConvert(client_id, key, of, to):
            return (
                f"CONVERT {_symbol(key)} of client {_code(client_id, select)}, {of.value} to {to.value}; asks"
            )
        case AskedToConvertAll(client_ids, key, of, to):
            what = "all positions" if key is None else _symbol(key)
            whose = counted(len(client_ids), "client")
            return f"CONVERT {what} of {whose}, {of.value} to {to.value}; asks"


def _limit_words(asked: AskedLimit | AskedLists) -> str:
    match asked:
        case AskedLimit(wish, form=True):
            return f"the form of a limit of {place_words(wish.scope, wish.whose)}"
        case AskedLimit(wish, removes):
            return f"{limit_wish_words(wish, removes)}; asks"
        case AskedLists(name, path) if path is not None:
            return f"shows what taking {path.name}{f' as {name}' if name else ''} would change; asks"
        case AskedLists(name):
            return f"the shares of the list {name}" if name else "the lists of shares"


def _calendar_words(asked: AskedCalendar) -> str:
    if asked.path is None:
        day = "the day" if asked.day is None else f"{asked.day:%d %b %Y}"
        return f"what {day} is to the exchanges"
    what = "days that do not settle" if asked.settlement else "holidays"
    return f"shows what taking the {what} of {asked.path.name} would change; asks"


def _file_words(asked: AskedImport | AskedExport | AskedEvidence) -> str:
    if isinstance(asked, AskedEvidence):
        return f"writes what proves order {asked.order_id} to a folder"
    if isinstance(asked, AskedImport):
        return f"shows what taking the clients of {asked.path.name} would do; asks"
    what = "the table here" if asked.what is None else asked.what.value
    return f"writes {what} to a file ({asked.kind.value})"


def _person_words(
    asked: AskedSignIn | AskedSignOut | AskedAlert | AskedAlertRule | AskedMarket | AskedMtf,
) -> str:
    match asked:
        case AskedMtf(code, symbol, True):
            return f"note that {code.upper()} has accepted its pledges{f' of {symbol}' if symbol else ''}"
        case AskedMtf(code):
            return (
                f"shares on margin of {code.upper()}" if code else "clients on margin by nearness to a call"
            )
        case AskedSignOut():
            return "leave the desk: whoever comes next signs in"
        case AskedSignIn(code):
            return f"sign in client {code.upper()}" if code else "sign in whoever is due"
        case AskedMarket(do=MarketDo.HALTED, percent=percent):
            level = (
                "until it is opened again" if percent is None else f"by the breaker's table for {percent} %"
            )
            return f"say that the whole market is halted, {level}: runs keep what is unsent"
        case AskedMarket(do=MarketDo.OPEN):
            return "say that the market is open again; runs stay paused"
        case AskedMarket():
            return "how the market stands"
        case AskedAlert():
            return _alert_do_words(asked)
        case AskedAlertRule(None, number):
            return f"the form of rule {number}" if number else "the form of a rule of alerts"
        case AskedAlertRule(rule, number):
            assert rule is not None
            return f"{f'rule {number} is then: ' if number else ''}{rule_words(rule)}"


def _alert_do_words(asked: AskedAlert) -> str:
    match asked:
        case AskedAlert(AlertDo.DONE, kind):
            return f"done with the alert {kind}: it is not shown again"
        case AskedAlert(AlertDo.LATER, kind, how_long):
            return f"the alert {kind} put off: {PUT_OFF_WORDS.get(how_long, how_long)}"
        case AskedAlert(AlertDo.REMOVE, number=number):
            return f"rule {number} of alerts is taken away"
        case AskedAlert(do):
            return _ALERT_DOES[do]


_ALERT_DOES = {
    None: "the alerts that stand",
    AlertDo.RULES: "your rules of alerts, and what they read now",
    AlertDo.USUAL: "adds the rules that a desk usually has",
    AlertDo.OUTBOX: "what leaves this machine by which channel",
    AlertDo.TEST: "sends an alert that says nothing, by every channel",
}


def _set_words(asked: AskedSetting | AskedClock | AskedCalendar) -> str:
    match asked:
        case AskedCalendar():
            return _calendar_words(asked)
        case AskedSetting(key, typed):
            return f"{key}: {typed}, from now on and at the next start" if typed else f"choose the {key}"
        case AskedClock(to):
            where = _MOMENTS.get(to.casefold(), to)
            return f"the simulated market goes on to {where}" if to else "the simulated market's time"


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
    | AskedMtf
    | AskedClock
    | AskedMarket
    | AskedCalendar
    | AskedAlertRule
    | AskedPlainly,
    select: Callable[[Selection], Sequence[ClientView]],
) -> str:
    match asked:
        case AskedPage(kind, number):
            return _PAGES[kind].format(number if number is not None else "the latest").replace("  ", " ")
        case AskedOfRun(what, number, key):
            return f"{_OF_RUNS[what].format(number)}{f' in {_symbol(key)}' if key else ''}"
        case AskedClient(client_id):
            return f"the page of client {_code(client_id, select)}"
        case AskedSymbol(key):
            return f"the page of {_symbol(key)}"
        case AskedWatch(key, name, off):
            of = f"watchlist {name}" if name else "the first watchlist"
            return f"{'take' if off else 'put'} {_symbol(key)} {'off' if off else 'on'} {of}"
        case AskedFilter(text):
            return f"show only rows with “{text}”" if text else "show all rows"
        case AskedSignIn() | AskedSignOut() | AskedAlert() | AskedAlertRule() | AskedMarket() | AskedMtf():
            return _person_words(asked)
        case AskedToApprove(number, digest):
            return f"confirm plan {number} by {digest}" if digest else f"how far plan {number} is confirmed"
        case AskedSetting() | AskedClock() | AskedCalendar():
            return _set_words(asked)
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
    OfRun.RESUME: "show what run {} would send when it goes on; asks",
    OfRun.STOP: "stop run {}: frees what is unsent; asks",
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
