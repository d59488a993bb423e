"""What came to clients and went by no trade, the newest first, and what a person said that it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.words import formats
from engine.words.day.history import UNCLASSED
from screens.desk.rows import direction
from screens.frame.records import rupees
from screens.history.figures import FiguresScreen, PageFigures
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.history.views import FlowView
    from screens.frame.records import Record


class FlowsScreen(FiguresScreen):
    """Of all clients or one; what nobody has classed stands out."""

    TITLE_WORDS = "Flows"
    FILE_NAME = "flows"
    NOTHING = "nothing has come or gone by no trade"

    def __init__(self, client_id: int | None = None) -> None:
        super().__init__()
        self._client_id = client_id

    def columns(self) -> list[Column]:
        """Rows are flows."""

        def sign(one: FlowView) -> str | None:
            return None if self.shell.privacy else direction(one.amount_paise)

        return [
            Column("number", "n", 6, lambda one: str(one.number), "right"),
            Column("day", "day", 11, lambda one: f"{one.day:%d %b %Y}"),
            Column("code", "code", 8, lambda one: self.code(one.client_id)),
            Column(
                "amount",
                "amount",
                13,
                self.money(formats.signed, lambda one: one.amount_paise),
                "right",
                style=sign,
            ),
            Column("was", "was", 10, _was, style=lambda one: "warn" if one.kind is None else None),
            Column("transfer", "by", 14, lambda one: one.transfer.value.lower(), priority=1),
            Column("by", "says", 10, lambda one: one.by, priority=2),
            Column("note", "note", 16, lambda one: one.note, flex=True, priority=2),
        ]

    async def read(self) -> PageFigures:
        """All that the books have."""
        one = self._client_id
        whose = [client.id for client in self.desk.clients.all()] if one is None else [one]
        found = await self.desk.history.flows(whose)
        open_ones = sum(flow.kind is None for flow in found)
        lines = [":flows class N KIND says what one was: pay-in, pay-out, dividend, charge, interest, other"]
        if open_ones:
            lines.insert(0, f"{UNCLASSED}: {open_ones}; no return is told until each is")
        name = "the desk" if one is None else self.code(one)
        rows = {flow.number: flow for flow in reversed(found)}
        return PageFigures(f"Flows · {name}", "The newest first", lines, rows)

    def record(self, row: Any) -> Record:
        """A flow, in rupees."""
        return {
            "number": str(row.number),
            "day": row.day.isoformat(),
            "code": self.code(row.client_id),
            "amount": rupees(row.amount_paise),
            "was": _was(row),
            "transfer": row.transfer.value,
            "says": row.by,
            "note": row.note,
        }

    def client_of(self, row: Any) -> int:
        """Whose a row is."""
        return row.client_id


def _was(one: FlowView) -> str:
    return "unclassed" if one.kind is None else one.kind.value.replace("_", " ")
