"""Whom a bulk form is for, and what they have: beside its fields, where there is room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import READY, gate_brief
from screens.frame.pane import Pane
from widgets.livegrid import Column, LiveGrid

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from screens.frame.shell import Shell

EVERY_S = 1.0
"""Seconds between two looks at whom the form is for."""


class FormClients(Pane):
    """The clients chosen in the form, each with its money and what it has of the symbol."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("form-clients")
        self._shell = shell
        self._held: Counter[int] = Counter()
        self._live: Counter[int] = Counter()
        self._looked_at = float("-inf")
        self._of: tuple[str | None, tuple[int, ...]] = (None, ())

    def compose(self) -> ComposeResult:
        """A row a client."""
        yield LiveGrid(
            self._columns(),
            monotonic=self._shell.monotonic,
            markable=False,
            hint="nobody: choose other clients",
            id="form-clients-grid",
        )

    def on_mount(self) -> None:
        """Tab goes on in the fields; these rows are for the eye and the mouse."""
        self.query_one(LiveGrid).can_focus = False

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page, by the mouse."""
        event.stop()
        if isinstance(event.key, int):
            self._shell.open_client(event.key)

    def _columns(self) -> list[Column]:
        desk = self._shell.desk

        def gate(client: int) -> str:
            words = gate_brief(desk.reconcile.readiness(client))
            return "" if words == READY else words

        def name(client: int) -> str:
            return MASK if self._shell.privacy else desk.clients.get(client).name

        def cash(client: int) -> str:
            return MASK if self._shell.privacy else formats.rupees(desk.funds.of(client).available_paise)

        def counted(of: Mapping[int, int]) -> Column:
            title = "holds" if of is self._held else "live"
            return Column(title, title, 7, lambda one: formats.quantity(of[one]) if of[one] else "", "right")

        return [
            Column("code", "code", 6, lambda client: desk.clients.get(client).code),
            Column("name", "client", 10, name, flex=True),
            Column("gate", "gate", 5, gate, style=lambda _: "warn"),
            Column("cash", "available", 9, cash, "right"),
            counted(self._held),
            counted(self._live),
        ]

    def on_frame(self, key: str | None, clients: Sequence[ClientView]) -> None:
        """Show these clients, once a second or when they are others; nothing while unseen."""
        if not self.display or not self.size:
            return
        of = (key, tuple(client.id for client in clients))
        if of == self._of and self._shell.monotonic() - self._looked_at < EVERY_S:
            return
        self._of, self._looked_at = of, self._shell.monotonic()
        self._count(key)
        grid = self.query_one(LiveGrid)
        if grid.shown_keys != of[1]:
            grid.set_rows({client: client for client in of[1]})
        grid.apply(set(of[1]))
        cash = sum(self._shell.desk.funds.of(client).available_paise for client in of[1])
        held = sum(self._held[client] for client in of[1])
        self.set_title(
            f"For {formats.counted(len(clients), 'client')}",
            [
                f"available {MASK if self._shell.privacy else formats.rupees(cash)}",
                f"hold {formats.quantity(held)} sh" if held else "",
            ],
        )

    def _count(self, key: str | None) -> None:
        """What each client has of the symbol, and how many of its orders in it live."""
        desk = self._shell.desk
        self._held.clear()
        self._live.clear()
        for holding in desk.holdings.all() if key else ():
            if holding.key == key:
                self._held[holding.client_id] += holding.quantity
        self._live.update(order.client_id for order in desk.orders.all(live=True) if order.key == key)
