"""The columns of a plan of legs: a client's code and name, a cell for each leg, its cash and verdict."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from data.vocabulary import OrderState, Side
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.baskets import fill_words, short_verdict, size_words
from engine.words.trading.reasons import reason_word
from screens.desk.rows import direction
from widgets.columns import LINE_CELLS
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

    FILLS = "filled of planned"
    SHARES = "quantity"
    VALUE = "quantity and rupees"
    WEIGHT = "quantity and weight"
    RESERVE = "quantity and reserve"
    NET = "day net of the stock, charges taken off"


OF_PLAN = (CellLook.VALUE, CellLook.SHARES, CellLook.WEIGHT, CellLook.RESERVE)
"""What is shown of a plan, in the order in which it turns."""
OF_RUN = (CellLook.FILLS, *OF_PLAN, CellLook.NET)
"""What is shown of a run."""
TOO_WIDE = frozenset({CellLook.VALUE, CellLook.WEIGHT, CellLook.RESERVE})
"""Those that narrow cells have no room for."""


class LegCell(Struct, frozen=True):
    """What one client trades of one leg, as it is planned and, once sent, as its orders stand.

    `net_paise` is what its shares of that stock have brought today, charges taken off.
    """

    client: PlanClient
    part: Plan
    orders: tuple[OrderView, ...] = ()
    net_paise: int | None = None

    @property
    def quantity(self) -> int:
        """The shares planned."""
        return self.client.quantity(self.part.leg)

    def words(self, look: CellLook, masked: bool) -> str:
        """The cell: how its orders stand, else what is planned, else why nothing is."""
        if look is CellLook.FILLS and self.orders:
            return fill_words(self.orders, self.quantity)
        if not self.quantity:
            lines = self.client.lines.get(self.part.leg, ())
            return reason_word(lines[0].reason, True) if lines and lines[0].reason else ""
        if look is CellLook.NET:
            return MASK if masked else formats.signed(self.net_paise)
        if look in (CellLook.SHARES, CellLook.FILLS):
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

    def style(self, look: CellLook) -> str | None:
        """How the cell is coloured."""
        if look is CellLook.NET and self.quantity:
            return direction(self.net_paise)
        if look is CellLook.FILLS and self.orders:
            states = {order.state for order in self.orders}
            if states == {OrderState.FILLED}:
                return "up" if self.part.intent.side is Side.BUY else "down"
            return "warn" if states & _TROUBLE else None
        return None if self.quantity else "dim"


_TROUBLE = frozenset(
    {OrderState.UNKNOWN, OrderState.REJECTED, OrderState.DENIED, OrderState.NOT_RECEIVED, OrderState.EXPIRED}
)


def basket_columns(
    plan: Plan,
    cell: Callable[[PlanClient, Plan], LegCell],
    look: Callable[[], CellLook],
    masked: Callable[[], bool],
    brief: Callable[[], bool],
    cash_now: Callable[[int], int] | None = None,
) -> list[Column]:
    """The columns of a plan of legs; `cell` finds what stands in one, `brief` says that space is short.

    Once it was sent, `cash_now` tells a client's free cash in the place of what the plan would leave.
    """

    def cash(row: PlanClient) -> int:
        return row.available_after_paise if cash_now is None else cash_now(row.client_id)

    def leg_column(part: Plan) -> Column:
        leg = part.intent.legs[0]
        # Of listed orders each cell has a size of its own, and the head the symbol alone.
        sizes = "" if plan.intent.listed else size_words(leg)
        size = sizes.replace(" of capital", "").replace(" each", "")
        side = "S " if leg.side is Side.SELL else ""
        return Column(
            f"leg-{part.leg}",
            f"{side}{part.instrument.tradingsymbol} {size}".rstrip(),
            NARROW_CELLS if brief() else LEG_CELLS + 2,
            lambda row: cell(row, part).words(look(), masked()),
            "right",
            style=lambda row: cell(row, part).style(look()),
            sort=lambda row: row.quantity(part.leg),
            priority=part.leg + 1,
        )

    def verdict(row: Any) -> str:
        return f" {short_verdict(plan, row)}"

    return [
        *whose(masked, flex=True, priority=90),
        *(leg_column(part) for part in plan.parts),
        Column(
            "after",
            "cash after" if cash_now is None else "cash now",
            11,
            lambda row: MASK if masked() else formats.rupees(cash(row)),
            "right",
            sort=cash,
            priority=80,
        ),
        Column(
            "verdict",
            " verdict",
            18,
            verdict,
            style=lambda row: "dim" if row.problem is None else "warn",
            sort=verdict,
            flex=True,
            most=LINE_CELLS,
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
