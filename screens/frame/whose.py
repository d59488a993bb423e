"""Whose client a row is of: what a filter looks into, and its broker where clients are at several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.accounts.clients import ClientsTotal
    from engine.book.views import ClientView

_WORDS = 7
"""Signs of the longest word of a broker."""


def who_words(client: ClientView) -> str:
    """Who a client is, for words that are looked for in it: code, name, broker, groups; all lower.

    A broker is found as filters write it, `broker:groww`, and as the command line does, `b:groww`.
    """
    broker = f"{of_broker(client)} b:{client.broker}"
    return f"{client.code} {client.name} {broker} {' '.join(client.groups)}".casefold()


def of_broker(client: ClientView) -> str:
    """The word by which clients of one broker are found and turned to: `broker:groww`."""
    return f"broker:{client.broker}"


def brokers_of(clients: Iterable[ClientView]) -> list[str]:
    """That word of each broker these clients are at, where there are several; else none."""
    found = sorted({of_broker(client) for client in clients})
    return found if len(found) > 1 else []


def at_several(clients: Iterable[ClientView]) -> bool:
    """Whether these clients are at more than one broker, so that a row has to say at which."""
    return bool(brokers_of(clients))


def broker_column(client_of: Callable[[Any], ClientView], priority: int) -> Column:
    """The broker of each row's client."""

    def broker(row: Any) -> str:
        return client_of(row).broker

    return Column("broker", "broker", _WORDS, broker, sort=broker, priority=priority)


def ready_by_broker(clients: Iterable[ClientView], total: Callable[[list[int]], ClientsTotal]) -> str:
    """How many clients of each broker nothing keeps from trading, where there are several: `groww 5/6 …`."""
    every = defaultdict[str, list[int]](list)
    for client in clients:
        every[client.broker].append(client.id)
    if len(every) < 2:
        return ""
    return "  ".join(f"{broker} {total(ids).ready}/{len(ids)}" for broker, ids in sorted(every.items()))
