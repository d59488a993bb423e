"""The grid of the matrix: what is held, or a plan of several legs and how its orders stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from engine.accounts.held import Across, HeldAcross
from engine.planning.by_client import clients_of
from screens.bulk.plan_lines import LinesGrid
from screens.frame.shell import Table
from screens.matrix.columns import OF_PLAN, OF_RUN, TOO_WIDE, CellLook, LegCell, basket_columns
from screens.matrix.held import FIXED_COLUMNS, HeldLook, held_columns, held_now
from widgets.cellgrid import CellGrid
from widgets.columns import Column

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.planning.by_client import PlanClient
    from engine.planning.plan import Plan

Look = TypeVar("Look", bound=StrEnum)


class MatrixGrid(CellGrid, LinesGrid):
    """Clients down; across the stocks or sectors held, or the legs of a plan."""

    answering = False

    def __init__(
        self,
        desk: Desk,
        monotonic: Callable[[], float],
        masked: Callable[[], bool],
        brief: Callable[[], bool],
    ) -> None:
        """`masked` says whether names and amounts are hidden, `brief` that space is short."""
        hint = "nothing is held: e opens the form of a basket"
        super().__init__([], monotonic=monotonic, hint=hint, id="cells")
        self._desk, self._masked, self._brief = desk, masked, brief
        self._leg_look, self._held_look = CellLook.VALUE, HeldLook.WEIGHT
        self._held: HeldAcross | None = None
        """What is held; None while legs are across."""
        self._plan: Plan | None = None
        self._orders: dict[tuple[int, int], tuple[OrderView, ...]] | None = None
        """The orders of the run by client and leg; None before a plan is sent."""
        self.across = Across.STOCKS
        self.clients: dict[int, PlanClient] = {}
        """The clients of the plan, while one is shown."""

    # What cells show

    @property
    def look(self) -> CellLook | HeldLook:
        """What the cells show."""
        return self._held_look if self._held is not None else self._shown_of_legs()

    def _legs_looks(self) -> Sequence[CellLook]:
        looks = OF_PLAN if self._orders is None else OF_RUN
        return [look for look in looks if not (self._brief() and look in TOO_WIDE)]

    def _shown_of_legs(self) -> CellLook:
        looks = self._legs_looks()
        return self._leg_look if self._leg_look in looks else looks[0]

    def turn_look(self) -> None:
        """Have the cells show the next thing; narrow ones of a plan have room for one figure alone."""
        if self._held is not None:
            self._held_look = _after(self._held_look, list(HeldLook))
        else:
            self._leg_look = _after(self._shown_of_legs(), self._legs_looks())
        self.apply_all()

    def apply_all(self) -> None:
        """Every cell anew."""
        self.apply(set(self.shown_keys))

    def prices_moved(self) -> None:
        """Every cell anew, and the rows sorted by a figure of a price in their places."""
        self.apply_all()
        if self.sort_key not in FIXED_COLUMNS:
            self.resort()

    # What is shown

    def show_held(self) -> set[str]:
        """What the clients hold; returns the keys whose prices that takes."""
        before, self._held = self._held, held_now(self._desk, self.across)
        if before is None or before.columns.keys() != self._held.columns.keys():
            columns = list(self._held.columns)
            self.set_columns(held_columns(self._desk, columns, lambda: self._held_look, self._masked))
        self.answering, self.clients, self._orders = False, {}, None
        self.set_rows(self._held.rows)
        return self._held.keys

    def turn_across(self) -> set[str]:
        """Sectors in place of stocks, or stocks again; returns the keys whose prices that takes."""
        self.across = Across.SECTORS if self.across is Across.STOCKS else Across.STOCKS
        self.move_cell(None)
        return self.show_held()

    def show_plan(self, plan: Plan) -> None:
        """The clients of a plan, which waits for its answer."""
        self._held, self._orders = None, None
        self._leg_look = CellLook.VALUE
        self.answering = True
        self.clients = {client.client_id: client for client in clients_of(plan)}
        self._plan = plan
        self._set_leg_columns()
        self.set_rows(self.clients)

    def _set_leg_columns(self) -> None:
        """Those of the plan; once it was sent with the cash of now."""
        if self._plan is not None:
            looks, now = self._shown_of_legs, None if self._orders is None else self._cash_now
            made = basket_columns(self._plan, self._leg_cell, looks, self._masked, self._brief, now)
            self.set_columns(made)

    def _cash_now(self, client_id: int) -> int:
        return self._desk.funds.of(client_id).available_paise

    def _leg_cell(self, client: PlanClient, part: Plan) -> LegCell:
        orders, net = (self._orders or {}).get((client.client_id, part.leg), ()), None
        if self._leg_look is CellLook.NET:
            held = [one for one in self._desk.holdings.of(client.client_id) if one.key == part.instrument.key]
            net = self._desk.valuation.together(held).net_day_pnl_paise
        return LegCell(client, part, orders, net)

    def take_orders(self, run: int) -> None:
        """Have the cells say how the run's orders stand."""
        self.answering = False
        found: dict[tuple[int, int], list[OrderView]] = {}
        for order_id in self._desk.runs.get(run).order_ids:
            order = self._desk.orders.get(order_id)
            found.setdefault((order.client_id, order.leg), []).append(order)
        before, self._orders = self._orders, {place: tuple(own) for place, own in found.items()}
        if before is None:
            self._leg_look = CellLook.FILLS
            self._set_leg_columns()
        self.apply_all()

    # What the cursor is on

    def is_cell(self, column: Column) -> bool:
        """Stocks and sectors may have the cursor; a leg's column names what its whole plan does."""
        return self._held is not None and column.key in self._held.columns

    @property
    def client_id(self) -> int | None:
        """The client under the cursor."""
        key = self.cursor_key
        return key if isinstance(key, int) else None

    @property
    def marked(self) -> tuple[int, ...]:
        """The marked clients, as they stand."""
        marked = self.marked_keys
        return tuple(key for key in self.shown_keys if key in marked and isinstance(key, int))

    @property
    def stocks(self) -> tuple[str, ...]:
        """The stocks of the column under the cursor; none while it is on whole rows."""
        column = self.cell_key
        return tuple(sorted(self._held.columns[column])) if self._held is not None and column else ()

    @property
    def column_words(self) -> str:
        """The column under the cursor as its head says it, empty without one."""
        return next((column.title for column in self.columns if column.key == self.cell_key), "")

    def stocks_of(self, client_ids: Sequence[int]) -> tuple[str, ...]:
        """What any of these clients holds, in the order of the columns."""
        rows: Mapping[int, object] = self._held.rows if self._held is not None else {}
        held = {
            one.key
            for client_id in client_ids
            if client_id in rows
            for one in self._desk.holdings.of(client_id)
        }
        return tuple(sorted(held))

    @property
    def as_table(self) -> Table:
        """The rows as they are shown."""
        rows = tuple(self._rows[key] for key in self.shown_keys)
        return Table("matrix", tuple(self.columns), rows, self._rows.get(self.cursor_key))


def _after(look: Look, every: Sequence[Look]) -> Look:
    return every[(every.index(look) + 1) % len(every)]
