"""Companies' actions of the last weeks and to come, and what has become of each, client by client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from data.vocabulary import ActionState
from engine.words import formats
from engine.words.day.actions import STATE_SHORT, STATE_WORDS
from engine.words.formats import counted
from screens.frame.records import rupees
from screens.history.figures import FiguresScreen, PageFigures
from widgets.livegrid import Column

if TYPE_CHECKING:
    from datetime import date

    from engine.corporate.service import ActionView, ClientAction
    from screens.frame.records import Record

_BY_HAND = (ActionState.UNSAID, ActionState.TRADED, ActionState.ADOPTED)


class ActionRow(Struct, frozen=True):
    """What has become of an action for one client."""

    view: ActionView
    one: ClientAction

    @property
    def key(self) -> tuple[str, date, str, int]:
        """Which action it is, and whose."""
        told = self.view.told
        return told.key, told.ex_date, told.purpose, self.one.client_id

    @property
    def state(self) -> ActionState:
        """Where it stands."""
        return self.one.state


class ActionsScreen(FiguresScreen):
    """Of all clients or one; what a person has to do stands out."""

    TITLE_WORDS = "Actions"
    FILE_NAME = "actions"
    NOTHING = "no action is known: tradedesk actions import FILE"

    def __init__(self, client_id: int | None = None) -> None:
        super().__init__()
        self._client_id = client_id

    def columns(self) -> list[Column]:
        """Rows are clients' parts of actions."""
        return [
            Column("ex_date", "ex-date", 11, lambda one: f"{one.view.told.ex_date:%d %b %Y}"),
            Column("symbol", "symbol", 12, lambda one: _symbol(one)),
            Column("code", "code", 8, lambda one: self.code(one.one.client_id)),
            Column("entitled", "held", 8, lambda one: formats.quantity(one.one.entitled), "right"),
            Column("shares", "made", 8, lambda one: formats.quantity(one.one.shares), "right"),
            Column("fraction", "in cash", 8, lambda one: one.one.fraction, "right", priority=2),
            Column(
                "dividend",
                "dividend",
                11,
                self.money(formats.rupees, lambda one: one.one.paise or None),
                "right",
                priority=1,
            ),
            Column("purpose", "what", 24, lambda one: one.view.told.purpose, flex=True),
            Column(
                "state",
                "stands",
                19,
                lambda one: STATE_SHORT[one.state],
                style=lambda one: "warn" if one.state in _BY_HAND else None,
            ),
        ]

    async def read(self) -> PageFigures:
        """All that the books have."""
        one = self._client_id
        whose = [client.id for client in self.desk.clients.all()] if one is None else [one]
        found = await self.desk.company_actions.all(whose)
        held = [view for view in found if view.clients]
        rows = [ActionRow(view, each) for view in held for each in view.clients]
        by_hand = sum(row.state in _BY_HAND for row in rows)
        lines = [f"{counted(len(found), 'action')} known, {len(held)} of shares held here"]
        if by_hand:
            lines.append(f"{counted(by_hand, 'row')} by hand: nothing is booked of it by itself")
        name = "the desk" if one is None else self.code(one)
        keyed = {row.key: row for row in rows}
        return PageFigures(f"Actions · {name}", "Client by client", lines, keyed)

    def record(self, row: Any) -> Record:
        """A client's part, the dividend in rupees."""
        told, one = row.view.told, row.one
        return {
            "ex-date": told.ex_date.isoformat(),
            "symbol": _symbol(row),
            "what": told.purpose,
            "code": self.code(one.client_id),
            "held": str(one.entitled),
            "made": str(one.shares),
            "fraction in cash": one.fraction,
            "dividend": rupees(one.paise),
            "stands": STATE_WORDS[row.state],
        }

    def client_of(self, row: Any) -> int:
        """Whose a row is."""
        return row.one.client_id


def _symbol(row: ActionRow) -> str:
    return row.view.told.key.partition(":")[2]
