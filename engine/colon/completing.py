"""What may stand where a line is being typed: commands, symbols, codes, groups, baskets, numbers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from msgspec import Struct

from data.audit import AuditAction
from data.vocabulary import AlertKind, ExportKind, ExportWhat, FlattenWhat, Product, Via
from engine.book.group_rules import FIELDS
from engine.colon.alerts import OFFERED
from engine.colon.asked import AlertDo, GroupDo, OfClient
from engine.colon.files import files_at
from engine.colon.grammar import ALERTS, READERS, STORY
from engine.colon.known import Known
from engine.colon.splitting import last_word, quoted, words_of
from engine.colon.wishes import IN_ORDER, SAVE
from engine.planning.intent import STANDINGS

MOST = 8
"""Completions offered at once."""


class Completion(Struct, frozen=True):
    """A word that may stand where the line is being typed, and what it is."""

    word: str
    says: str = ""


Offer = Callable[[Sequence[str], str, Known], Iterable[Completion]]
"""Offers words behind those that stand already, of which the begun one may be a part."""


def completions(line: str, known: Known, most: int = MOST) -> list[Completion]:
    """The words that may stand at the end of the line, those that begin as it does first."""
    begun = last_word(line)
    before = words_of(line[: len(line) - len(begun)])
    word = begun.replace('"', "").removeprefix("" if before else ":")
    offer = OFFERS.get(before[0].casefold(), _nothing) if before else _commands
    found: dict[str, Completion] = {}
    for one in offer(before[1:], word, known):
        if one.word.casefold() != word.casefold():
            found.setdefault(one.word, one)
        if len(found) == most:
            break
    return list(found.values())


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


def _beginning(word: str, offered: Iterable[Completion]) -> Iterator[Completion]:
    told = word.casefold()
    return (one for one in offered if one.word.casefold().startswith(told))


def _nothing(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return ()


def _commands(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    named = [Completion(name) for name in READERS]
    named += [Completion(name, says) for name, says in known.names.commands.items()]
    return _beginning(word, named)


def _symbols(word: str, known: Known, tradable: bool = True) -> Iterator[Completion]:
    if not word:
        return
    for found in known.index.search(word, 2 * MOST):
        if found.tradable or not tradable:
            code = found.tradingsymbol if found.exchange == "NSE" else found.key
            yield Completion(code, found.name)


def _clients(word: str, known: Known, prefix: str = "") -> Iterator[Completion]:
    for client in known.clients.search(word):
        yield Completion(f"{prefix}{client.code}", "client")


def _groups(word: str, known: Known, prefix: str = "") -> Iterator[Completion]:
    clients = known.clients.all()
    for name in known.clients.groups():
        if name.casefold().startswith(word.casefold()):
            count = sum(name in client.groups for client in clients)
            yield Completion(f"{prefix}{quoted(name)}", f"group of {count}")


def _numbers(word: str, known: Known) -> Iterator[Completion]:
    return _beginning(word, (Completion(str(number), "run") for number in known.runs))


def _whom(word: str, known: Known) -> Iterator[Completion]:
    kind, colon, named = word.partition(":")
    match kind.casefold():
        case "g" | "!g" if colon:
            yield from _groups(named, known, f"{kind}:")
        case "c" if colon:
            *codes, begun = named.split(",")
            yield from _clients(begun, known, f"c:{''.join(f'{code},' for code in codes)}")
        case _ if word.startswith("!"):
            yield from _beginning(word, (Completion("!mtf", "leave out who has MTF"), Completion("!g:")))
            if len(word) > 1:
                yield from _clients(word[1:], known, "!")
        case _:
            yield from _clients(word, known) if len(word) > 1 else ()


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
    *(Completion(word, "how long it stands") for word in STANDINGS if word != "DAY"),
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
        yield from _symbols(word, known)
    elif len(before) == 1:
        yield from _beginning(word, SIZES)
    else:
        yield from _whom(word, known)
        yield from _beginning(word, TERMS)


def _basket(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        saved = (Completion(quoted(one.name), f"{len(one.legs)} legs, saved") for one in known.names.baskets)
        ways = (
            Completion("buy", "legs"),
            Completion("sell", "legs"),
            Completion(SAVE, "NAME: the form's legs"),
        )
        yield from _beginning(word, (*ways, *saved))
        return
    symbol, colon, size = word.partition(":")
    yield from _whom(word, known)
    if before[0].casefold() in ("buy", "sell") and word and not colon:
        yield from (Completion(f"{one.word}:", one.says) for one in _symbols(word, known))
    elif colon:
        sizes = (Completion(f"{symbol}:{one.word}", one.says) for one in SIZES if not size)
        yield from _beginning(word, sizes)
    terms = (Completion(IN_ORDER, "each leg while cash lasts"), *TERMS)
    yield from _beginning(word, (one for one in terms if one.word not in ("@", "t:", *Product)))


def _flatten(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if before and before[-1].casefold() == "client":
        yield from _clients(word, known)
    elif before and before[-1].casefold() == "group":
        yield from _groups(word, known)
    else:
        scopes = (Completion("client", "CODE"), Completion("group", "NAME"), Completion("desk", "everybody"))
        whats = tuple(Completion(what.value) for what in FlattenWhat)
        yield from _beginning(word, whats if before else (*scopes, *whats))
        if word and not before:
            yield from _clients(word, known)


def _convert(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from _whom(word, known)
        yield from _clients(word, known)
    elif len(before) == 1:
        yield from _symbols(word, known)
    else:
        products = ("mis", "mtf") if len(before) == 2 else ("cnc",)
        yield from _beginning(word, map(Completion, products))


def _cancel(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if before and before[-1].casefold() == "run":
        yield from _numbers(word, known)
    elif not before:
        yield from _beginning(word, (Completion("run", "NUMBER"),))
        yield from _clients(word, known) if word else ()


def _run(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return () if before else _numbers(word, known)


def _client(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from _beginning(word, (Completion(OfClient.ADD.value, "a form"),))
        yield from _clients(word, known)
    elif len(before) == 1 and before[0].casefold() != OfClient.ADD:
        verbs = (Completion(one.value) for one in OfClient if one is not OfClient.ADD)
        yield from _beginning(word, verbs)


def _note(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from _beginning(word, (Completion("order", "NUMBER"), Completion("run", "NUMBER")))
        yield from _clients(word, known) if word else ()
    elif before == ["run"]:
        yield from _numbers(word, known)


def _group(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    if not before:
        yield from _groups(word, known)
    elif len(before) == 1:
        signs = {GroupDo.RULE: "a rule", GroupDo.ADD: "codes", GroupDo.REMOVE: "codes"}
        yield from _beginning(word, (Completion(do.value, says) for do, says in signs.items()))
    elif before[1] == GroupDo.RULE:
        yield from _beginning(word, (Completion(field) for field in (*FIELDS, "and", "or", "not")))
    else:
        yield from _clients(word, known) if word else ()


def _import(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    for name in files_at(word):
        yield Completion(quoted(name), "folder" if name.endswith("/") else "")


def _export(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    kinds = tuple(Completion(kind.value, "kind of file") for kind in ExportKind)
    whats = tuple(Completion(what.value) for what in ExportWhat)
    yield from _beginning(word, kinds if before else (*whats, *kinds))


def _symbol(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return () if before else _symbols(word, known, tradable=False)


SIGN = (Completion("in", "[CODE]"), Completion("out", "leave the desk"))


def _sign(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return _clients(word, known) if before else _beginning(word, SIGN)


SEARCHED = (
    Completion("action:", "such as halt, or RUN_STARTED"),
    Completion("client:", "CODE"),
    Completion("order:", "NUMBER"),
    Completion("run:", "NUMBER"),
    Completion("plan:", "NUMBER"),
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
            yield from _clients(begun, known, "client:")
        case "run":
            yield from (Completion(f"run:{one.word}", one.says) for one in _numbers(begun, known))
        case "action":
            *given, last = begun.split(",")
            head = "".join(f"{one}," for one in given)
            yield from (Completion(f"action:{head}{one}") for one in AuditAction if last.upper() in one)
            yield from _beginning(word, [Completion("action:all", "those that only keep hashes too")])
        case "via":
            yield from _beginning(word, (Completion(f"via:{one}") for one in Via))
        case _:
            story = Completion(STORY, "ROW: what it belongs to")
            yield from _beginning(word, SEARCHED if before else (*SEARCHED, story))
            yield from _clients(word, known) if len(word) > 1 and not colon else ()


def _alerts(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    match [one.casefold() for one in before]:
        case []:
            offered = {AlertDo.DONE: "KIND: not shown again", AlertDo.LATER: "KIND: put off"}
            return _beginning(word, (Completion(do.value, says) for do, says in offered.items()))
        case [AlertDo.DONE | AlertDo.LATER]:
            return _beginning(word, (Completion(kind.value) for kind in AlertKind))
        case [AlertDo.LATER, _]:
            return _beginning(word, map(Completion, OFFERED))
        case _:
            return ()


def _setting(key: str, before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    return () if before else _beginning(word, map(Completion, known.names.settings.get(key, ())))


def _set(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    if before:
        return _setting(before[0].casefold(), before[1:], word, known)
    return _beginning(word, map(Completion, known.names.settings))


OFFERS: dict[str, Offer] = {
    "buy": _order,
    "sell": _order,
    "basket": _basket,
    "flatten": _flatten,
    "convert": _convert,
    "cancel": _cancel,
    "run": _run,
    "pause": _run,
    "repair": _run,
    "reverse": _run,
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
    ALERTS: _alerts,
    "sign": _sign,
    "theme": partial(_setting, "theme"),
    "profile": partial(_setting, "keys"),
    "set": _set,
}
"""What each command offers behind its name."""
