"""The columns of a plan of legs: a client's code and name, a cell for each leg, its cash and verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from data.vocabulary import OrderState, Side
from engine.execution.views import COUNTED
from engine.words import formats
from engine.words.baskets import short_verdict, size_words
from engine.words.formats import MASK
from engine.words.reasons import reason_word
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.planning.by_client import PlanClient
    from engine.planning.plan import Plan

LEG_CELLS = 14
"""The width of a leg's cell: a quantity and rupees."""

NARROW_CELLS = 13
"""The same where space is short: a quantity alone."""


class CellLook(StrEnum):
    """What a leg's cell shows; `,` turns to the next."""

    SHARES = "quantity"
    QUANTITY = "quantity and rupees"
    WEIGHT = "quantity and weight"
    RESERVE = "quantity and reserve"


@dataclass(frozen=True, slots=True)
class LegCell:
    """What one client trades of one leg, as it is planned and, once sent, as its orders stand."""

    client: PlanClient
    part: Plan
    orders: tuple[OrderView, ...] = ()

    @property
    def quantity(self) -> int:
        """The shares planned."""
        return self.client.quantity(self.part.leg)

    @property
    def filled(self) -> int:
        """The shares traded."""
        return sum(order.filled_quantity for order in self.orders)

    def words(self, look: CellLook, masked: bool) -> str:
        """The cell: how its orders stand, else what is planned, else why nothing is."""
        if self.orders:
            return self._state_words()
        if not self.quantity:
            lines = self.client.lines.get(self.part.leg, ())
            return reason_word(lines[0].reason, True) if lines and lines[0].reason else ""
        if look is CellLook.SHARES:
            return formats.quantity(self.quantity)
        return f"{formats.quantity(self.quantity)}{self._second(look, masked):>{LEG_CELLS - 6}}"

    def _second(self, look: CellLook, masked: bool) -> str:
        lines = self.client.lines[self.part.leg]
        if look is CellLook.WEIGHT:
            weight = self.client.weight_bps(self.part)
            return formats.DASH if weight is None else f"{formats.tenth_percent(weight)} %"
        if masked:
            return MASK
        if look is CellLook.RESERVE:
            buys = self.part.intent.side is Side.BUY
            return formats.rupees(sum(line.reserve_paise for line in lines if line.ok)) if buys else ""
        return formats.rupees(self.client.worth_paise(self.part))

    def _state_words(self) -> str:
        """`6/6`, with the state that the trader has to know of where it is another than filled."""
        words = f"{formats.quantity(self.filled)}/{formats.quantity(self.quantity)}"
        states = {order.state for order in self.orders} - {OrderState.FILLED}
        return words if not states else f"{COUNTED[min(states, key=_RANK.index)].words} {words}"

    def style(self) -> str | None:
        """How the cell is coloured."""
        if self.orders:
            states = {order.state for order in self.orders}
            if states == {OrderState.FILLED}:
                return "up" if self.part.intent.side is Side.BUY else "down"
            return "warn" if states & _TROUBLE else None
        return None if self.quantity else "dim"


_TROUBLE = frozenset(
    {OrderState.UNKNOWN, OrderState.REJECTED, OrderState.DENIED, OrderState.NOT_RECEIVED, OrderState.EXPIRED}
)
_RANK = (OrderState.UNKNOWN, *sorted(set(OrderState) - {OrderState.UNKNOWN}))
"""Which state a cell of several orders tells first."""


def basket_columns(
    plan: Plan,
    cell: Callable[[PlanClient, Plan], LegCell],
    look: Callable[[], CellLook],
    masked: Callable[[], bool],
    brief: Callable[[], bool],
) -> list[Column]:
    """The columns of a plan of legs; `cell` finds what stands in one, `brief` says that space is short."""

    def leg_column(part: Plan) -> Column:
        leg = part.intent.legs[0]
        size = size_words(leg, plan.intent.listed).replace(" of capital", "").replace(" each", "")
        side = "S " if leg.side is Side.SELL else ""
        return Column(
            f"leg-{part.leg}",
            f"{side}{part.instrument.tradingsymbol} {size}",
            NARROW_CELLS if brief() else LEG_CELLS + 2,
            lambda row: cell(row, part).words(look(), masked()),
            "right",
            style=lambda row: cell(row, part).style(),
            sort=lambda row: row.quantity(part.leg),
            priority=part.leg + 1,
        )

    def verdict(row: Any) -> str:
        return f" {short_verdict(plan, row)}"

    return [
        *whose(masked, priority=90),
        *(leg_column(part) for part in plan.parts),
        Column(
            "after",
            "cash after",
            11,
            lambda row: MASK if masked() else formats.rupees(row.available_after_paise),
            "right",
            sort=lambda row: row.available_after_paise,
            priority=80,
        ),
        Column(
            "verdict",
            " verdict (problems first)",
            18,
            verdict,
            style=lambda row: "dim" if row.problem is None else "warn",
            sort=verdict,
            flex=True,
        ),
    ]


def whose(masked: Callable[[], bool], *, flex: bool = False, priority: int = 0) -> list[Column]:
    """Whose row it is: code and name."""
    return [
        Column("code", "code", 7, lambda row: row.code, sort=lambda row: row.code),
        Column(
            "name",
            "client",
            14,
            lambda row: MASK if masked() else row.name,
            sort=lambda row: row.name.casefold(),
            priority=priority,
            flex=flex,
        ),
    ]
