"""Whose figures a page shows: a client's, a group's or the desk's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import BadInput

if TYPE_CHECKING:
    from engine.colon.records.asked import OfWhom
    from engine.desk import Desk


def ids_of(desk: Desk, whom: OfWhom) -> list[int]:
    """The clients by number. Raises `BadInput` of a group that nobody is in."""
    if whom.client_id is not None:
        return [whom.client_id]
    if not whom.group:
        return [one.id for one in desk.clients.all()]
    found = list(desk.groups.find(whom.group).client_ids)
    if not found:
        raise BadInput("group", whom.group, "nobody is in this group")
    return found


def name_of(desk: Desk, whom: OfWhom, private: bool) -> str:
    """As a title says it."""
    if whom.client_id is not None:
        client = desk.clients.get(whom.client_id)
        return client.code if private else f"{client.code} {client.name}"
    return f"group {whom.group}" if whom.group else "the desk"
