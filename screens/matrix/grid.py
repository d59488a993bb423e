"""The grid of the matrix: what is held, or a plan of several legs and how its orders stand."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from engine.planning.by_client import clients_of
from screens.bulk.plan_lines import LinesGrid
from screens.frame.workspace import Table
from screens.matrix.columns import CellLook, LegCell, basket_columns
from screens.matrix.held import FIXED_COLUMNS, HeldLook, held_columns, held_rows

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.planning.by_client import PlanClient
    from engine.planning.plan import Plan

Look = TypeVar("Look", bound=StrEnum)


class MatrixGrid(LinesGrid):
    """Clients down; across the stocks held, or the legs of a plan."""

    answering = False

    def __init__(
        self, monotonic: Callable[[], float], masked: Callable[[], bool], brief: Callable[[], bool]
    ) -> None:
        """`masked` says whether names and amounts are hidden, `brief` that space is short."""
        super().__init__([], monotonic=monotonic, hint="nothing is held: Tab to the legs", id="cells")
        self._masked, self._brief = masked, brief
        self._leg_look, self._held_look = CellLook.QUANTITY, HeldLook.WEIGHT
        self._stocks: list[str] | None = None
        """The keys of the stocks across; None while legs are."""
        self._orders: dict[tuple[int, int], tuple[OrderView, ...]] = {}
        self.clients: dict[int, PlanClient] = {}
        """The clients of the plan, while one is shown."""

    @property
    def look(self) -> CellLook | HeldLook:
        """What the cells show."""
        return self._held_look if self._stocks is not None else self._shown_of_legs()

    def _shown_of_legs(self) -> CellLook:
        return CellLook.SHARES if self._brief() else self._leg_look

    def turn_look(self) -> None:
        """Have the cells show the next thing; narrow ones of a plan have room for quantities alone."""
        if self._stocks is not None:
            self._held_look = _after(self._held_look)
        elif not self._brief():
            self._leg_look = _after(self._leg_look)
        self.apply_all()

    def apply_all(self) -> None:
        """Every cell anew."""
        self.apply(set(self.shown_keys))

    def prices_moved(self) -> None:
        """Every cell anew, and the rows sorted by a figure of a price in their places."""
        self.apply_all()
        if self.sort_key not in FIXED_COLUMNS:
            self.resort()

    def show_held(self, desk: Desk) -> list[str]:
        """What the clients hold; returns the keys whose prices that takes."""
        stocks, rows = held_rows(desk)
        if stocks != self._stocks:
            self._stocks = stocks
            self.set_columns(held_columns(desk, stocks, lambda: self._held_look, self._masked))
        self.answering, self.clients = False, {}
        self.set_rows(rows)
        return stocks

    def show_plan(self, plan: Plan) -> None:
        """The clients of a plan, which waits for its answer."""
        self._stocks, self._orders = None, {}
        self.answering = True
        self.clients = {client.client_id: client for client in clients_of(plan)}

        def cell(client: PlanClient, part: Plan) -> LegCell:
            return LegCell(client, part, self._orders.get((client.client_id, part.leg), ()))

        self.set_columns(basket_columns(plan, cell, self._shown_of_legs, self._masked, self._brief))
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
        rows = tuple(self._rows[key] for key in self.shown_keys)
        return Table("matrix", tuple(self.columns), rows, self._rows.get(self.cursor_key))


def _after(look: Look) -> Look:
    every = list(type(look))
    return every[(every.index(look) + 1) % len(every)]
