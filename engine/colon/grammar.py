"""The grammar of the command line: each command by its name, and a line read by it."""

import difflib
from collections.abc import Callable, Sequence
from functools import partial

from data.errors import BadInput
from data.money import count_from_text, paise_from_text
from data.records import replace
from data.vocabulary import HaltScope, Side
from engine.colon.alerts import alert_from, rule_from
from engine.colon.asked import (
    LEG_BY_LEG,
    Asked,
    AskedAlert,
    AskedAlertRule,
    AskedAudit,
    AskedCalendar,
    AskedChange,
    AskedClock,
    AskedEvidence,
    AskedFilter,
    AskedGuard,
    AskedMarket,
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
    AskedWatch,
    Numbered,
    OfRun,
)
from engine.colon.files import export_from, import_from
from engine.colon.known import Known
from engine.colon.limits import limit_from, limits_from, lists_from
from engine.colon.market import calendar_from, market_from
from engine.colon.models.reading import READ_MODELS
from engine.colon.mtf import mtf_from
from engine.colon.people import client_from, group_from, note_from
from engine.colon.records.reading import READ_RECORDS
from engine.colon.searches import search_from
from engine.colon.splitting import at_most, words_of
from engine.colon.whom import group_named, is_client_word, names_several, selection_from
from engine.colon.wishes import basket_from, order_from
from engine.conversion.asked import product_from
from engine.flatten.asked import flatten_from
from engine.guards.asked import guard_from

Read = Callable[[Sequence[str], Known], Asked]
"""Makes of the words behind a command's name what they ask for. Raises `BadInput` with the word."""


def parse(line: str, known: Known) -> Asked:
    """What a line asks for. Raises `BadInput` with the word that cannot be taken and what would be right."""
    words = words_of(line)
    if not words:
        raise BadInput("command", "", "type a command: buy, basket, flatten, run, client …")
    name, *behind = words
    told = name.casefold()
    if told in READERS:
        return READERS[told](behind, known)
    if told in known.names.commands:
        if behind:
            raise BadInput("word", behind[0], f"{told} takes no word")
        return AskedPlainly(told)
    near = difflib.get_close_matches(told, [*READERS, *known.names.commands], n=4, cutoff=0.5)
    raise BadInput("command", name, f"no such command; {', '.join(near) or ', '.join(READERS)}")


def _order(side: Side, words: Sequence[str], known: Known) -> AskedOrders:
    return order_from(side, words, known)


def _flatten(words: Sequence[str], known: Known) -> AskedToFlatten | AskedPage:
    asked = flatten_from(words)
    if isinstance(asked, int):
        return AskedPage(Numbered.FLATTEN, asked)
    value = asked.value
    if asked.scope is HaltScope.CLIENT:
        value = str(_client(value, known))
    elif asked.scope is HaltScope.GROUP:
        value = group_named(value, value, known)
    return AskedToFlatten(asked.scope, value, asked.what)


def _guard(words: Sequence[str], known: Known) -> AskedGuard:
    asked = guard_from(words)
    if asked is None:
        return AskedGuard()
    value = asked.value
    if asked.scope is HaltScope.CLIENT:
        value = str(_client(value, known))
    elif asked.scope is HaltScope.GROUP:
        value = group_named(value, value, known)
    return AskedGuard(replace(asked, value=value))


def _guards(words: Sequence[str], _: Known) -> AskedGuard:
    at_most(words, 0, "guards alone; guard CODE … sets one")
    return AskedGuard()


def _client(code: str, known: Known) -> int:
    return known.clients.find(code).id


def _convert(words: Sequence[str], known: Known) -> AskedToConvert | AskedToConvertAll:
    form = "CODE SYMBOL mis|mtf cnc, or marked, g:GROUP or all, and a SYMBOL where one alone is meant"
    if len(words) < 3:
        raise BadInput("convert", " ".join(words), f"give {form}")
    *named, of, to = words
    products = product_from(of), product_from(to)
    whom = [word for word in named if is_client_word(word, known)]
    symbols = [word for word in named if word not in whom]
    if len(named) == 2 and not (whom and names_several(whom[0])):
        client_id, key = _client(named[0], known), known.index.resolve(named[1]).key
        return AskedToConvert(client_id, key, *products)
    if len(symbols) > 1 or not whom:
        raise BadInput("convert", " ".join(words), f"give {form}")
    found = known.index.resolve(symbols[0]).key if symbols else None
    clients = known.select(selection_from(whom, known, found or ""))
    return AskedToConvertAll(tuple(client.id for client in clients), found, *products)


def _page(kind: Numbered, words: Sequence[str], _: Known) -> AskedPage:
    _exactly(words, "NUMBER")
    return AskedPage(kind, _number(words[0], kind))


def _approve(words: Sequence[str], _: Known) -> AskedToApprove:
    if not 1 <= len(words) <= 2:
        raise BadInput("approve", " ".join(words), "give the number of a plan, and its hash to confirm it")
    return AskedToApprove(_number(words[0], "plan"), words[1] if len(words) > 1 else "")


def _certificate(words: Sequence[str], _: Known) -> AskedPage:
    at_most(words, 1, "the number of a halt, or nothing for the latest")
    return AskedPage(Numbered.CERTIFICATE, _number(words[0], "halt") if words else None)


def _of_run(what: OfRun, words: Sequence[str], known: Known) -> AskedOfRun:
    if what not in LEG_BY_LEG:
        _exactly(words, "NUMBER")
    elif not 1 <= len(words) <= 2:
        raise BadInput("word", words[-1] if words else "", "give NUMBER, and a symbol for one leg of it")
    key = known.index.resolve(words[1]).key if len(words) > 1 else None
    return AskedOfRun(what, _number(words[0], "run"), key)


def _run(words: Sequence[str], known: Known) -> AskedPage | AskedOfRun | AskedToCancel:
    if len(words) < 2:
        return _page(Numbered.RUN, words, known)
    number, verb, *behind = words
    match verb.casefold():
        case "show":
            return _page(Numbered.RUN, (number, *behind), known)
        case "cancel":
            return _cancel(("run", number, *behind), known)
        case what if what in [one.value for one in OfRun]:
            return _of_run(OfRun(what), (number, *behind), known)
        case _:
            raise BadInput("word", verb, f"give one of {', '.join(OfRun)}, cancel, or nothing to see it")


def _cancel(words: Sequence[str], known: Known) -> AskedToCancel:
    if not words:
        raise BadInput("cancel", "", "give orders' numbers, a client's code, or run NUMBER")
    if words[0].casefold() == "run":
        at_most(words, 2, "run NUMBER")
        return AskedToCancel(run_number=_number(words[-1], "run"))
    if all(word.isdecimal() for word in words):
        return AskedToCancel(tuple(dict.fromkeys(_number(word, "order") for word in words)))
    at_most(words, 1, "orders' numbers, or one client's code")
    return AskedToCancel(client_id=_client(words[0], known))


def _modify(words: Sequence[str], _: Known) -> AskedChange:
    if not words:
        raise BadInput("modify", "", "give an order's number, then 20 for its quantity, @1500, t:1490")
    told: dict[str, int] = {}
    for word in words[1:]:
        if word.startswith("@"):
            name, figure = "limit", _price(word[1:])
        elif word.casefold().startswith("t:"):
            name, figure = "trigger", _price(word[2:])
        else:
            name, figure = "quantity", _number(word, "quantity")
        if name in told:
            raise BadInput(name, word, f"the {name} was given already")
        told[name] = figure
    order_id = _number(words[0], "order")
    return AskedChange(order_id, told.get("quantity"), told.get("limit"), told.get("trigger"))


def _price(figure: str) -> int:
    return paise_from_text(figure, "price")


def _symbol_page(words: Sequence[str], known: Known) -> AskedSymbol:
    _exactly(words, "SYMBOL")
    return AskedSymbol(known.index.resolve(words[0]).key)


def _watch(off: bool, words: Sequence[str], known: Known) -> AskedWatch:
    if not words:
        raise BadInput("symbol", "", "give a symbol, and l:NAME for another list than that in view")
    at_most(words, 2, "a symbol, and l:NAME for another list than that in view")
    name = words[1] if len(words) > 1 else ""
    if name and not name.casefold().startswith("l:"):
        raise BadInput("word", name, "a watchlist is l:NAME")
    return AskedWatch(known.index.resolve(words[0]).key, name[2:], off)


def _filter(words: Sequence[str], _: Known) -> AskedFilter:
    return AskedFilter(" ".join(words))


def _sign(words: Sequence[str], _: Known) -> AskedSignIn | AskedSignOut:
    rest = list(words)
    if [word.casefold() for word in rest] == ["out"]:
        return AskedSignOut()
    if rest and rest[0].casefold() == "in":
        del rest[0]
    elif rest:
        raise BadInput("sign", rest[0], "say sign in, sign in CODE, or sign out")
    at_most(rest, 1, "sign in, or sign in CODE")
    return AskedSignIn(rest[0] if rest else "")


def _setting(key: str, words: Sequence[str], known: Known) -> AskedSetting:
    typed, choices = " ".join(words), known.names.settings.get(key, ())
    if typed and choices and typed not in choices:
        raise BadInput(key, typed, f"choose one of {', '.join(choices)}")
    return AskedSetting(key, typed)


def _set(words: Sequence[str], known: Known) -> AskedSetting:
    key = words[0].casefold() if words else ""
    if key not in known.names.settings:
        there = ", ".join(known.names.settings)
        raise BadInput("setting", key, f"`tradedesk config set` has the others; choose one of {there}")
    if len(words) < 2:
        right = ", ".join(known.names.settings[key]) or "a number"
        raise BadInput("setting", key, f"say behind it what it is to be: {right}")
    return _setting(key, words[1:], known)


STORY = "story"
ALERTS = "alerts"
MARKET = "market"
CALENDAR = "calendar"
ALERT = "alert"


def _audit(words: Sequence[str], known: Known) -> AskedAudit | AskedPage:
    if words and words[0].casefold() == STORY:
        _exactly(words, "story ROW")
        return AskedPage(Numbered.AUDIT_ROW, _number(words[1], "row"))
    return AskedAudit(search_from(words, known))


def _alerts(words: Sequence[str], known: Known) -> AskedAlert | AskedAlertRule:
    return alert_from(words, known)


def _evidence(words: Sequence[str], known: Known) -> AskedEvidence:
    _exactly(words, "NUMBER")
    return AskedEvidence(_number(words[0], "order"))


def _clock(words: Sequence[str], known: Known) -> AskedClock:
    at_most(words, 1, "one time of the day, or a word for one")
    return AskedClock(words[0] if words else "")


def _market(words: Sequence[str], _: Known) -> AskedMarket:
    return market_from(words)


def _calendar(words: Sequence[str], _: Known) -> AskedCalendar:
    return calendar_from(words)


def _number(word: str, kind: str) -> int:
    number = count_from_text(word, kind)
    if not number:
        raise BadInput(kind, word, "numbers begin at 1")
    return number


def _exactly(words: Sequence[str], form: str) -> None:
    if len(words) != len(form.split()):
        raise BadInput("word", words[-1] if words else "", f"give {form}")


READERS: dict[str, Read] = {
    "buy": partial(_order, Side.BUY),
    "sell": partial(_order, Side.SELL),
    "basket": basket_from,
    **READ_MODELS,
    "flatten": _flatten,
    "guard": _guard,
    "guards": _guards,
    "limit": limit_from,
    "limits": limits_from,
    "lists": lists_from,
    "convert": _convert,
    "cancel": _cancel,
    "modify": _modify,
    "run": _run,
    "plan": partial(_page, Numbered.PLAN),
    "order": partial(_page, Numbered.ORDER),
    "approve": _approve,
    "pause": partial(_of_run, OfRun.PAUSE),
    "repair": partial(_of_run, OfRun.REPAIR),
    "reverse": partial(_of_run, OfRun.REVERSE),
    "client": client_from,
    "note": note_from,
    "group": group_from,
    "import": import_from,
    "export": export_from,
    "evidence": _evidence,
    "symbol": _symbol_page,
    "chart": _symbol_page,
    "watch": partial(_watch, False),
    "unwatch": partial(_watch, True),
    "filter": _filter,
    "audit": _audit,
    ALERT: rule_from,
    ALERTS: _alerts,
    "mtf": mtf_from,
    **READ_RECORDS,
    "clock": _clock,
    CALENDAR: _calendar,
    MARKET: _market,
    "certificate": _certificate,
    "resume": _certificate,
    "sign": _sign,
    "theme": partial(_setting, "theme"),
    "profile": partial(_setting, "keys"),
    "set": _set,
}
"""What reads the words behind each command that takes any."""
