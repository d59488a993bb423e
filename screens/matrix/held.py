"""What is held, client by client and stock by stock, as the matrix shows it while no basket is planned."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from screens.matrix.columns import Held, HeldRow

if TYPE_CHECKING:
    from engine.desk import Desk

MOST_STOCKS = 12
"""More stocks than that have no room beside each other; the most valuable stand."""


def held_rows(desk: Desk) -> tuple[list[tuple[str, str]], dict[int, HeldRow]]:
    """The stocks across, by key and symbol, the most valuable first, and the clients who hold any."""
    cells: dict[int, dict[str, Held]] = {}
    worth = Counter[str]()
    for holding in desk.holdings.all():
        if not holding.quantity:
            continue
        of_client = cells.setdefault(holding.client_id, {})
        value = desk.valuation.holding(holding)
        weight = desk.valuation.weight_bps(holding.client_id, holding) or 0
        before: Held = of_client.get(holding.key, (0, 0, 0, 0))
        figures: Held = (holding.quantity, value.value_paise, weight, value.day_pnl_paise)
        of_client[holding.key] = _together(before, figures)
        worth[holding.key] += value.value_paise
    symbols = [(key, key.partition(":")[2]) for key, _ in worth.most_common(MOST_STOCKS)]
    rows = {
        client.id: HeldRow(
            client.id,
            client.code,
            client.name,
            desk.valuation.client(client.id).portfolio_paise,
            cells[client.id],
        )
        for client in desk.clients.all()
        if client.id in cells
    }
    return symbols, rows


def _together(one: Held, other: Held) -> Held:
    """One stock in two products; the day's profit is not known where that of either is not."""
    known = one[3] is not None and other[3] is not None
    day = (one[3] or 0) + (other[3] or 0) if known else None
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], day
