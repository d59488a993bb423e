"""Words that name clients to lease: `free`, or codes and groups as `CODE g:GROUP`."""

from collections.abc import Collection

from msgspec import Struct

from data.engines.shared.leases import lease_rows
from data.errors import BadInput
from data.repositories.accounts.groups import members
from data.repositories.base import On

FREE = "free"
"""Everybody whom no other desk has."""

GROUP = "g:"
"""Before the name of a group."""

EXPECTED = "give free, or codes and groups, as CODE g:GROUP"


class WantedClients(Struct, frozen=True):
    """Whom the words name: their numbers, and the words that name nobody here."""

    ids: frozenset[int]
    unknown: tuple[str, ...] = ()


def named_clients(on: On, words: Collection[str]) -> WantedClients:
    """Whom words name, as the books stand; groups are those that clients were put into."""
    rows = lease_rows(on)
    by_code = {row.code.upper(): row.client_id for row in rows}
    ids, unknown = set[int](), list[str]()
    for word in words:
        if word.lower() == FREE:
            ids |= set(by_code.values())
        elif word.lower().startswith(GROUP):
            found = members(on, word[len(GROUP) :])
            ids |= found
            unknown += [] if found else [word]
        elif (one := by_code.get(word.upper())) is not None:
            ids.add(one)
        else:
            unknown.append(word)
    return WantedClients(frozenset(ids), tuple(unknown))


def words_from(text: str) -> tuple[str, ...]:
    """The words of a line, parted by spaces or commas."""
    return tuple(text.replace(",", " ").split())


def require_known(named: WantedClients) -> frozenset[int]:
    """Whom they name. Raises `BadInput` where a word names nobody, or there is none."""
    if named.unknown:
        raise BadInput("clients", " ".join(named.unknown), f"nobody is named so; {EXPECTED}")
    if not named.ids:
        raise BadInput("clients", "", EXPECTED)
    return named.ids
