"""What a certificate says of those it could not prove anything of; the command line says the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from data.vocabulary import HaltScope, HaltStrength
from engine.words.formats import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from engine.halt.certificate import Certificate, CertificateDesk, CertificateRow, CertificateUnread


def strength_words(strength: HaltStrength) -> str:
    """What may leave under a halt, behind its scope; nothing where none may."""
    return ", reduce only," if strength is HaltStrength.REDUCE else ""


def standing_words(strength: HaltStrength, stands: bool, scope: HaltScope = HaltScope.EVERYTHING) -> str:
    """What a halt that stands lets leave."""
    if not stands:
        return "This halt has been resumed."
    if strength is HaltStrength.REDUCE:
        return "Halted but for what makes a position smaller, which is read again first."
    if scope is HaltScope.DESK:  # it may be another's that is looked at
        return "One desk is halted, with the clients it had: nothing is sent for them until it is resumed."
    return "The desk is halted: nothing is sent. Plans may be made, sending is refused."


def unread_words(unread: Sequence[CertificateUnread], most: int | None = None) -> Iterator[str]:
    """Clients that were not read, with the broker's words, then what is left to do, once for each path."""
    shown = unread if most is None else unread[:most]
    for one in shown:
        tried = f"; {counted(one.tried, 'cancel')} tried, nothing left this machine" if one.tried else ""
        yield f"NOT READ {one.code} {one.name}: {one.why or 'being read'}{tried}"
    if len(shown) < len(unread):
        more = counted(len(unread) - len(shown), "client")
        yield f"and {more} more not read; `tradedesk certificate` lists them"
    for path in dict.fromkeys(path for one in unread for path in one.emergency):
        yield f"to cancel there all the same: {path}"


def row_words(rows: Sequence[CertificateRow], most: int | None = None) -> Iterator[str]:
    """Rows of order books that could not be read, and whether they may be of live orders."""
    shown = rows if most is None else rows[:most]
    for row in shown:
        what = "it may live" if row.may_live else "it has ended"
        yield f"1 row unread {row.code} {row.broker_order_id}: {row.words}; {what}"
    if len(shown) < len(rows):
        yield f"and {counted(len(rows) - len(shown), 'row')} more unread; `tradedesk certificate` lists them"


def survivor_words(
    made: Certificate, when: Callable[[datetime], str], most: int | None = None
) -> Iterator[str]:
    """What a cancel-all leaves alive: orders of other segments and products, GTTs and alerts."""
    if made.passed_over:
        yield f"NOT CANCELLED, not traded here: {counted(len(made.passed_over), 'order')}"
    for one in made.passed_over[:most]:
        yield f"  {one.code} {one.what} {one.side} {one.quantity} {one.tradingsymbol} {one.broker_order_id}"
    at = "" if made.conditionals_at is None else f", looked for at {when(made.conditionals_at)}"
    if made.conditionals:
        yield f"GTTs and alerts at the brokers: {len(made.conditionals)}{at}"
    for one in made.conditionals[:most]:
        yield f"  {one.code} {one.kind} {one.number} {one.what}: {one.result}"
    if made.conditionals_unread:
        why = at or ", they are being read"
        yield f"GTTs and alerts NOT READ{why}: {some_codes(made.conditionals_unread, most)}"
    elif at and not made.conditionals:
        yield f"no GTTs and alerts at the brokers{at}"


def some_codes(codes: Sequence[str], most: int | None) -> str:
    """Codes of clients, and how many more there are than these."""
    shown = codes if most is None else codes[:most]
    more = f" and {counted(len(codes) - len(shown), 'client')} more" if len(shown) < len(codes) else ""
    return f"{', '.join(shown)}{more}"


def read_words(made: Certificate) -> str:
    """How many of the clients in the round were read, and of the others how many could not be yet."""
    if "clients" in made.not_known:
        return "who was read is not known"
    left = len(made.unread)
    parts = [f"{made.clients - left} of {counted(made.clients, 'client')} read"]
    if made.unreachable:
        parts.append(f"{made.unreachable} unreachable")
    if left > made.unreachable:
        parts.append(f"{left - made.unreachable} being read")
    return ", ".join(parts)


def end_words(made: Certificate, stands: bool) -> str:
    """Whether a halt's orders have ended, as the last word of its figures."""
    if made.ended:
        return "ENDED: all were read, nothing is live"
    return "WORKING, reading back until nothing is live" if stands else "NOT ENDED as it was resumed"


NOT_KEPT = {
    "clients": "who was read",
    "unread": "who was read",
    "tried": "cancels of which nothing left",
    "not_signed_in": "who was not signed in",
    "unread_rows": "unread rows",
    "passed_over": "orders passed over",
    "conditionals": "GTTs and alerts",
    "conditionals_unread": "GTTs and alerts",
}
"""What a certificate does not know whose version did not keep it."""


def unknown_words(made: Certificate) -> Iterator[str]:
    """What the version that made the certificate did not keep; none of it may be read as nothing."""
    if made.not_known:
        names = dict.fromkeys(NOT_KEPT[name] for name in made.not_known if name in NOT_KEPT)
        yield f"NOT KNOWN, an earlier version made it: {', '.join(names)}"


def desk_words(made: Certificate) -> Iterator[str]:
    """What became of the halt at each desk, where several share the books; a lone one is told by the rest."""
    if len(made.desks) < 2 and all(one.reached for one in made.desks):
        return
    for one in made.desks:
        ends = f"{counted(one.orders, 'order')}, {one.cancelled} cancelled {one.filled} filled"
        ends += f" {one.unknown} UNKNOWN" if one.unknown else ""
        sent = ""
        if one.first_cancel_s is not None and one.last_cancel_s is not None:
            sent = f", cancels answered {one.first_cancel_s:.2f} to {one.last_cancel_s:.2f} s"
        yield f"{one.name}: {_reached(one)}; {ends}{sent}"


def _reached(one: CertificateDesk) -> str:
    if one.knew_s is not None:
        return f"knew after {one.knew_s:.2f} s"
    return "NOT HEARD of yet" if one.lives else "NOT REACHED, it is not open any more"


def absent_words(codes: Sequence[str], most: int | None = None) -> str:
    """Clients who had no session at the halt, for whom nobody could ask."""
    return f"not signed in at the halt, so nobody asked for them: {some_codes(codes, most)}"
