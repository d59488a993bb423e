"""What a typed line about guards does: the form of one, the question that takes one away, or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.guards.asked import GuardWish
from screens.frame.workspace import Framed

if TYPE_CHECKING:
    from engine.guards.asked import GuardOf
    from tradedesk.app.shell import ShellApp


def about_guards(app: ShellApp, guard: GuardWish | GuardOf | None) -> None:
    """Open what a line asks for. Raises `BadInput` for a guard that is not set."""
    from screens.guards.guard_card import GuardCard, ask_arm, ask_off
    from screens.guards.guards_card import GuardsCard

    screen = app.screen
    if not isinstance(screen, Framed):
        return
    if guard is None:
        screen.open_card(GuardsCard())
    elif isinstance(guard, GuardWish):
        app.desk.halt.check_scope(guard.scope, guard.value)
        screen.open_card(GuardCard(guard))
    else:
        view = app.desk.guards.get(guard.scope, guard.value, guard.what)
        (ask_off if guard.off else ask_arm)(screen, view)
