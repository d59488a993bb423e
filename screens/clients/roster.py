"""Whom of the desk's clients the gate is asked about in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.events import ClientsChanged, Event, FundsChanged, SessionsChanged

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from engine.desk import Desk

A_FRAME = 30
"""Clients judged anew in each frame though nothing was heard of them: ages and ends of sessions move."""


class GateRoster:
    """The desk's clients as last read, and of whom something was heard since."""

    def __init__(self) -> None:
        self.known: dict[int, ClientView] = {}
        self._dirty: set[int] = set()
        self._changed = True
        self._turn = 0

    def note(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case ClientsChanged():
                self._changed = True
            case SessionsChanged() | FundsChanged():
                self._dirty |= event.client_ids
            case _:
                pass

    def read(self, desk: Desk) -> bool:
        """Read the clients again where they changed; whether they did."""
        changed, self._changed = self._changed, False
        if changed:
            clients = {client.id: client for client in desk.clients.all()}
            self._dirty |= {one for one, client in clients.items() if client != self.known.get(one)}
            self.known = clients
        return changed

    def due(self) -> set[int]:
        """Whom to judge now: those of whom something was heard, and some of the others in turn."""
        due = (self._dirty & self.known.keys()) | set(self._next_in_turn())
        self._dirty = set()
        return due

    def _next_in_turn(self) -> Sequence[int]:
        ids = list(self.known)
        self._turn = 0 if self._turn >= len(ids) else self._turn
        part = ids[self._turn : self._turn + A_FRAME]
        self._turn += A_FRAME
        return part
