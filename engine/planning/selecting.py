"""Whom a selection names: everybody who is not closed, or clients by number, group and broker."""

from data.errors import BadInput
from data.vocabulary import ClientStatus
from engine.book.book import Book
from engine.book.views import ClientView
from engine.planning.intent import Selection


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
    return [
        client
        for client in clients
        if (not selection.client_ids or client.id in selection.client_ids)
        and (not selection.groups or set(selection.groups) & set(client.groups))
        and (not selection.brokers or client.broker in selection.brokers)
    ]
