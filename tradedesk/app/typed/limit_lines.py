"""What a typed line about limits does: the panel of them, or one that is set or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.colon.asked import AskedLimit, AskedLimits, AskedLists
from screens.frame.workspace import Framed

if TYPE_CHECKING:
    from tradedesk.app.shell import ShellApp


def about_limits(app: ShellApp, asked: AskedLimit | AskedLimits | AskedLists) -> None:
    """Open a form, a question or a panel. Raises `BadInput` for a list that is none."""
    from screens.limits.limit_card import LimitCard, ask_remove
    from screens.limits.limits_card import LimitsCard
    from screens.limits.lists_card import ListsCard, take_lists

    if isinstance(app.screen, Framed):
        match asked:
            case AskedLimit(wish, removes=True):
                ask_remove(app.screen, wish)
            case AskedLimit(wish):
                app.screen.open_card(LimitCard(wish, asks=not asked.form))
            case AskedLimits(client_id):
                app.screen.open_card(LimitsCard(client_id))
            case AskedLists(name, path, as_of) if path is not None:
                take_lists(app.screen, path, name, as_of)
            case AskedLists(name):
                app.screen.open_card(ListsCard(app.desk.share_lists.find(name).name if name else ""))
