"""Client words, such as `g:growth PS1015 !mtf`: the selection that they mean, and the words for one."""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from data.errors import BadInput
from engine.book.views import ClientView
from engine.colon.known import Known
from engine.colon.splitting import quoted
from engine.planning.intent import Selection
from engine.planning.titles import (
    ALL,
    MARKED,
    broker_title,
    group_title,
    holders_title,
    marked_title,
    named_title,
    shown_title,
    without_title,
)

FORM = "all, a client's code, g:GROUP, b:BROKER, holders, marked; !mtf, !CODE and !g:GROUP leave out"
"""The words for whom an order is."""

ALONE = ("marked", "shown", "holders")
"""Words that say for whom by themselves."""

GROUP = ("g", "group")
BROKER = ("b", "broker")
PREFIXES = (*GROUP, *BROKER, "c")
"""Before a colon: a group and a broker, in short or written out as filters write them, codes by commas."""

One = TypeVar("One")

_TIMES = re.compile(r" \(\d+\)$")


@dataclass(slots=True)
class _Said:
    """What the client words of one line have said."""

    ids: list[int] = field(default_factory=list[int])
    listed: bool = False
    """Whether clients were named in a list, and not one by itself."""
    groups: list[str] = field(default_factory=list[str])
    brokers: list[str] = field(default_factory=list[str])
    alone: Selection | None = None
    left_out: dict[str, Callable[[ClientView], bool]] = field(
        default_factory=dict[str, Callable[[ClientView], bool]]
    )


def is_client_word(word: str, known: Known) -> bool:
    """Whether a word says for whom an order is."""
    kind, colon, _ = word.casefold().partition(":")
    if colon:
        return kind in (*ALONE, *PREFIXES) or kind.startswith("!")
    return kind in (ALL, *ALONE) or kind.startswith("!") or _by_code(word, known) is not None


def names_several(word: str) -> bool:
    """Whether a client word may name more than one client."""
    return ":" in word or word.startswith("!") or word.casefold() in (ALL, *ALONE)


def selection_from(words: Sequence[str], known: Known, key: str) -> Selection:
    """The clients that these words name, for an order in `key`. Raises `BadInput` with the word."""
    said = _Said()
    for word in words:
        _take(word, said, known, key)
    if said.alone is not None:
        if said.ids or said.groups or said.brokers:
            raise BadInput("clients", " ".join(words), "marked, shown and holders stand alone")
        whole = said.alone
    else:
        whole = Selection(tuple(said.ids), tuple(said.groups), tuple(said.brokers), _title(said, known))
    if not said.left_out:
        chosen = known.select(whole)
    else:
        chosen = [
            client for client in known.select(whole) if not any(out(client) for out in said.left_out.values())
        ]
    if not chosen:
        # Without clients a selection would mean everybody.
        raise BadInput("clients", " ".join(words) or ALL, "nobody is left; name others or leave out fewer")
    if not said.left_out:
        return whole
    title = without_title(_TIMES.sub("", whole.title), list(said.left_out))
    return Selection(tuple(client.id for client in chosen), title=title)


def _title(said: _Said, known: Known) -> str:
    clients = known.clients.all()
    single = len(said.ids) == 1 and not said.listed
    named = known.clients.get(said.ids[0]).code if single else named_title(len(said.ids))
    parts = [named] if said.ids else []
    parts += [group_title(name, clients) for name in said.groups]
    parts += [broker_title(name, clients) for name in said.brokers]
    return ", ".join(parts) or ALL


def _take(word: str, said: _Said, known: Known, key: str) -> None:
    if word.startswith("!"):
        title, out = _left_out(word, known)
        said.left_out[title] = out
        return
    kind, colon, named = word.partition(":")
    match kind.casefold():
        case "all" if not colon:
            pass
        case short if colon and short in GROUP:
            _once(said.groups, group_named(named, word, known))
        case short if colon and short in BROKER:
            _once(said.brokers, _broker(named, word, known))
        case "c":
            said.listed = True
            codes = [code for code in named.split(",") if code]
            if not codes:  # without clients a selection would mean everybody
                raise BadInput("clients", word, "give codes behind it, such as c:PS1015,AM1010")
            for code in codes:
                _once(said.ids, _client(code, word, known).id)
        case "marked" | "shown" | "holders" as alone:
            said.alone = _alone(alone, named, word, known, key)
        case _:
            _once(said.ids, _client(word, word, known).id)


def _once(said: list[One], one: One) -> None:
    if one not in said:
        said.append(one)


def _alone(kind: str, codes: str, word: str, known: Known, key: str) -> Selection:
    total = len(known.clients.all())
    if kind == "holders":
        ids = tuple(known.holders(key))
        if not ids:
            raise BadInput("clients", word, "nobody holds it")
        return Selection(ids, title=holders_title(len(ids)))
    around = known.around.marked if kind == "marked" else known.around.shown
    ids = tuple(_client(code, word, known).id for code in codes.split(",") if code) if codes else around
    if not ids:
        raise BadInput("clients", word, f"nobody is {'marked' if kind == 'marked' else 'singled out here'}")
    title = marked_title(len(ids), total) if kind == "marked" else shown_title(len(ids), total)
    return Selection(ids, title=title)


def _left_out(word: str, known: Known) -> tuple[str, Callable[[ClientView], bool]]:
    kind, colon, named = word[1:].partition(":")
    if not colon and kind.casefold() == "mtf":
        return "MTF", lambda client: client.mtf_limit_paise > 0
    if colon and kind.casefold() in GROUP:
        group = group_named(named, word, known)
        return f"group {group}", lambda client: group in client.groups
    if colon and kind.casefold() in BROKER:
        broker = _broker(named, word, known)
        return f"at {broker}", lambda client: client.broker == broker
    left = _client(word[1:], word, known)
    return left.code, lambda client: client.id == left.id


def _by_code(word: str, known: Known) -> ClientView | None:
    """The client with exactly this code; an id is no word of a line, where it could be a size."""
    return known.clients.by_code(word)


def _client(code: str, word: str, known: Known) -> ClientView:
    found = _by_code(code, known)
    if found is None:
        near = difflib.get_close_matches(code.upper(), [one.code for one in known.clients.all()], 3, 0.5)
        raise BadInput("client", word, "no client has this code" + (f"; {_listed(near)}?" if near else ""))
    return found


def group_named(name: str, word: str, known: Known) -> str:
    """A group as it is written, however it is typed in `word`. Raises `BadInput` with those there are."""
    return _named(name, word, "group", known.clients.groups())


def _broker(name: str, word: str, known: Known) -> str:
    return _named(name, word, "broker", sorted({client.broker for client in known.clients.all()}))


def _named(name: str, word: str, kind: str, names: Sequence[str]) -> str:
    for one in names:
        if one.casefold() == name.casefold():
            return one
    there = f"there are {_listed(names[:8])}" if names else "there is none"
    raise BadInput(kind, word, f"no such {kind}; {there}")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


# And back


def words_for(selection: Selection, known: Known) -> list[str]:
    """Words that mean this selection; what only its title tells is read from that."""
    narrowed = [
        *(f"g:{quoted(name)}" for name in selection.groups),
        *(f"b:{quoted(name)}" for name in selection.brokers),
    ]
    if not selection.client_ids:
        return narrowed
    codes = ",".join(known.clients.get(client_id).code for client_id in selection.client_ids)
    title, count = selection.title, len(selection.client_ids)
    if MARKED in title:
        return [f"marked:{codes}"]
    if title == shown_title(count, len(known.clients.all())):
        return [f"shown:{codes}"]
    if title == holders_title(count):
        return ["holders"]
    whom, without, left = title.partition(" without ")
    if without:
        return [*_whom_words(whom), *(f"!{_left_word(one)}" for one in left.split(", "))]
    return [codes if title == codes else f"c:{codes}", *narrowed]


def _whom_words(title: str) -> list[str]:
    if title == ALL:
        return []
    if title.startswith("holders"):
        return ["holders"]
    return [_prefixed(part) for part in title.split(", ")]


def _left_word(part: str) -> str:
    return "mtf" if part == "MTF" else _prefixed(part)


def _prefixed(part: str) -> str:
    for start, prefix in (("group ", "g:"), ("at ", "b:")):
        if part.startswith(start):
            return prefix + quoted(_TIMES.sub("", part.removeprefix(start)))
    return part
