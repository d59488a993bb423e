"""Which workspaces there are, and under which digit, letter and function key."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from msgspec import Struct
from textual.app import App

from screens.frame.commands import Command
from screens.frame.routes import WorkspaceName
from screens.frame.workspace import Workspace
from tradedesk.app.styling import styled_by_now


class WorkspaceEntry(Struct, frozen=True):
    """One workspace: its name, title, keys, and where its class stands (`module:Class`)."""

    name: WorkspaceName
    title: str
    digit: str
    letter: str
    place: str
    function_key: str = ""

    @property
    def available(self) -> bool:
        """Whether its module is installed; without it the keys are absent."""
        return find_spec(self.place.partition(":")[0]) is not None

    def build(self) -> Workspace:
        """The screen, imported by now or here, so that the first frame waits for none."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)()

    def load(self) -> None:
        """Import the screen before it is first asked for, so that its key opens it at once."""
        import_module(self.place.partition(":")[0])

    @property
    def command(self) -> Command:
        """The keys as a command like any other."""
        keys = f"{self.digit},{self.function_key}" if self.function_key else self.digit
        return Command(
            id=f"workspace.{self.name}",
            keys=keys,
            action=f"workspace('{self.name.value}')",
            words=self.name,
            help=f"{self.title} (also g {self.letter})",
            group="Workspaces",
            palette=True,
        )


WORKSPACES = (
    WorkspaceEntry(
        WorkspaceName.DESK,
        "Desk: watchlist, clients, depth, tape",
        "1",
        "d",
        "screens.desk.screen:DeskScreen",
        "f4",
    ),
    WorkspaceEntry(
        WorkspaceName.BULK, "Bulk: one symbol, many clients", "2", "b", "screens.bulk.screen:BulkScreen"
    ),
    WorkspaceEntry(
        WorkspaceName.ORDERS, "Orders of all clients", "3", "o", "screens.orders.screen:OrdersScreen", "f3"
    ),
    WorkspaceEntry(
        WorkspaceName.POSITIONS,
        "Positions by symbol and by client",
        "4",
        "p",
        "screens.positions.screen:PositionsScreen",
    ),
    WorkspaceEntry(
        WorkspaceName.MATRIX,
        "Matrix: baskets of several legs, and what is held, client by client",
        "5",
        "m",
        "screens.matrix.screen:MatrixScreen",
    ),
    WorkspaceEntry(
        WorkspaceName.REBALANCE,
        "Rebalance: models, and how far clients are from them",
        "6",
        "r",
        "screens.rebalance.screen:RebalanceScreen",
    ),
    WorkspaceEntry(
        WorkspaceName.CLIENTS,
        "Clients and the morning gate",
        "7",
        "c",
        "screens.clients.screen:ClientsScreen",
    ),
    WorkspaceEntry(
        WorkspaceName.DAY, "The day's figures and its close", "8", "y", "screens.day.screen:DayScreen"
    ),
    WorkspaceEntry(
        WorkspaceName.AUDIT,
        "Audit: search, and each row's story",
        "9",
        "a",
        "screens.audit.screen:AuditScreen",
    ),
)
"""Every workspace in the order of its digit. A screen needs no more than its row here to be reached."""


OVER_ANY = (
    "screens.frame.cards.command_log",
    "tradedesk.app.typed.colon_commands",
    "screens.frame.cards.commandline",
    "screens.desk.search",
)
"""Modules of what opens over every workspace."""


def without_workspace() -> list[str]:
    """The digits that lead nowhere."""
    taken = {entry.digit for entry in WORKSPACES if entry.available}
    return [digit for digit in "1234567890" if digit not in taken]


def add_workspaces(app: App[Any]) -> None:
    """Have each workspace be made as it is first opened."""
    for entry in WORKSPACES:
        if entry.available:
            app.add_mode(entry.name, styled_by_now(app, entry.build))


def make_workspaces_anew(app: App[Any]) -> None:
    """Forget every workspace with what it showed and what was typed there; none of them may be up."""
    for entry in WORKSPACES:
        if entry.available:
            app.remove_mode(entry.name)
    add_workspaces(app)


def load_workspaces() -> None:
    """Import every screen that there is, and what a key opens over any of them."""
    for entry in WORKSPACES:
        if entry.available:
            entry.load()
    for part in OVER_ANY:
        import_module(part)
