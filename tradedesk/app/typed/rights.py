"""Which right each key's action and each typed line is for: who lacks it is told before anything opens.

The engine refuses all of it by itself; by this the key line, the help and the palette leave it out, and a key
that is pressed all the same says in one line who may.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from data.vocabulary import Right
from engine.colon.asked import (
    AskedAlert,
    AskedAudit,
    AskedBasket,
    AskedChange,
    AskedGroup,
    AskedImport,
    AskedNote,
    AskedOfClient,
    AskedOfRun,
    AskedOrders,
    AskedPage,
    AskedSignIn,
    AskedToApprove,
    AskedToCancel,
    AskedToConvert,
    AskedToConvertAll,
    AskedToFlatten,
    AskedToSave,
    AskedWatch,
    Numbered,
    OfRun,
)
from screens.frame.shell import HasRights

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from engine.colon.asked import Asked

OF_ACTION: Mapping[str, Right] = {
    **dict.fromkeys(
        (
            *("ticket", "bulk", "again", "affordable", "toggle_mtf", "send_again", "presets", "what_if"),
            *("drop_line", "repair", "note", "put_off", "put_off_until"),
        ),
        Right.PLAN,
    ),
    **dict.fromkeys(("yes", "modify_here", "modify_marked"), Right.SEND),
    **dict.fromkeys(("cancel_here", "cancel_marked", "pause_run"), Right.CANCEL),
    **dict.fromkeys(("take_over", "never_arrived"), Right.SETTLE),
    **dict.fromkeys(("waive", "pause_client"), Right.CLIENTS),
    **dict.fromkeys(("add_here", "remove_here", "move_row", "move_list"), Right.KEEP_LISTS),
    **dict.fromkeys(("log", "verify_audit", "workspace('audit')"), Right.READ_AUDIT),
    "flatten": Right.FLATTEN,
    "halt_press": Right.HALT,
}
"""Actions, where a screen's own `rights` say nothing else of them. All others take no more than a look."""

OF_FORM: Mapping[str, Right] = {
    **dict.fromkeys(("buy", "sell", "basket", "repair", "reverse", "note"), Right.PLAN),
    "flatten": Right.FLATTEN,
    **dict.fromkeys(("convert", "modify"), Right.SEND),
    **dict.fromkeys(("cancel", "pause"), Right.CANCEL),
    "approve": Right.APPROVE,
    **dict.fromkeys(("group", "import"), Right.CLIENTS),
    **dict.fromkeys(("watch", "unwatch"), Right.KEEP_LISTS),
    "audit": Right.READ_AUDIT,
    "resume": Right.RESUME,
}
"""What the first word of a typed line is for; the others have a form that takes no more than a look."""

ON_OWN_PAGE = frozenset(
    {
        *("help", "lock", "quit", "redraw", "freeze", "privacy", "picture", "copy_text", "focus_next"),
        *("next_pane", "turn_look", "sort_by", "flip_sort", "copy_account", "copy_row", "table_file"),
        *("cursor_by", "cursor_page", "cursor_home", "cursor_end", "pan", "halt_press", "stand_down"),
    }
)
"""What a client does on the one page that is theirs, besides leaving what lies over it."""


def right_of_action(node: DOMNode, action: str, given: tuple[object, ...]) -> Right | None:
    """The right that an action of a screen, a card or the app is for; None where a look is enough."""
    own = node.rights if isinstance(node, HasRights) else {}
    named = f"{action}({given[0]!r})" if given else action
    return own.get(action) or OF_ACTION.get(named) or OF_ACTION.get(action)


def right_of_line(asked: Asked) -> Right | None:
    """The right that a typed line is for; None where a look is enough, or its action asks by itself."""
    match asked:
        case AskedOrders() | AskedBasket() | AskedNote():
            return Right.PLAN
        case AskedAlert(do):
            return None if do is None else Right.PLAN
        case AskedOfRun(what):
            return Right.CANCEL if what is OfRun.PAUSE else Right.PLAN
        case AskedToFlatten():
            return Right.FLATTEN
        case AskedToConvert() | AskedToConvertAll() | AskedChange():
            return Right.SEND
        case AskedToCancel():
            return Right.CANCEL
        case AskedOfClient() | AskedGroup() | AskedImport():
            return Right.CLIENTS
        case AskedToSave() | AskedWatch():
            return Right.KEEP_LISTS
        case AskedSignIn():
            return Right.SIGN_CLIENTS_IN
        case AskedToApprove(digest=digest):
            return Right.APPROVE if digest else None
        case AskedAudit() | AskedPage(kind=Numbered.AUDIT_ROW):
            return Right.READ_AUDIT
        case _:
            return None
