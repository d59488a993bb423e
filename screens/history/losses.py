"""What clients could lose: value at risk, beta and concentration of each, and of all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.words import formats
from engine.words.day.history import ratio, risk_lines
from screens.desk.rows import direction
from screens.frame.records import rupees
from screens.history.figures import FiguresScreen, PageFigures
from screens.history.whose import ids_of, name_of
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.colon.records.asked import OfWhom
    from engine.risk.views import ClientRisk
    from screens.frame.records import Record


class RiskScreen(FiguresScreen):
    """Of the desk, a group or a client."""

    TITLE_WORDS = "Risk"
    FILE_NAME = "risk"
    NOTHING = "no client yet"

    def __init__(self, whom: OfWhom) -> None:
        super().__init__()
        self._whom = whom

    def columns(self) -> list[Column]:
        """Rows are the clients' risk."""

        def net(one: ClientRisk) -> str | None:
            return None if self.shell.privacy else direction(one.todays_pnl_paise)

        def largest(one: ClientRisk) -> str:
            return one.concentration.top_key.partition(":")[2]

        return [
            Column("code", "code", 8, lambda one: self.code(one.client_id)),
            Column("value", "value", 13, self.money(formats.rupees, lambda one: one.value_paise), "right"),
            Column(
                "net",
                "net today",
                11,
                self.money(formats.signed, lambda one: one.todays_pnl_paise),
                "right",
                style=net,
                priority=1,
            ),
            Column("var95", "VaR 95", 11, self.money(formats.rupees, lambda one: one.var95_paise), "right"),
            Column("var99", "VaR 99", 11, self.money(formats.rupees, lambda one: one.var99_paise), "right"),
            Column("beta", "beta", 6, lambda one: ratio(one.beta_bps), "right", priority=1),
            Column("largest", "largest", 11, largest, priority=2, flex=True),
            Column("top", "%", 7, lambda one: formats.tenth_percent(one.concentration.top_bps), "right"),
            Column(
                "five",
                "5 %",
                7,
                lambda one: formats.tenth_percent(one.concentration.top_five_bps),
                "right",
                priority=2,
            ),
            Column("beyond", "beyond 95", 9, self._beyond, "right", priority=3),
        ]

    @staticmethod
    def _beyond(one: ClientRisk) -> str:
        """On how many closed days more was lost, of how many."""
        found = one.breaches
        return f"{found.at_95} of {found.days}" if found.days else ""

    async def read(self) -> PageFigures:
        """By the prices of now."""
        ids = ids_of(self.desk, self._whom)
        view = await self.desk.risk.of(ids)
        rows = {one.client_id: one for one in sorted(view.clients, key=lambda one: -(one.var95_paise or 0))}
        whose = name_of(self.desk, self._whom, self.shell.privacy)
        return PageFigures(f"Risk · {whose}", "The most at risk first", risk_lines(view, self.code), rows)

    def record(self, row: Any) -> Record:
        """A client's risk, money in rupees."""
        money = {
            "value": row.value_paise,
            "net today": row.todays_pnl_paise,
            "var 95": row.var95_paise,
            "var 99": row.var99_paise,
        }
        told = {name: rupees(paise) for name, paise in money.items()}
        return {
            "code": self.code(row.client_id),
            **told,
            "beta": ratio(row.beta_bps),
            "largest": row.concentration.top_key,
            "largest %": formats.percent(row.concentration.top_bps),
            "five largest %": formats.percent(row.concentration.top_five_bps),
        }

    def client_of(self, row: Any) -> int:
        """Whose a row is."""
        return row.client_id
