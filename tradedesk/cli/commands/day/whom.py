"""Of whom a figure is: a client, a group or the desk."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput

if TYPE_CHECKING:
    from engine.desk import Desk

DESK, GROUP = "desk", "g:"

Whom = Annotated[
    str,
    typer.Argument(metavar="[WHOM]", help="A client's code or id, a group's name, or desk for all."),
]


def clients_of(desk: "Desk", whom: str) -> tuple[str, list[int]]:
    """What a figure is of, and its clients by number; a client's code stands before a group of that name.

    Raises `BadInput` where neither is known by it, and of a group that is empty.
    """
    if whom.casefold() == DESK:
        return DESK, [one.id for one in desk.clients.all()]
    if whom.casefold().startswith(GROUP):
        return _of_group(desk, whom[len(GROUP) :])
    try:
        client = desk.clients.find(whom)
    except BadInput as no_client:
        try:
            desk.groups.find(whom)
        except BadInput:
            raise no_client from None
        return _of_group(desk, whom)
    return client.code, [client.id]


def _of_group(desk: "Desk", name: str) -> tuple[str, list[int]]:
    group = desk.groups.find(name)
    if not group.client_ids:
        raise BadInput("group", name, "nobody is in this group")
    return group.name, list(group.client_ids)
