"""The keys that change the client under the cursor, or add one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from data.records import replace
from data.vocabulary import Right
from screens.clients.client_card import ClientCard
from screens.clients.closing import ask_close
from screens.clients.pause_card import ask_pause
from screens.frame.commands import COMMANDS, binding, bindings
from screens.frame.shell import HasRights
from screens.frame.workspace import Workspace

if TYPE_CHECKING:
    from engine.book.views import ClientView


class ChangesClients(HasRights, Workspace, inherit_bindings=True):
    """A workspace whose rows are clients: `e` edits, `p` pauses, `+` adds, Delete closes."""

    rights: ClassVar[Mapping[str, Right]] = {
        **dict.fromkeys(("modify_here", "add_here", "remove_here"), Right.CLIENTS),
        "repair": Right.SIGN_CLIENTS_IN,
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        binding(replace(COMMANDS["order.modify"], words="edit")),
        binding(replace(COMMANDS["run.pause"], action="pause_client")),
        binding(replace(COMMANDS["watch.add"], words="add client")),
        binding(replace(COMMANDS["watch.remove"], words="close client")),
        *bindings("import"),
    ]

    @property
    def client_here(self) -> ClientView | None:
        """The client under the cursor."""
        return None

    def client_added(self, client_id: int) -> None:
        """A client was added here."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a client there is nothing to change."""
        if action in ("modify_here", "pause_client", "remove_here"):
            return self.is_mounted and self.client_here is not None
        return super().check_action(action, parameters)

    def action_modify_here(self) -> None:
        """The form of the client."""
        if (client := self.client_here) is not None:
            self.open_card(ClientCard(client))

    def action_add_here(self) -> None:
        """The form of a client that is to be added."""

        def added(client_id: int | None) -> None:
            if client_id is not None:
                self.client_added(client_id)

        self.open_card(ClientCard(None), added)

    def action_pause_client(self) -> None:
        """Pause the client, or end its pause."""
        if (client := self.client_here) is not None:
            ask_pause(self, client)

    def action_remove_here(self) -> None:
        """Close the client; asks for a reason and a typed word."""
        if (client := self.client_here) is not None:
            ask_close(self, client)
