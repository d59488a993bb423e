"""What was done, as the commands that would do the same: read from the audit, whichever way it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from data.audit import AuditAction
from data.records import replace
from data.vocabulary import AlertKind, FlattenWhat, HaltScope, HaltStrength, LimitTo, PauseReason
from engine.colon.asked import AlertDo
from engine.colon.grammar import ALERTS
from engine.colon.splitting import quoted
from engine.colon.writing import rupees_word
from engine.planning.entry.leg_words import typed_symbol
from engine.review.client_commands import OF_CLIENTS, Code, Command, shell_line, told_as
from engine.review.model_commands import ModelKept, model_kept
from engine.rules import SHOWN_DIGITS

if TYPE_CHECKING:
    from engine.book.audit_views import AuditRow

BY_HAND = "by hand"
"""Why an order is cancelled or modified that a trader named."""


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


def commands_of(rows: Sequence[AuditRow], code: Code) -> list[LoggedCommand]:
    """The commands for rows of the audit, in their order; many cancels of one moment are one."""
    found: list[LoggedCommand] = []
    for row in rows:
        command = _command(row, code)
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


def _command(row: AuditRow, code: Code) -> str:
    return _WORDS[AuditAction(row.action)](row, code)


class _Plan(Struct, frozen=True):
    line: str | None = None


class _Run(Struct, frozen=True):
    digest: str


class _Reason(Struct, frozen=True):
    reason: str


class _Resume(Struct, frozen=True):
    unsent: int


class _Cancel(Struct, frozen=True):
    why: str
    halt: int | None


class _Modify(Struct, frozen=True):
    quantity: int | None
    limit_paise: int | None
    trigger_paise: int | None
    why: str = BY_HAND
    """A list, a chase or a flatten stands in the log by itself."""


class _Limits(Struct, frozen=True):
    orders: tuple[int, ...]
    to: LimitTo
    ticks: int | None = None
    limit_paise: int | None = None
    override: str = ""


class _Flatten(Struct, frozen=True):
    scope: HaltScope
    value: str
    what: FlattenWhat


class _FlattenStop(Struct, frozen=True):
    flatten: int


class _Conversion(Struct, frozen=True):
    symbol: str
    of: str = field(name="from")
    to: str
    quantity: int


class _Halt(Struct, frozen=True):
    scope: HaltScope
    value: str
    strength: HaltStrength = HaltStrength.ALL
    firm: bool = False


class _HaltEnd(Struct, frozen=True):
    halt: int


class _Basket(Struct, frozen=True):
    basket: str
    words: str | None = None


class _Status(Struct, frozen=True):
    to: str
    reason: str


class _Waiver(Struct, frozen=True):
    item: str
    reason: str


class _Locked(Struct, frozen=True):
    segment: str


class _Adoption(Struct, frozen=True):
    broker_order_id: str
    reason: str


class _Watched(Struct, frozen=True):
    keys: tuple[str, ...]
    list: str


class _List(Struct, frozen=True):
    list: str
    before: str = ""


class _Alert(Struct, frozen=True):
    alert: AlertKind
    how_long: str = ""


class _Accepted(Struct, frozen=True):
    key: str
    reason: str


def _plan(row: AuditRow, told: _Plan, code: Code) -> str:
    return told.line or f"plan {row.plan_number}"


def _run(row: AuditRow, told: _Run, code: Code) -> str:
    return shell_line("bulk", "--confirm", told.digest[: 2 * SHOWN_DIGITS])


def _paused(row: AuditRow, told: _Reason, code: Code) -> str:
    return f"pause {row.run_number}" if told.reason == PauseReason.TRADER else ""


def _resumed(row: AuditRow, told: _Resume, code: Code) -> str:
    return shell_line("run", row.run_number, "resume", "--send", told.unsent)


def _stopped(row: AuditRow, code: Code) -> str:
    return shell_line("run", row.run_number, "stop", "--yes")


def _cancelled(row: AuditRow, told: _Cancel, code: Code) -> str:
    return f"cancel {row.order_id}" if told.why == BY_HAND and told.halt is None else ""


def _modified(row: AuditRow, told: _Modify, code: Code) -> str:
    if told.why != BY_HAND:
        return ""
    words = ["modify", str(row.order_id)]
    words += [] if told.quantity is None else [str(told.quantity)]
    words += [] if told.limit_paise is None else [f"@{rupees_word(told.limit_paise)}"]
    words += [] if told.trigger_paise is None else [f"t:{rupees_word(told.trigger_paise)}"]
    return " ".join(words)


def _many_modified(row: AuditRow, told: _Limits, code: Code) -> str:
    price = rupees_word(told.limit_paise or 0)
    to: Mapping[LimitTo, tuple[object, ...]] = {
        LimitTo.TICKS: ("--ticks", told.ticks),
        LimitTo.LAST: ("--to-last",),
        LimitTo.PRICE: ("--to", price),
        LimitTo.CHASE: ("--chase", price),
    }
    beyond = ("--override", told.override) if told.override else ()
    return shell_line("modify", *told.orders, *to[told.to], *beyond, "--yes")


def _of(scope: HaltScope, value: str, code: Code) -> str:
    return code(int(value)) if scope is HaltScope.CLIENT and value.isdecimal() else value


def _flattened(row: AuditRow, told: _Flatten, code: Code) -> str:
    value = quoted(_of(told.scope, told.value, code))
    whom = "desk" if told.scope is HaltScope.EVERYTHING else f"{told.scope} {value}"
    return f"flatten {whom} {told.what}"


def _flatten_stopped(row: AuditRow, told: _FlattenStop, code: Code) -> str:
    return shell_line("flatten", "stop", told.flatten)


def _converted(row: AuditRow, told: _Conversion, code: Code) -> str:
    of, to, quantity = told.of.casefold(), told.to.casefold(), told.quantity
    return shell_line("convert", code(row.client_id), told.symbol, of, to, "--quantity", quantity, "--yes")


def _halted(row: AuditRow, told: _Halt, code: Code) -> str:
    words: list[object] = ["cancel-all"]
    if told.firm:
        words += ["--scope", "firm"]
    elif told.scope not in (HaltScope.EVERYTHING, HaltScope.DESK):
        words += ["--scope", told.scope.value, "--value", _of(told.scope, told.value, code)]
    if told.strength is HaltStrength.REDUCE:
        words.append("--reduce-only")
    return shell_line(*words, "--yes")


def _halt_resumed(row: AuditRow, told: _HaltEnd, code: Code) -> str:
    return shell_line("resume", told.halt, "--word", "resume")


def _basket_saved(row: AuditRow, told: _Basket, code: Code) -> str:
    return "" if not told.words else shell_line("baskets", "save", told.basket, *told.words.split())


def _basket_removed(row: AuditRow, told: _Basket, code: Code) -> str:
    return shell_line("baskets", "remove", told.basket)


def _status(row: AuditRow, told: _Status, code: Code) -> str:
    return shell_line("clients", "edit", code(row.client_id), "--status", told.to, "--reason", told.reason)


def _waived(row: AuditRow, told: _Waiver, code: Code) -> str:
    return shell_line("gate", "waive", code(row.client_id), told.item, "--reason", told.reason)


def _locked(row: AuditRow, told: _Locked, code: Code) -> str:
    return shell_line("kill-switch", "set", code(row.client_id), told.segment)


def _route_retried(row: AuditRow, code: Code) -> str:
    return shell_line("routes", "retry", code(row.client_id))


def _adopted(row: AuditRow, told: _Adoption, code: Code) -> str:
    return shell_line("unknown", "adopt", row.order_id, told.broker_order_id, "--reason", told.reason)


def _absent(row: AuditRow, told: _Reason, code: Code) -> str:
    return shell_line("unknown", "absent", row.order_id, "--reason", told.reason)


def _figures_adopted(row: AuditRow, told: _Reason, code: Code) -> str:
    return shell_line("reconcile", code(row.client_id), "--adopt", "--reason", told.reason)


def _watched(row: AuditRow, told: _Watched, code: Code) -> str:
    off = row.action == AuditAction.WATCHLIST_REMOVED
    symbols = [typed_symbol(key) for key in told.keys]
    if len(symbols) == 1:
        return f"{'unwatch' if off else 'watch'} {symbols[0]} l:{quoted(told.list)}"
    return shell_line("watchlist", "remove" if off else "add", told.list, *symbols)


def _list_made(row: AuditRow, told: _List, code: Code) -> str:
    return shell_line("watchlist", "make", told.list)


def _list_renamed(row: AuditRow, told: _List, code: Code) -> str:
    return shell_line("watchlist", "rename", told.before, told.list)


def _list_deleted(row: AuditRow, told: _List, code: Code) -> str:
    return shell_line("watchlist", "delete", told.list)


def _alert_done(row: AuditRow, told: _Alert, code: Code) -> str:
    return f"{ALERTS} {AlertDo.DONE} {told.alert}"


def _alert_put_off(row: AuditRow, told: _Alert, code: Code) -> str:
    return f"{ALERTS} {AlertDo.LATER} {told.alert} {told.how_long}"


def _accepted(row: AuditRow, told: _Accepted, code: Code) -> str:
    return shell_line("instruments", "accept", typed_symbol(told.key), "--reason", told.reason)


_WORDS: Mapping[AuditAction, Command] = {
    AuditAction.PLAN_FROZEN: told_as(_Plan, _plan),
    AuditAction.RUN_STARTED: told_as(_Run, _run),
    AuditAction.RUN_PAUSED: told_as(_Reason, _paused),
    AuditAction.RUN_RESUMED: told_as(_Resume, _resumed),
    AuditAction.RUN_STOPPED: _stopped,
    AuditAction.CANCEL_REQUESTED: told_as(_Cancel, _cancelled),
    AuditAction.MODIFY_REQUESTED: told_as(_Modify, _modified),
    AuditAction.MODIFIES_ASKED: told_as(_Limits, _many_modified),
    AuditAction.CHASE_STARTED: told_as(_Limits, _many_modified),
    AuditAction.FLATTEN_STARTED: told_as(_Flatten, _flattened),
    AuditAction.FLATTEN_STOPPED: told_as(_FlattenStop, _flatten_stopped),
    AuditAction.CONVERSION_REQUESTED: told_as(_Conversion, _converted),
    AuditAction.HALT_FIRED: told_as(_Halt, _halted),
    AuditAction.HALT_RESUMED: told_as(_HaltEnd, _halt_resumed),
    AuditAction.BASKET_SAVED: told_as(_Basket, _basket_saved),
    AuditAction.BASKET_REMOVED: told_as(_Basket, _basket_removed),
    AuditAction.MODEL_KEPT: told_as(ModelKept, model_kept),
    AuditAction.CLIENT_STATUS: told_as(_Status, _status),
    **OF_CLIENTS,
    AuditAction.CLIENT_GATE_WAIVED: told_as(_Waiver, _waived),
    AuditAction.KILL_SWITCH_SET: told_as(_Locked, _locked),
    AuditAction.CLIENT_ROUTE_RETRIED: _route_retried,
    AuditAction.ORDER_ADOPTED: told_as(_Adoption, _adopted),
    AuditAction.ORDER_DECLARED_ABSENT: told_as(_Reason, _absent),
    AuditAction.BREAK_ADOPTED: told_as(_Reason, _figures_adopted),
    AuditAction.WATCHLIST_ADDED: told_as(_Watched, _watched),
    AuditAction.WATCHLIST_REMOVED: told_as(_Watched, _watched),
    AuditAction.WATCHLIST_MADE: told_as(_List, _list_made),
    AuditAction.WATCHLIST_RENAMED: told_as(_List, _list_renamed),
    AuditAction.WATCHLIST_DELETED: told_as(_List, _list_deleted),
    AuditAction.ALERT_DONE: told_as(_Alert, _alert_done),
    AuditAction.ALERT_PUT_OFF: told_as(_Alert, _alert_put_off),
    AuditAction.INSTRUMENT_ACCEPTED: told_as(_Accepted, _accepted),
}
"""The command of a row, and what its details are read as for it."""

COMMANDED = frozenset(_WORDS)
"""Rows of the audit that are looked at for what was commanded."""

MOST_PARTS = 20
"""Rows that are read for each command that is wanted: a cancel of many orders has a row for each."""
