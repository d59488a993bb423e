"""Whom a selection names: everybody who is not closed, or clients by number, group and broker."""

from collections.abc import Iterable

from data.errors import BadInput
from data.records import replace
from data.vocabulary import ClientStatus
from engine.book.book import Book
from engine.book.views import ClientView
from engine.planning.intent import Intent, Selection


def selected(book: Book, selection: Selection) -> list[ClientView]:
    """The clients a selection names, by code. Raises `BadInput` for an unknown or closed one."""
    everyone = book.clients
    for client_id in selection.client_ids:
        if client_id not in everyone:
            raise BadInput("client", client_id, "no client has this id")
        if everyone[client_id].status is ClientStatus.CLOSED:
            raise BadInput("client", everyone[client_id].code, "this client is closed")
    clients = book.open_clients()
    groups = book.groups()
    for name in selection.groups:
        if name not in groups:
            raise BadInput("group", name, f"known groups are {', '.join(groups) or 'none'}")
    brokers = {client.broker for client in clients}
    for name in selection.brokers:
        if name not in brokers:
            raise BadInput("broker", name, f"known brokers are {', '.join(sorted(brokers)) or 'none'}")
    ids, names = set(selection.client_ids), set(selection.groups)
    return [
        client
        for client in clients
        if (not ids or client.id in ids)
        and (not names or not names.isdisjoint(client.groups))
        and (not selection.brokers or client.broker in selection.brokers)
    ]


def narrowed(intent: Intent, client_ids: Iterable[int], title: str) -> Intent:
    """The same intent for these clients only."""
    return replace(intent, selection=Selection(client_ids=tuple(client_ids), title=title))
