"""Facts of the whole home, by name: the day of the instruments, the day on which the file was walked."""

from collections.abc import Collection, Mapping
from datetime import date

from msgspec import Struct
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Rows, among, given
from data.tables.books import Meta

INSTRUMENTS_DAY = "instruments_day"
"""The trading day whose instruments these are."""

LIVE_BESIDE = "live_beside"
"""Which connections the trader let stand together though one of them is live, as they stood then."""

BOOKS = "books"
"""By which id tokens know these books, wherever they stand; made with their first signing key."""

SIGNED_BY_SERVICE = "signed_by_service"
"""That a signing service alone signs tokens of these books, and since when."""

HOME = "home"
"""Of which home books on a server are, by the id that lies in it."""

WALKED_ON = "file_walked_on"
"""The day in India on which the file was last walked and found whole."""


class _Fact(Struct, frozen=True):
    name: str
    value: str


_FACTS = Rows(Meta, _Fact)
_NAMED = _FACTS.query(_FACTS.c.name == given("name"))
_EVERY = _FACTS.query()
_BETWEEN = _FACTS.query(_FACTS.c.name >= given("first"), _FACTS.c.name < given("beyond"))
_SET = Change(update(_FACTS.table).where(_FACTS.c.name == given("name")).values(value=given("value")))
_FORGET = Change(delete(_FACTS.table).where(among(_FACTS.c.name, "names")))


def fact_of(on: On, name: str) -> str | None:
    """What a fact says; None where there is none of this name."""
    found = _NAMED.first(on, name=name)
    return None if found is None else found.value


async def read_day(reader: AsyncConnection, name: str) -> date | None:
    """The day that a fact holds; None where there is none. Raises `ValueError` where it is no day."""
    found = await _NAMED.read(reader, name=name)
    return date.fromisoformat(found[0].value) if found else None


def keep_day(on: On, name: str, day: date) -> None:
    """Keep a day under a name, in place of one that stands."""
    if not _SET.run(on, name=name, value=day.isoformat()):
        _FACTS.insert(on, [_Fact(name, day.isoformat())])


def keep_facts(on: On, facts: Mapping[str, str]) -> None:
    """Keep facts in place of those of the same names."""
    _FORGET.run(on, names=list(facts))
    _FACTS.insert(on, [_Fact(name, value) for name, value in facts.items()])


def forget_facts(on: On, names: Collection[str]) -> None:
    """Keep facts of these names no longer."""
    if names:
        _FORGET.run(on, names=list(names))


def facts_under(on: On, prefix: str) -> dict[str, str]:
    """The facts whose names begin so, by the rest of their names."""
    beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    found = _BETWEEN.all(on, first=prefix, beyond=beyond)
    return {one.name.removeprefix(prefix): one.value for one in found}


async def read_facts(reader: AsyncConnection, prefix: str) -> dict[str, str]:
    """The facts whose names begin so, by the rest of their names."""
    found = await _EVERY.read(reader)
    return {one.name.removeprefix(prefix): one.value for one in found if one.name.startswith(prefix)}
