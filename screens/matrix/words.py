"""The lines around the matrix: what stands in it, its figures, and what it comes to or asks for."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from textual.content import Content

from engine.accounts.held import Across
from engine.execution.views import by_leg
from engine.words import formats
from engine.words.formats import MASK, counted
from engine.words.trading.baskets import PER_CLIENT_WORDS, SHORT_PER_CLIENT, progress_words
from engine.words.trading.plans import clients_words
from screens.bulk.plan_figures import drift_part
from screens.bulk.run_words import reversing_side
from screens.matrix.held import HeldLook
from widgets.text import plain

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.planning.plan import Plan
    from screens.matrix.grid import MatrixGrid


class MatrixWords(Struct, frozen=True):
    """The title and figures of the frame, the line below its edge, and the line below the matrix."""

    title: str
    frame: tuple[str, ...]
    figures: Content
    total: str


def held_words(desk: Desk, grid: MatrixGrid, masked: bool) -> MatrixWords:
    """What is said while no legs are planned."""
    total = desk.valuation.desk_total()
    worth = MASK if masked else f"₹{formats.rupees(total.value_paise)}"
    clients, look = counted(len(grid.shown_keys), "client"), grid.look
    other = Across.STOCKS if grid.across is Across.SECTORS else Across.SECTORS
    why = " drift: no target is set, so that all are blank ·" if look is HeldLook.DRIFT else ""
    return MatrixWords(
        f"Matrix {grid.across.value}",
        (look.value, clients),
        Content(f"{why} {plain(_keys_words(grid))}"),
        f"{clients} with {worth} · e basket  Tab {other}  , turns",
    )


def _keys_words(grid: MatrixGrid) -> str:
    """What `B` and `S` are about where the cursor is: a column, a block, or rows."""
    marked, column = len(grid.marked), grid.column_words
    if column:
        whom = f"the {marked} marked" if marked else "all, b s for this client"
        return f"B S {column} for {whom}"
    if grid.client_id is None:
        return "→ puts the cursor on a column"
    whom = f"the {marked} marked" if marked else "this client"
    return f"S sells what {whom} {'hold' if marked else 'holds'}, B buys for {whom} · → a column"


def plan_words(
    desk: Desk, plan: Plan, outcome: str, look: StrEnum, masked: bool, brief: bool, room: int
) -> MatrixWords:
    """What is said of a plan that waits for its answer, with how far each price has moved.

    `outcome` is what it comes to, which stays what it is. Figures that `room` is too narrow for are brief.
    """
    title, frame = _head(plan, look, brief)
    figures = _plan_figures(desk, plan, masked, brief)
    if not brief and figures.cell_length > room:
        figures = _plan_figures(desk, plan, masked, brief=True)
    return MatrixWords(title, frame, figures, outcome)


def _plan_figures(desk: Desk, plan: Plan, masked: bool, brief: bool) -> Content:
    reserve = MASK if masked else f"₹{formats.rupees(plan.reserve_paise)}"
    digest = "" if brief else f" · {plan.short_digest}"
    reserve = reserve if brief else f"reserve {reserve}"
    said = f" plan {plan.number} · {counted(plan.orders, 'order')} · {reserve}{digest}"
    drifts: list[str | tuple[str, str]] = []
    for part in plan.parts:
        price = "" if brief else f" {formats.price(part.last_paise)}"
        price = f" · {part.instrument.tradingsymbol}{price} "
        drifts += [price, drift_part(part, desk.plans.drift_bps(part))]
    return Content.assemble(said, *drifts)


def run_words(desk: Desk, plan: Plan, number: int, look: StrEnum, brief: bool) -> MatrixWords:
    """How far its run has come, by symbol and in all."""
    run = desk.runs.get(number)
    orders = [desk.orders.get(order_id) for order_id in run.order_ids]
    legs, back = by_leg(orders), reversing_side(orders)
    figures = Content(f" run {number} {run.word} · {run.elapsed_s:.0f} s · {progress_words(legs, brief)}")
    going = "" if run.finished_at else ", where p pauses and x stops"
    turned = "" if back is None else f" · {back.value[0]} reverses it"
    keys = f"Enter: the run{going}{turned} · r repairs · Esc what is held"
    title, frame = _head(plan, look, brief)
    return MatrixWords(title, frame, figures, keys)


def _head(plan: Plan, look: StrEnum, brief: bool) -> tuple[str, tuple[str, ...]]:
    legs = counted(len(plan.parts), "leg")
    how = SHORT_PER_CLIENT[plan.per_client] if brief else PER_CLIENT_WORDS[plan.per_client]
    return f"Basket {legs}", (f"clients {clients_words(plan)}", how, look.value)
