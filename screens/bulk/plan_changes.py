"""Changes of a plan's lines by hand: each gives an intent from which the plan is made anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from data.records import replace
from data.vocabulary import AlternativeKind, Product
from engine.planning.intent import Intent, LineChange
from engine.words.trading.plans import alternative

if TYPE_CHECKING:
    from engine.planning.plan import PlanLine


def _slot(intent: Intent, client_id: int, product: Product | None) -> tuple[int, Product | None]:
    """A client has one line, or one for each product when it sells as held."""
    return client_id, product if intent.product is None else None


def with_changes(intent: Intent, changes: Iterable[LineChange]) -> Intent:
    """The intent with these lines changed; a change of the same line is replaced."""
    fresh = {_slot(intent, change.client_id, change.product): change for change in changes}
    kept = [
        change
        for change in intent.line_changes
        if _slot(intent, change.client_id, change.product) not in fresh
    ]
    return replace(intent, line_changes=(*kept, *fresh.values()))


def without_change(intent: Intent, line: PlanLine) -> Intent:
    """The intent with this line as it was sized at first."""
    slot = _slot(intent, line.client_id, line.product)
    kept = tuple(
        change for change in intent.line_changes if _slot(intent, change.client_id, change.product) != slot
    )
    return replace(intent, line_changes=kept)


def to_quantity(intent: Intent, line: PlanLine, quantity: int) -> Intent:
    """The line with this many shares in its own product; 0 drops it."""
    return with_changes(intent, [LineChange(line.client_id, quantity, _own_product(intent, line))])


def _own_product(intent: Intent, line: PlanLine) -> Product | None:
    """A product is only said where it is not the intent's own."""
    return None if line.product is intent.product else line.product


def to_affordable(intent: Intent, lines: Iterable[PlanLine]) -> Intent | None:
    """Every one of the lines that has one at its affordable quantity; None if none has."""
    changes = [
        LineChange(line.client_id, way.quantity, _own_product(intent, line))
        for line in lines
        if (way := alternative(line, AlternativeKind.AFFORDABLE)) is not None
    ]
    return with_changes(intent, changes) if changes else None


def to_mtf(intent: Intent, lines: Iterable[PlanLine]) -> Intent | None:
    """Every one of the lines for which MTF is a way out in MTF; None if it is for none."""
    changes = [
        LineChange(
            line.client_id, way.quantity if way.quantity < line.wanted else _by_hand(line), Product.MTF
        )
        for line in lines
        if (way := alternative(line, AlternativeKind.MTF)) is not None
    ]
    return with_changes(intent, changes) if changes else None


def other_product(intent: Intent, line: PlanLine) -> Intent:
    """The line from CNC to MTF, or back to the intent's own product; a quantity set by hand stays."""
    quantity = _by_hand(line)
    back = intent.product is not Product.MTF and line.product is Product.MTF
    if back and quantity is None:
        return without_change(intent, line)
    other = Product.CNC if line.product is Product.MTF else Product.MTF
    return with_changes(intent, [LineChange(line.client_id, quantity, None if back else other)])


def _by_hand(line: PlanLine) -> int | None:
    return line.wanted if line.by_hand else None


def dropped_or_restored(intent: Intent, line: PlanLine) -> Intent:
    """A line set by hand as it was sized at first; any other one dropped."""
    return without_change(intent, line) if line.by_hand else to_quantity(intent, line, 0)
