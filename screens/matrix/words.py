"""The lines around the matrix: what stands in it, its figures, and what it comes to or asks for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from textual.content import Content

from engine.execution.views import by_leg
from engine.words import formats
from engine.words.baskets import PER_CLIENT_WORDS, SHORT_PER_CLIENT, progress_words
from engine.words.formats import MASK, counted
from engine.words.plans import clients_words
from screens.bulk.plan_figures import drift_part

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.planning.plan import Plan


@dataclass(frozen=True, slots=True)
class MatrixWords:
    """The title, the line of figures, and the line below the matrix."""

    title: str
    figures: Content
    total: str


def held_words(desk: Desk, clients: int, look: StrEnum, masked: bool) -> MatrixWords:
    """What is said while no legs are planned."""
    worth = MASK if masked else f"₹{formats.rupees(desk.valuation.desk_total().value_paise)}"
    return MatrixWords(
        f"Matrix │ what is held: {look.value}",
        Content(" Tab to the legs, Enter plans them · , turns the cells"),
        f"{counted(clients, 'client')} holding shares worth {worth}",
    )


def plan_words(desk: Desk, plan: Plan, outcome: str, look: StrEnum, masked: bool, brief: bool) -> MatrixWords:
    """What is said of a plan that waits for its answer, with how far each price has moved.

    `outcome` is what it comes to, which stays what it is.
    """
    reserve = MASK if masked else f"₹{formats.rupees(plan.reserve_paise)}"
    digest = "" if brief else f" · {plan.short_digest}"
    reserve = reserve if brief else f"reserve {reserve}"
    said = f" plan {plan.number} · {counted(plan.orders, 'order')} · {reserve}{digest}"
    drifts: list[str | tuple[str, str]] = []
    for part in plan.parts:
        price = "" if brief else f" {formats.price(part.last_paise)}"
        price = f" · {part.instrument.tradingsymbol}{price} "
        drifts += [price, drift_part(part, desk.plans.drift_bps(part))]
    return MatrixWords(_title(plan, look, brief), Content.assemble(said, *drifts), outcome)


def run_words(desk: Desk, plan: Plan, number: int, look: StrEnum, brief: bool) -> MatrixWords:
    """How far its run has come, by symbol and in all."""
    run = desk.runs.get(number)
    legs = by_leg([desk.orders.get(order_id) for order_id in run.order_ids])
    figures = Content(
        f" run {number} {run.word} · {run.elapsed_s:.0f} s · {progress_words(legs, brief=True)}"
    )
    keys = "Enter: the run, p pauses, x stops · r repairs · Esc back to the legs"
    return MatrixWords(_title(plan, look, brief), figures, keys)


def _title(plan: Plan, look: StrEnum, brief: bool) -> str:
    legs = counted(len(plan.parts), "leg")
    how = SHORT_PER_CLIENT[plan.per_client] if brief else PER_CLIENT_WORDS[plan.per_client]
    return f"basket {legs} │ clients {clients_words(plan)} │ {how} │ {look.value}"
