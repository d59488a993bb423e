"""The rows and columns of a frozen plan: its lines, problems first, and a line above each group of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from data.vocabulary import AlternativeKind, Reason, Side
from engine.words import formats
from engine.words.formats import MASK, counted
from engine.words.trading.plans import alternative, free_words, verdict
from engine.words.trading.reasons import reason_word
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.planning.plan import Plan, PlanLine

ROOMY = 150
"""Columns of a screen from which on a verdict has all the room that it needs."""

NAME_CELLS = 20
"""Cells at which a client's name stops growing: what is left is the verdict's."""

LineKey = tuple[int, str]
"""A line's row: client and product."""


class GroupRow(Struct, frozen=True):
    """The line above several lines that are skipped for one reason."""

    reason: Reason
    lines: tuple[PlanLine, ...]

    def words(self, brief: bool) -> str:
        """The reason, and the keys that mend all of them at once."""
        ways = [
            f"{key} all {len(having)}"
            for key, kind in (("a", AlternativeKind.AFFORDABLE), ("m", AlternativeKind.MTF))
            if (having := [line for line in self.lines if alternative(line, kind)])
        ]
        if self.reason is Reason.DUPLICATE_INTENT:
            ways = [f"A again, all {len(self.lines)}"]
        return " · ".join([reason_word(self.reason, brief), *ways])


PlanRow = Any
"""A `PlanLine` or a `GroupRow`; grids take any object."""


def plan_rows(plan: Plan) -> dict[LineKey | str, PlanLine | GroupRow]:
    """Every row by key, in the plan's order; a reason with several lines has a line of its own above them."""
    sizes = Counter(line.reason for line in plan.skipped_lines)
    rows: dict[LineKey | str, PlanLine | GroupRow] = {}
    for line in plan.lines:
        reason = line.reason
        if reason is not None and sizes[reason] > 1 and (group := f"reason:{reason.value}") not in rows:
            rows[group] = GroupRow(reason, tuple(each for each in plan.lines if each.reason is reason))
        rows[line.client_id, line.product.value] = line
    return rows


def lines_of(row: PlanLine | GroupRow | None) -> tuple[PlanLine, ...]:
    """The plan's lines a row stands for."""
    if row is None:
        return ()
    return row.lines if isinstance(row, GroupRow) else (row,)


def plan_columns(
    side: Side, brief: Callable[[], bool], masked: Callable[[], bool], width: int
) -> list[Column]:
    """The columns of a plan; `brief` tells whether space is short, `masked` whether privacy is on.

    Names grow on a screen whose `width` leaves them room beside all that a verdict says.
    """

    def of(words: Callable[[PlanLine], str]) -> Callable[[PlanRow], str]:
        return lambda row: "" if isinstance(row, GroupRow) else words(row)

    def money(words: Callable[[PlanLine], str]) -> Callable[[PlanRow], str]:
        return of(lambda line: MASK if masked() else words(line))

    def figure(value: Callable[[PlanLine], Any]) -> Callable[[PlanRow], Any]:
        return lambda row: None if isinstance(row, GroupRow) else value(row)

    def name(row: PlanRow) -> str:
        if isinstance(row, GroupRow):
            return counted(len(row.lines), "client")
        return MASK if masked() else row.name

    def words(row: PlanRow) -> str:
        if isinstance(row, GroupRow):
            return f" {row.words(brief())}"
        # A blank of its own, since figures end where the words begin.
        return f" {verdict(row, side, brief())}"

    def style(row: PlanRow) -> str | None:
        if isinstance(row, GroupRow):
            return "strong"
        return "warn" if not row.ok else "strong" if row.by_hand else "dim"

    def reserve(line: PlanLine) -> str:
        return formats.rupees(line.reserve_paise) if line.ok else formats.DASH

    columns = [
        Column(
            "code",
            "code",
            6,
            lambda row: "" if isinstance(row, GroupRow) else row.code,
            style=lambda row: "strong" if isinstance(row, GroupRow) else None,
            sort=figure(lambda line: line.code),
        ),
        Column(
            "name",
            "client",
            12,
            name,
            sort=figure(lambda line: line.name.casefold()),
            flex=width >= ROOMY,
            most=NAME_CELLS,
        ),
    ]
    if side is Side.BUY:
        columns += [
            Column(
                "base",
                "base",
                9,
                money(lambda line: formats.rupees(line.base_paise or None)),
                "right",
                sort=figure(lambda line: line.base_paise),
                priority=3,
            ),
            _quantity(of, figure),
            Column(
                "reserve",
                "reserve",
                9,
                money(reserve),
                "right",
                sort=figure(lambda line: line.reserve_paise),
                priority=1,
            ),
            Column(
                "after",
                "cash after",
                10,
                money(lambda line: formats.rupees(line.available_after_paise)),
                "right",
                sort=figure(lambda line: line.available_after_paise),
                priority=2,
            ),
        ]
    else:
        columns += [
            Column("product", "prod", 4, of(lambda line: line.product.value)),
            Column(
                "free",
                "free",
                7,
                of(free_words),
                "right",
                sort=figure(lambda line: line.sellable),
                priority=2,
            ),
            _quantity(of, figure),
            Column(
                "worth",
                "at LTP",
                10,
                money(lambda line: formats.rupees(line.sized_paise if line.ok else None)),
                "right",
                priority=1,
            ),
        ]
    columns.append(
        Column(
            "verdict",
            " verdict (problems first)",
            34,
            words,
            style=style,
            sort=words,
            flex=True,
            most=LINE_CELLS,
        )
    )
    return columns


def _quantity(of: Callable[..., Any], figure: Callable[..., Any]) -> Column:
    return Column(
        "quantity",
        "qty",
        8,
        of(lambda line: formats.quantity(line.quantity)),
        "right",
        style=lambda row: None if isinstance(row, GroupRow) or row.ok else "dim",
        sort=figure(lambda line: line.quantity),
    )
