"""A client's account as a text to send: to the clipboard, and to a file for its owner's eyes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.accounts.statement import standing
from engine.words.day.statements import account_text
from engine.words.privacy import hidden
from screens.frame.exports import text_path

if TYPE_CHECKING:
    from pathlib import Path

    from data.repositories.accounts.statement import Contributed
    from engine.desk import Desk


def client_text(desk: Desk, client_id: int, brought: Contributed) -> str:
    """The account at the prices of now; under privacy amounts and names are masked in it."""
    client, funds = desk.clients.get(client_id), desk.funds.of(client_id)
    value = desk.valuation.client(client_id)
    holdings = [(one, desk.valuation.holding(one)) for one in desk.holdings.of(client_id) if one.quantity]
    orders = desk.orders.all(client_id=client_id, today=True)
    stands = standing(client, funds, value, brought)
    return hidden(account_text(client, desk.market.now(), funds, value, stands, holdings, orders))


def write_text(desk: Desk, client_id: int, text: str) -> Path:
    """Write it to a file in the exports folder; returns the path."""
    path = text_path(desk, f"client-{desk.clients.get(client_id).code}")
    path.write_text(f"{text}\n", encoding="utf-8")
    path.chmod(0o600)
    return path
