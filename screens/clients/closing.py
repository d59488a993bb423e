"""Closing a client, in place of deleting it: a reason for the audit, and a typed word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.vocabulary import ClientStatus
from screens.orders.settle import ReasonCard

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from screens.frame.workspace import Framed


def ask_close(screen: Framed, client: ClientView) -> None:
    """Ask why and for the word, unless something stands against it, which is named at once."""
    screen.carry_out(screen.before_further_keys(_ask(screen, client)))


async def _ask(screen: Framed, client: ClientView) -> None:
    if stands := await screen.desk.clients.standing(client.id):
        screen.shell.say(f"{client.code} cannot be closed while something stands: {stands}", "warning")
        return

    async def settle(reason: str, _: str) -> str:
        await screen.desk.clients.set_status(client.id, ClientStatus.CLOSED, reason)
        return f"{client.code} {client.name} is closed"

    lines = [
        "It leaves every list, bulk and basket; its history stays, and :client shows it.",
        "It is refused while shares, a loan, money owed or blocked, or orders stand.",
    ]
    screen.open_card(ReasonCard(f"CLOSE {client.code} {client.name}", lines, "close", settle))
