"""What clients of the same run got beside each other: of one run, or of today's with the month so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.words import formats
from engine.words.day.history import dispersion_lines, run_line
from screens.frame.records import rupees
from screens.history.figures import FiguresScreen, PageFigures
from widgets.livegrid import Column

if TYPE_CHECKING:
    from screens.frame.records import Record


class DispersionScreen(FiguresScreen):
    """The costliest first; a cost is above zero."""

    TITLE_WORDS = "Dispersion"
    FILE_NAME = "dispersion"
    NOTHING = "no run has traded yet this month"

    def __init__(self, run: int | None = None) -> None:
        """Of a run; without one of today and the month."""
        super().__init__()
        self._run = run

    def columns(self) -> list[Column]:
        """Rows are a client's part of a run, or what the month's runs cost it."""
        ahead = (
            [
                Column("runs", "runs", 5, lambda one: str(one.runs), "right"),
                Column("late", "late", 5, lambda one: str(one.late_runs or ""), "right", priority=1),
                Column(
                    "traded",
                    "traded",
                    13,
                    self.money(formats.rupees, lambda one: one.notional_paise),
                    "right",
                ),
            ]
            if self._run is None
            else [
                Column("symbol", "symbol", 12, lambda one: one.key.partition(":")[2]),
                Column("asked", "asked", 7, lambda one: formats.quantity(one.quantity), "right", priority=2),
                Column("filled", "filled", 7, lambda one: formats.quantity(one.filled), "right"),
                Column("average", "average", 10, lambda one: formats.price(one.average_paise), "right"),
            ]
        )
        return [
            Column("code", "code", 8, lambda one: self.code(one.client_id)),
            *ahead,
            self._cost("dispersion", "dispersion", lambda one: one.dispersion_paise),
            Column("bps", "bps", 6, lambda one: _bps(one.dispersion_bps), "right"),
            self._cost("unfilled", "unfilled", lambda one: one.unfilled_paise),
            self._cost("slippage", "slippage", lambda one: one.slippage_paise),
        ]

    def _cost(self, key: str, title: str, of: Any) -> Column:
        return Column(key, title, 11, self.money(formats.signed, of), "right")

    async def read(self) -> PageFigures:
        """By the orders and plans that are kept."""
        if self._run is not None:
            run = await self.desk.dispersion.of_run(self._run)
            parts = {(one.client_id, one.leg, one.key, one.side): one for one in run.parts}
            return PageFigures(
                f"Dispersion · run {run.number}", "The costliest first", [run_line(run, self.code)], parts
            )
        view = await self.desk.dispersion.of_day()
        rows = {one.client_id: one for one in view.month}
        below = f"Since {view.since:%d %b %Y}, the costliest first"
        return PageFigures(
            f"Dispersion · {view.day:%d %b %Y}", below, dispersion_lines(view, self.code), rows
        )

    def record(self, row: Any) -> Record:
        """A cost, money in rupees."""
        money = {
            "dispersion": row.dispersion_paise,
            "unfilled": row.unfilled_paise,
            "slippage": row.slippage_paise,
            "traded": row.notional_paise,
        }
        told = {name: rupees(paise) for name, paise in money.items()}
        which = (
            {"runs": str(row.runs), "late": str(row.late_runs)} if self._run is None else {"symbol": row.key}
        )
        return {"code": self.code(row.client_id), **which, **told, "bps": _bps(row.dispersion_bps)}

    def client_of(self, row: Any) -> int:
        """Whose a row is."""
        return row.client_id


def _bps(bps: int | None) -> str:
    return formats.DASH if bps is None else str(bps)
