"""What may stand where a line is being typed: commands, symbols, codes, groups, baskets, numbers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from data.audit import AuditAction
from data.vocabulary import ExportKind, ExportWhat, FlattenWhat, GuardAction, LimitKind, Product, Via
from engine.book.group_rules import FIELDS
from engine.colon.alert_completing import alert_offered, alerts_offered
from engine.colon.asked import LEG_BY_LEG, GroupDo, MarketDo, Moment, OfClient, OfRun
from engine.colon.files import files_at
from engine.colon.grammar import ALERT, ALERTS, CALENDAR, MARKET, READERS, STORY
from engine.colon.known import Known
from engine.colon.limits import AS, IMPORT
from engine.colon.market import SETTLEMENT
from engine.colon.models.completing import OFFER_MODELS
from engine.colon.mtf import ACCEPT
from engine.colon.offered import MOST, Completion, beginning, clients, groups, symbols, whom
from engine.colon.records.completing import OFFER_RECORDS
from engine.colon.splitting import last_word, quoted, words_of
from engine.colon.wishes import IN_ORDER, LEGS, ORDERS, SAVE
from engine.guards.asked import ARM, LOSS, OFF, TARGET
from engine.planning.intent import STANDINGS

Offer = Callable[[Sequence[str], str, Known], Iterable[Completion]]
"""Offers words behind those that stand already, of which the begun one may be a part."""


def completions(line: str, known: Known, most: int = MOST) -> list[Completion]:
    """The words that may stand at the end of the line; one that stands there in full is the first of them."""
    begun = last_word(line)
    before = words_of(line[: len(line) - len(begun)])
    word = begun.replace('"', "").removeprefix("" if before else ":")
    offer = OFFERS.get(before[0].casefold(), _nothing) if before else _commands
    found: dict[str, Completion] = {}
    for one in offer(before[1:], word, known):
        if word and one.word.casefold() == word.casefold():
            found = {one.word: one, **found}
        elif len(found) < most:
            found.setdefault(one.word, one)
    return list(found.values())[:most]


def completed(line: str, word: str) -> str:
    """The line with the word in the place of the one that is being typed, and a blank behind it."""
    blank = "" if word.endswith((":", "/", '/"')) else " "
    return f"{line[: len(line) - len(last_word(line))]}{word}{blank}"


def common_beginning(offered: Sequence[Completion], line: str) -> str | None:
    """How all that is offered goes on from what stands there, None where they part at once."""
    begun = last_word(line)
    words = [one.word for one in offered]
    shared = min(words, default="")
    while not all(word.startswith(shared) for word in words):
        shared = shared[:-1]
    longer = len(shared) > len(begun) and shared.casefold().startswith(begun.casefold())
    return shared if longer else None


def _nothing(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return ()


def _commands(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    named = [Completion(name) for name in READERS]
    named += [Completion(name, says) for name, says in known.names.commands.items()]
    return beginning(word, named)


def _numbers(word: str, known: Known) -> Iterator[Completion]:
    return beginning(word, (Completion(str(number), "run") for number in known.runs))


TERMS = (
    Completion("@", "limit price"),
    Completion("g:", "a group"),
    Completion("all", "every client"),
    Completion("marked", "the clients marked here"),
    Completion("holders", "whoever holds it"),
    Completion("!mtf", "leave out who has MTF"),
    Completion("c:", "clients by code"),
    Completion("b:", "clients at a broker"),
    Completion("t:", "trigger price"),
    *(Completion(product.value, "product") for product in Product),
    *(Completion(word, "how long it stands") for word in STANDINGS),
    Completion("drift:none", "no drift limit"),
    Completion("again", "though the same was sent a moment ago"),
)

SIZES = (
    Completion("25%", "of capital, of the position for a sell"),
    Completion("25%available", "of available cash"),
    Completion("₹50000", "each"),
    Completion("10", "shares each"),
)


def _order(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from symbols(word, known)
    elif len(before) == 1:
        yield from beginning(word, SIZES)
    else:
        yield from whom(word, known)
        yield from beginning(word, TERMS)


def _basket(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        saved = (Completion(quoted(one.name), f"{len(one.legs)} legs, saved") for one in known.names.baskets)
        ways = (
            Completion("buy", "legs"),
            Completion("sell", "legs"),
            Completion(ORDERS, "FILE: a CSV of orders, each with its client"),
            Completion(LEGS, "FILE: a CSV of legs, for all or those behind it"),
            Completion(SAVE, "NAME: the form's legs"),
        )
        yield from beginning(word, (*ways, *saved))
        return
    if before[0].casefold() == ORDERS or (before[0].casefold() == LEGS and len(before) == 1):
        yield from _import((), word, known) if len(before) == 1 else ()
        return
    symbol, colon, size = word.partition(":")
    yield from whom(word, known)
    if before[0].casefold() in ("buy", "sell") and word and not colon:
        yield from (Completion(f"{one.word}:", one.says) for one in symbols(word, known))
    elif colon:
        sizes = (Completion(f"{symbol}:{one.word}", one.says) for one in SIZES if not size)
        yield from beginning(word, sizes)
    terms = (Completion(IN_ORDER, "each leg while cash lasts"), *TERMS)
    yield from beginning(word, (one for one in terms if one.word not in ("@", "t:", *Product)))


def _flatten(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if before and before[-1].casefold() == "client":
        yield from clients(word, known)
    elif before and before[-1].casefold() == "group":
        yield from groups(word, known)
    else:
        scopes = (Completion("client", "CODE"), Completion("group", "NAME"), Completion("desk", "everybody"))
        whats = tuple(Completion(what.value) for what in FlattenWhat)
        yield from beginning(word, whats if before else (*scopes, *whats))
        if word and not before:
            yield from clients(word, known)


def _guard(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from beginning(word, (Completion("desk", "everybody"),))
        yield from clients(word, known)
        yield from groups(word.removeprefix("g:"), known, "g:") if word.startswith("g:") else ()
    elif before[-1].casefold() not in (LOSS, TARGET):
        whats = (Completion(what.value, "which positions") for what in FlattenWhat)
        limits = (Completion(LOSS, "2% or 5000"), Completion(TARGET, "3% or 8000"))
        verbs = (Completion(OFF, "take it away"), Completion(ARM, "arm it again"))
        yield from beginning(word, (*whats, *limits, *map(Completion, GuardAction), *verbs))


def _limit(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from beginning(word, (Completion("desk", "everybody"),))
        yield from clients(word, known)
        yield from groups(word.removeprefix("g:"), known, "g:") if word.startswith("g:") else ()
    elif len(before) == 1:
        yield from beginning(word, (Completion(kind.word) for kind in LimitKind))
    else:
        ways = (Completion("soft", "a typed reason passes it"), Completion("none", "take it away"))
        yield from beginning(word, ways)


def _convert(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from whom(word, known)
        yield from clients(word, known)
    elif len(before) == 1:
        yield from symbols(word, known)
    else:
        products = ("mis", "mtf") if len(before) == 2 else ("cnc",)
        yield from beginning(word, map(Completion, products))


def _cancel(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if before and before[-1].casefold() == "run":
        yield from _numbers(word, known)
    elif not before:
        yield from beginning(word, (Completion("run", "NUMBER"),))
        yield from clients(word, known) if word else ()


OF_RUN = (
    Completion(OfRun.PAUSE, "nothing more of it is sent"),
    Completion(OfRun.RESUME, "shows what is unsent, and asks"),
    Completion(OfRun.STOP, "frees what is unsent; asks"),
    Completion("cancel", "what lives of it; asks"),
    Completion(OfRun.REPAIR, "[SYMBOL]: plan what failed or was skipped"),
    Completion(OfRun.REVERSE, "[SYMBOL]: plan the opposite of what filled"),
)


def _run(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    if len(before) == 1:
        return beginning(word, OF_RUN)
    in_legs = len(before) == 2 and before[1].casefold() in LEG_BY_LEG
    return symbols(word, known) if in_legs else () if before else _numbers(word, known)


def _number_of_run(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return () if before else _numbers(word, known)


def _legs_of_run(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return symbols(word, known) if len(before) == 1 else _number_of_run(before, word, known)


def _client(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from beginning(word, (Completion(OfClient.ADD.value, "a form"),))
        yield from clients(word, known)
    elif len(before) == 1 and before[0].casefold() != OfClient.ADD:
        verbs = (Completion(one.value) for one in OfClient if one is not OfClient.ADD)
        yield from beginning(word, verbs)


def _note(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from beginning(word, (Completion("order", "NUMBER"), Completion("run", "NUMBER")))
        yield from clients(word, known) if word else ()
    elif before == ["run"]:
        yield from _numbers(word, known)


def _group(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from groups(word, known)
    elif len(before) == 1:
        signs = {GroupDo.RULE: "a rule", GroupDo.ADD: "codes", GroupDo.REMOVE: "codes"}
        yield from beginning(word, (Completion(do.value, says) for do, says in signs.items()))
    elif before[1] == GroupDo.RULE:
        yield from beginning(word, (Completion(field) for field in (*FIELDS, "and", "or", "not")))
    else:
        yield from clients(word, known) if word else ()


def _import(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    for name in files_at(word):
        yield Completion(quoted(name), "folder" if name.endswith("/") else "")


def _list_file(then: str, before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    """A file of the exchange behind `import`, and what may be said of it."""
    if not before:
        yield from beginning(word, [Completion(IMPORT, f"FILE [{then}]: looked at first")])
    elif before[0].casefold() == IMPORT and len(before) == 1:
        yield from _import((), word, known)
    elif len(before) == 2:
        yield from beginning(word, [Completion(then.split()[0], then)])


def _export(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    kinds = tuple(Completion(kind.value, "kind of file") for kind in ExportKind)
    whats = tuple(Completion(what.value) for what in ExportWhat)
    yield from beginning(word, kinds if before else (*whats, *kinds))


def _symbol(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return () if before else symbols(word, known, tradable=False)


SIGN = (Completion("in", "[CODE]"), Completion("out", "leave the desk"))


def _sign(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return clients(word, known) if before else beginning(word, SIGN)


SEARCHED = (
    Completion("action:", "such as halt, or RUN_STARTED"),
    Completion("client:", "CODE"),
    Completion("order:", "NUMBER"),
    Completion("run:", "NUMBER"),
    Completion("plan:", "NUMBER"),
    Completion("halt:", "NUMBER"),
    Completion("flatten:", "NUMBER"),
    Completion("by:", "who did it"),
    Completion("on:", "a day: today, yesterday, 2026-11-18"),
    Completion("from:", "a day, or a time as 09:15"),
    Completion("to:", "a day, or a time as 15:30"),
    Completion("via:", "app, cli, socket or api"),
)


def _audit(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    name, colon, begun = word.partition(":")
    match name.casefold() if colon else "":
        case "client":
            yield from clients(begun, known, "client:")
        case "run":
            yield from (Completion(f"run:{one.word}", one.says) for one in _numbers(begun, known))
        case "action":
            *given, last = begun.split(",")
            head = "".join(f"{one}," for one in given)
            yield from (Completion(f"action:{head}{one}") for one in AuditAction if last.upper() in one)
            yield from beginning(word, [Completion("action:all", "those that only keep hashes too")])
        case "via":
            yield from beginning(word, (Completion(f"via:{one}") for one in Via))
        case _:
            story = Completion(STORY, "ROW: what it belongs to")
            yield from beginning(word, SEARCHED if before else (*SEARCHED, story))
            yield from clients(word, known) if len(word) > 1 and not colon else ()


def _mtf(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    if not before:
        accept = Completion(ACCEPT, "CODE [SYMBOL]: a pledge that was accepted")
        return [*beginning(word, [accept]), *_client(before, word, known)]
    return _client(before, word, known) if len(before) == 1 else _symbol(before, word, known)


def _clock(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return () if before else beginning(word, (Completion(one.value) for one in Moment))


def _market(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    if not before:
        offered = {MarketDo.HALTED: "[10|15|20] [REASON]: runs pause", MarketDo.OPEN: "it trades again"}
        return beginning(word, (Completion(do.value, says) for do, says in offered.items()))
    if [one.casefold() for one in before] == [MarketDo.HALTED]:
        return beginning(word, map(Completion, ("10", "15", "20")))
    return ()


def _setting(key: str, before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return () if before else beginning(word, map(Completion, known.names.settings.get(key, ())))


def _set(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    if before:
        return _setting(before[0].casefold(), before[1:], word, known)
    return beginning(word, map(Completion, known.names.settings))


OFFERS: dict[str, Offer] = {
    "buy": _order,
    "sell": _order,
    "basket": _basket,
    "flatten": _flatten,
    "guard": _guard,
    "limit": _limit,
    "limits": _client,
    "lists": partial(_list_file, f"{AS} NAME"),
    "convert": _convert,
    "cancel": _cancel,
    "run": _run,
    "pause": _number_of_run,
    "repair": _legs_of_run,
    "reverse": _legs_of_run,
    "client": _client,
    "note": _note,
    "group": _group,
    "import": _import,
    "export": _export,
    "symbol": _symbol,
    "chart": _symbol,
    "watch": _symbol,
    "unwatch": _symbol,
    "audit": _audit,
    ALERT: alert_offered,
    ALERTS: alerts_offered,
    "mtf": _mtf,
    **OFFER_RECORDS,
    **OFFER_MODELS,
    "clock": _clock,
    MARKET: _market,
    CALENDAR: partial(_list_file, SETTLEMENT),
    "sign": _sign,
    "theme": partial(_setting, "theme"),
    "profile": partial(_setting, "keys"),
    "set": _set,
}
"""What each command offers behind its name."""
