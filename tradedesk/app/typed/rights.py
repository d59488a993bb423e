"""Which right each key's action and each typed line is for: who lacks it is told before anything opens.

The engine refuses all of it by itself; by this the key line, the help and the palette leave it out, and a key
that is pressed all the same says in one line who may.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from data.vocabulary import Right
from engine.colon.asked import (
    AlertDo,
    AskedAlert,
    AskedAlertRule,
    AskedAudit,
    AskedBasket,
    AskedCalendar,
    AskedChange,
    AskedClock,
    AskedEvidence,
    AskedGroup,
    AskedGuard,
    AskedImport,
    AskedLimit,
    AskedLists,
    AskedMarket,
    AskedMtf,
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
    MarketDo,
    Numbered,
    OfRun,
)
from engine.colon.records.asked import (
    AskedActionUndo,
    AskedBackup,
    AskedConsent,
    AskedConsentEnd,
    AskedFlowClass,
    AskedProbe,
)
from engine.rebalancing.asked import AskedModels, AskedRebalance, ModelShown
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
    "close_day": Right.CLOSE,
    "halt_press": Right.HALT,
    "halt_firm": Right.HALT_FIRM,
    "move_clock": Right.SET_UP,
}
"""Actions, where a screen's own `rights` say nothing else of them. All others take no more than a look."""

OF_FORM: Mapping[str, Right] = {
    **dict.fromkeys(("buy", "sell", "basket", "rebalance", "repair", "reverse", "note"), Right.PLAN),
    "flatten": Right.FLATTEN,
    "guard": Right.GUARD,
    **dict.fromkeys(("convert", "modify"), Right.SEND),
    **dict.fromkeys(("cancel", "pause"), Right.CANCEL),
    "approve": Right.APPROVE,
    **dict.fromkeys(("group", "import", "limit", "consent"), Right.CLIENTS),
    "backup": Right.SET_UP,
    "probe": Right.SIGN_CLIENTS_IN,
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


OF_LINE: Mapping[type[object], Right] = {
    **dict.fromkeys((AskedOrders, AskedBasket, AskedNote, AskedAlert, AskedAlertRule), Right.PLAN),
    AskedToFlatten: Right.FLATTEN,
    AskedGuard: Right.GUARD,
    AskedLimit: Right.CLIENTS,
    **dict.fromkeys((AskedToConvert, AskedToConvertAll, AskedChange), Right.SEND),
    AskedToCancel: Right.CANCEL,
    **dict.fromkeys((AskedOfClient, AskedGroup, AskedImport), Right.CLIENTS),
    AskedRebalance: Right.PLAN,
    **dict.fromkeys((AskedToSave, AskedWatch, AskedModels), Right.KEEP_LISTS),
    **dict.fromkeys((AskedSignIn, AskedProbe), Right.SIGN_CLIENTS_IN),
    **dict.fromkeys((AskedConsent, AskedConsentEnd), Right.CLIENTS),
    AskedFlowClass: Right.SETTLE,
    AskedActionUndo: Right.SETTLE,
    AskedBackup: Right.SET_UP,
    **dict.fromkeys((AskedAudit, AskedEvidence), Right.READ_AUDIT),
}
"""What a typed line is for by what it asks; a look is enough for all others."""


OF_RUN: Mapping[OfRun, Right] = {
    **dict.fromkeys((OfRun.PAUSE, OfRun.STOP), Right.CANCEL),
    OfRun.RESUME: Right.SEND,
    **dict.fromkeys((OfRun.REPAIR, OfRun.REVERSE), Right.PLAN),
}
"""What doing something with a run by a typed line is for."""


def right_of_line(asked: Asked) -> Right | None:
    """The right that a typed line is for; None where a look is enough, or its action asks by itself."""
    match asked:
        case AskedMtf(accepts=True):
            return Right.SETTLE
        case AskedAlert(do=None | AlertDo.RULES | AlertDo.OUTBOX) | AskedAlertRule(rule=None):
            return None
        case AskedGuard(guard=None) | AskedModels(asked=None | ModelShown()):
            return None
        case AskedOfRun(what):
            return OF_RUN[what]
        case AskedClock(to=to):
            return Right.SET_UP if to else None
        case AskedLists(path=path) | AskedCalendar(path=path) if path is not None:
            return Right.SET_UP
        case AskedMarket(do=MarketDo.HALTED):
            return Right.CANCEL
        case AskedMarket(do=MarketDo.OPEN):
            return Right.RESUME
        case AskedToApprove(digest=digest):
            return Right.APPROVE if digest else None
        case AskedPage(kind=Numbered.AUDIT_ROW):
            return Right.READ_AUDIT
        case _:
            return OF_LINE.get(type(asked))
