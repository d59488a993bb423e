"""What may stand for a word that is being typed: symbols, clients and groups that begin as it does."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from engine.colon.known import Known
from engine.colon.splitting import quoted

MOST = 8
"""Completions offered at once."""


class Completion(Struct, frozen=True):
    """A word that may stand where the line is being typed, and what it is."""

    word: str
    says: str = ""


def beginning(word: str, offered: Iterable[Completion]) -> Iterator[Completion]:
    """Those that begin as a word does, in any letter case."""
    told = word.casefold()
    return (one for one in offered if one.word.casefold().startswith(told))


def symbols(word: str, known: Known, tradable: bool = True) -> Iterator[Completion]:
    """Symbols; all that there are, unless they must be `tradable`."""
    if not word:
        return
    for found in known.index.search(word, 2 * MOST):
        if found.tradable or not tradable:
            code = found.tradingsymbol if found.exchange == "NSE" else found.key
            yield Completion(code, found.name)


def clients(word: str, known: Known, prefix: str = "") -> Iterator[Completion]:
    """Clients by code and name."""
    for client in known.clients.search(word):
        yield Completion(f"{prefix}{client.code}", "client")


def groups(word: str, known: Known, prefix: str = "") -> Iterator[Completion]:
    """Groups, each with how many it has."""
    everybody = known.clients.all()
    for name in known.clients.groups():
        if name.casefold().startswith(word.casefold()):
            count = sum(name in client.groups for client in everybody)
            yield Completion(f"{prefix}{quoted(name)}", f"group of {count}")


def whom(word: str, known: Known) -> Iterator[Completion]:
    """Words for whom something is."""
    kind, colon, named = word.partition(":")
    match kind.casefold():
        case "g" | "!g" if colon:
            yield from groups(named, known, f"{kind}:")
        case "c" if colon:
            *codes, begun = named.split(",")
            yield from clients(begun, known, f"c:{''.join(f'{code},' for code in codes)}")
        case _ if word.startswith("!"):
            yield from beginning(word, (Completion("!mtf", "leave out who has MTF"), Completion("!g:")))
            if len(word) > 1:
                yield from clients(word[1:], known, "!")
        case _:
            yield from clients(word, known) if len(word) > 1 else ()
