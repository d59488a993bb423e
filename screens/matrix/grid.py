"""The grid of the matrix: what is held, or a plan of several legs and how its orders stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.planning.by_client import clients_of
from screens.bulk.plan_lines import LinesGrid
from screens.frame.workspace import Table
from screens.matrix.columns import CellLook, HeldLook, HeldRow, LegCell, basket_columns, held_columns
from screens.matrix.held import held_rows

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.planning.by_client import PlanClient
    from engine.planning.plan import Plan


class MatrixGrid(LinesGrid):
    """Clients down; across the stocks held, or the legs of a plan."""

    answering = False

    def __init__(self, monotonic: Callable[[], float], masked: Callable[[], bool]) -> None:
        super().__init__([], monotonic=monotonic, hint="nothing is held: Tab to the legs", id="cells")
        self._masked = masked
        self._looks: tuple[CellLook, HeldLook] = (CellLook.QUANTITY, HeldLook.WEIGHT)
        self._of_plan = False
        self._brief: Callable[[], bool] = lambda: False
        self._shown: Mapping[int, PlanClient | HeldRow] = {}
        self._orders: dict[tuple[int, int], tuple[OrderView, ...]] = {}
        self.clients: dict[int, PlanClient] = {}

    @property
    def look(self) -> CellLook | HeldLook:
        """What the cells show."""
        return self._leg_look() if self._of_plan else self._looks[1]

    def _leg_look(self) -> CellLook:
        return CellLook.SHARES if self._brief() else self._looks[0]

    def turn_look(self) -> None:
        """Have the cells show the next thing; narrow ones of a plan have room for quantities alone."""
        of_legs, of_held = self._looks
        if self._of_plan and self._brief():
            of_legs = CellLook.SHARES
        elif self._of_plan:
            of_legs = _after(of_legs, CellLook)
        else:
            of_held = _after(of_held, HeldLook)
        self._looks = of_legs, of_held
        self.apply_all()

    def apply_all(self) -> None:
        """Every cell anew."""
        self.apply(set(self.shown_keys))

    def show_held(self, desk: Desk) -> list[str]:
        """What the clients hold; returns the keys whose prices that takes."""
        symbols, rows = held_rows(desk)
        self._of_plan = self.answering = False
        self._shown = rows
        self.set_columns(held_columns(symbols, lambda: self._looks[1], self._masked))
        self.set_rows(rows)
        return [key for key, _ in symbols]

    def show_plan(self, plan: Plan, brief: Callable[[], bool]) -> None:
        """The clients of a plan, which waits for its answer."""
        self._orders, self._brief = {}, brief
        self._of_plan = self.answering = True
        self._shown = self.clients = {client.client_id: client for client in clients_of(plan)}

        def cell(client: PlanClient, part: Plan) -> LegCell:
            return LegCell(client, part, self._orders.get((client.client_id, part.leg), ()))

        self.set_columns(basket_columns(plan, cell, self._leg_look, self._masked, brief))
        self.set_rows(self.clients)

    def take_orders(self, desk: Desk, run: int) -> None:
        """Have the cells say how the run's orders stand."""
        self.answering = False
        found: dict[tuple[int, int], list[OrderView]] = {}
        for order_id in desk.runs.get(run).order_ids:
            order = desk.orders.get(order_id)
            found.setdefault((order.client_id, order.leg), []).append(order)
        before, self._orders = self._orders, {place: tuple(own) for place, own in found.items()}
        self.apply({place[0] for place, own in self._orders.items() if before.get(place) != own})

    @property
    def client_id(self) -> int | None:
        """The client under the cursor."""
        key = self.cursor_key
        return key if isinstance(key, int) else None

    @property
    def as_table(self) -> Table:
        """The rows as they are shown."""
        rows = [self._shown[key] for key in self.shown_keys if isinstance(key, int)]
        return Table("matrix", tuple(self.columns), tuple(rows), self._shown.get(self.client_id or 0))


def _after(look: Any, looks: Any) -> Any:
    every = list(looks)
    return every[(every.index(look) + 1) % len(every)]
