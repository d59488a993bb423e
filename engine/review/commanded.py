"""What was done, as the commands that would do the same: read from the audit, whichever way it was done."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from data.audit import AuditAction
from data.records import replace
from data.vocabulary import HaltScope, HaltStrength, LimitTo, PauseReason
from engine.colon.splitting import quoted
from engine.colon.writing import rupees_word
from engine.planning.leg_words import typed_symbol
from engine.rules import SHOWN_DIGITS

if TYPE_CHECKING:
    from engine.review.audit import AuditRow

BY_HAND = "by hand"
"""Why an order is cancelled that a trader named."""


class LoggedCommand(Struct, frozen=True):
    """A command that would do what was done, who did it when and by which way; `seq` is its audit row's.

    One that begins with `tradedesk` is for a shell, any other for the line behind `:`. `changed` says whether
    anything was changed by it; what was not is in no audit, and its `seq` is 0.
    """

    at: datetime
    actor: str
    via: str
    command: str
    seq: int = 0
    changed: bool = True


Code = Callable[[int | None], str]
"""A client's code by its id."""


class _Following(Struct):
    """What earlier rows say of those that follow: orders that a list modifies, and those under a chase."""

    listed: set[int] = field(default_factory=set[int])
    chased: set[int] = field(default_factory=set[int])


def commands_of(rows: Sequence[AuditRow], code: Code) -> list[LoggedCommand]:
    """The commands for rows of the audit, in their order; many cancels of one moment are one."""
    found: list[LoggedCommand] = []
    following = _Following()
    for row in rows:
        command = _command(row, code, following)
        if not command:
            continue
        last = found[-1] if found else None
        if last is not None and _is_more_of(last, row):
            found[-1] = replace(last, command=f"{last.command} {row.order_id}")
            continue
        found.append(LoggedCommand(row.at, row.actor, row.via, command, row.seq))
    return found


def _is_more_of(last: LoggedCommand, row: AuditRow) -> bool:
    """Whether a row tells of one more order of the cancel before."""
    same = (last.at, last.actor) == (row.at, row.actor)
    return same and row.action == AuditAction.CANCEL_REQUESTED and last.command.startswith("cancel ")


def _command(row: AuditRow, code: Code, following: _Following) -> str:
    action = AuditAction(row.action)
    told = row.details
    match action:
        case AuditAction.MODIFIES_ASKED:
            following.listed.update(told["orders"])
        case AuditAction.CHASE_STARTED:
            following.chased.update(told["orders"])
        case AuditAction.CHASE_ENDED:
            following.chased.discard(row.order_id or 0)
            return ""
        case AuditAction.MODIFY_REQUESTED if row.order_id in following.chased | following.listed:
            following.listed.discard(row.order_id or 0)
            return ""
        case _:
            pass
    return _WORDS[action](row, code)


def _shell(*words: object) -> str:
    return " ".join(("tradedesk", *(shlex.quote(str(word)) for word in words)))


def _plan(row: AuditRow, code: Code) -> str:
    return str(row.details.get("line") or f"plan {row.plan_number}")


def _run(row: AuditRow, code: Code) -> str:
    return _shell("bulk", "--confirm", str(row.details["digest"])[: 2 * SHOWN_DIGITS])


def _paused(row: AuditRow, code: Code) -> str:
    return f"pause {row.run_number}" if row.details["reason"] == PauseReason.TRADER.value else ""


def _resumed(row: AuditRow, code: Code) -> str:
    return _shell("run", row.run_number, "resume", "--send", row.details["unsent"])


def _stopped(row: AuditRow, code: Code) -> str:
    return _shell("run", row.run_number, "stop", "--yes")


def _cancelled(row: AuditRow, code: Code) -> str:
    by_hand = row.details["why"] == BY_HAND and row.details["halt"] is None
    return f"cancel {row.order_id}" if by_hand else ""


def _modified(row: AuditRow, code: Code) -> str:
    told = row.details
    words = ["modify", str(row.order_id)]
    words += [] if told["quantity"] is None else [str(told["quantity"])]
    words += [] if told["limit_paise"] is None else [f"@{rupees_word(told['limit_paise'])}"]
    words += [] if told["trigger_paise"] is None else [f"t:{rupees_word(told['trigger_paise'])}"]
    return " ".join(words)


def _many_modified(row: AuditRow, code: Code) -> str:
    told = row.details
    match LimitTo(told["to"]):
        case LimitTo.TICKS:
            to: tuple[object, ...] = ("--ticks", told["ticks"])
        case LimitTo.LAST:
            to = ("--to-last",)
        case LimitTo.PRICE:
            to = ("--to", rupees_word(told["limit_paise"]))
        case LimitTo.CHASE:
            to = ("--chase", rupees_word(told["limit_paise"]))
    return _shell("modify", *told["orders"], *to, "--yes")


def _of(scope: str, value: str, code: Code) -> str:
    return code(int(value)) if scope == HaltScope.CLIENT and value.isdecimal() else value


def _flattened(row: AuditRow, code: Code) -> str:
    scope, value = row.details["scope"], _of(row.details["scope"], row.details["value"], code)
    whom = "desk" if scope == HaltScope.EVERYTHING else f"{scope} {quoted(value)}"
    return f"flatten {whom} {row.details['what']}"


def _flatten_stopped(row: AuditRow, code: Code) -> str:
    return _shell("flatten", "stop", row.details["flatten"])


def _converted(row: AuditRow, code: Code) -> str:
    told = row.details
    of, to = told["from"].casefold(), told["to"].casefold()
    return _shell(
        "convert", code(row.client_id), told["symbol"], of, to, "--quantity", told["quantity"], "--yes"
    )


def _halted(row: AuditRow, code: Code) -> str:
    told = row.details
    words: list[object] = ["cancel-all"]
    if told["scope"] != HaltScope.EVERYTHING:
        words += ["--scope", told["scope"], "--value", _of(told["scope"], told["value"], code)]
    if told.get("strength") == HaltStrength.REDUCE:
        words.append("--reduce-only")
    return _shell(*words, "--yes")


def _halt_resumed(row: AuditRow, code: Code) -> str:
    return _shell("resume", row.details["halt"], "--word", "resume")


def _basket_saved(row: AuditRow, code: Code) -> str:
    words = row.details.get("words")
    return "" if not words else _shell("baskets", "save", row.details["basket"], *str(words).split())


def _basket_removed(row: AuditRow, code: Code) -> str:
    return _shell("baskets", "remove", row.details["basket"])


def _status(row: AuditRow, code: Code) -> str:
    told = row.details
    return _shell("clients", "set", code(row.client_id), "--status", told["to"], "--reason", told["reason"])


def _waived(row: AuditRow, code: Code) -> str:
    told = row.details
    return _shell("gate", "waive", code(row.client_id), told["item"], "--reason", told["reason"])


def _route_retried(row: AuditRow, code: Code) -> str:
    return _shell("routes", "retry", code(row.client_id))


def _adopted(row: AuditRow, code: Code) -> str:
    told = row.details
    return _shell("unknown", "adopt", row.order_id, told["broker_order_id"], "--reason", told["reason"])


def _absent(row: AuditRow, code: Code) -> str:
    return _shell("unknown", "absent", row.order_id, "--reason", row.details["reason"])


def _figures_adopted(row: AuditRow, code: Code) -> str:
    return _shell("reconcile", code(row.client_id), "--adopt", "--reason", row.details["reason"])


def _watched(row: AuditRow, code: Code) -> str:
    off = row.action == AuditAction.WATCHLIST_REMOVED
    symbols, name = [typed_symbol(key) for key in row.details["keys"]], row.details["list"]
    if len(symbols) == 1:
        return f"{'unwatch' if off else 'watch'} {symbols[0]} l:{quoted(name)}"
    return _shell("watchlist", "remove" if off else "add", name, *symbols)


def _list_made(row: AuditRow, code: Code) -> str:
    return _shell("watchlist", "make", row.details["list"])


def _list_renamed(row: AuditRow, code: Code) -> str:
    return _shell("watchlist", "rename", row.details["before"], row.details["list"])


def _list_deleted(row: AuditRow, code: Code) -> str:
    return _shell("watchlist", "delete", row.details["list"])


def _accepted(row: AuditRow, code: Code) -> str:
    told = row.details
    return _shell("instruments", "accept", typed_symbol(told["key"]), "--reason", told["reason"])


_WORDS: Mapping[AuditAction, Callable[[AuditRow, Code], str]] = {
    AuditAction.PLAN_FROZEN: _plan,
    AuditAction.RUN_STARTED: _run,
    AuditAction.RUN_PAUSED: _paused,
    AuditAction.RUN_RESUMED: _resumed,
    AuditAction.RUN_STOPPED: _stopped,
    AuditAction.CANCEL_REQUESTED: _cancelled,
    AuditAction.MODIFY_REQUESTED: _modified,
    AuditAction.MODIFIES_ASKED: _many_modified,
    AuditAction.CHASE_STARTED: _many_modified,
    AuditAction.FLATTEN_STARTED: _flattened,
    AuditAction.FLATTEN_STOPPED: _flatten_stopped,
    AuditAction.CONVERSION_REQUESTED: _converted,
    AuditAction.HALT_FIRED: _halted,
    AuditAction.HALT_RESUMED: _halt_resumed,
    AuditAction.BASKET_SAVED: _basket_saved,
    AuditAction.BASKET_REMOVED: _basket_removed,
    AuditAction.CLIENT_STATUS: _status,
    AuditAction.CLIENT_GATE_WAIVED: _waived,
    AuditAction.CLIENT_ROUTE_RETRIED: _route_retried,
    AuditAction.ORDER_ADOPTED: _adopted,
    AuditAction.ORDER_DECLARED_ABSENT: _absent,
    AuditAction.BREAK_ADOPTED: _figures_adopted,
    AuditAction.WATCHLIST_ADDED: _watched,
    AuditAction.WATCHLIST_REMOVED: _watched,
    AuditAction.WATCHLIST_MADE: _list_made,
    AuditAction.WATCHLIST_RENAMED: _list_renamed,
    AuditAction.WATCHLIST_DELETED: _list_deleted,
    AuditAction.INSTRUMENT_ACCEPTED: _accepted,
}

COMMANDED = frozenset((*_WORDS, AuditAction.CHASE_ENDED))
"""Rows of the audit that are looked at for what was commanded."""

MOST_PARTS = 20
"""Rows that are read for each command that is wanted: a cancel of many orders has a row for each."""
