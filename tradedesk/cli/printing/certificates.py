"""What the commands print of a halt's certificate."""

from functools import partial
from typing import TYPE_CHECKING

from data.vocabulary import HaltScope
from engine.words.certificates import (
    absent_words,
    desk_words,
    read_words,
    row_words,
    strength_words,
    survivor_words,
    unknown_words,
    unread_words,
)
from engine.words.formats import DASH, quantity, rupees
from tradedesk.cli.printing.clocks import clock_words, wall_time
from tradedesk.cli.printing.output import line, table

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.halt.certificate import Certificate


def scope_words(scope: HaltScope, value: str) -> str:
    """What is halted, in words."""
    return "everything" if scope is HaltScope.EVERYTHING else f"{scope.value} {value}"


def print_certificate(desk: "Desk", made: "Certificate", kept: bool = True) -> None:
    """Print a certificate; `kept` is whether a file holds one that the books did not take."""
    _print_sums(desk, made, kept)
    _print_doubts(desk, made)
    for words in desk_words(made):
        line(words)
    if made.lines:
        _print_clients(made)
    if made.external:
        _print_external(desk, made)


def _print_sums(desk: "Desk", made: "Certificate", kept: bool) -> None:
    until = wall_time(desk, made.last_read_at)
    line(clock_words(desk))
    what = scope_words(made.scope, made.value)
    number = f"{made.number} " if made.number else ""
    strength = strength_words(made.strength)
    line(f"HALT {number}{what}{strength} by {made.by} at {wall_time(desk, made.at)}")
    if made.unbooked:
        where = "a file in certificates/ holds it until they do"
        where = where if kept else "no file holds it either, keep what is printed here"
        line(f"the books did not take this as it was made ({made.unbooked}): {where}")
    line(
        f"{made.cancelled} cancelled  {made.filled_meanwhile} filled meanwhile  {made.refused} refused  "
        f"{made.unknown} unknown  {made.unsent_freed} unsent freed"
    )
    line(f"read back: {read_words(made)}")
    line(
        f"released ₹{rupees(made.released_paise)} of ₹{rupees(made.blocked_before_paise)}  "
        f"still blocked ₹{rupees(made.still_blocked_paise)}  last read back {until}"
    )
    if made.first_cancel_s is not None:
        line(
            f"after the halt: first cancel left {_seconds(made.first_cancel_s)}  "
            f"last {_seconds(made.last_cancel_s)}"
        )


def _print_doubts(desk: "Desk", made: "Certificate") -> None:
    """What the reads have not proven, and whose."""
    if made.ended:
        line("ENDED: all were read back, and nothing was live")
    else:
        line("NOT ended: something is live, unknown or unread still; cancel-all may be repeated")
    for words in unread_words(made.unread):
        line(words)
    for words in row_words(made.unread_rows):
        line(words)
    for words in (*survivor_words(made, partial(wall_time, desk)), *unknown_words(made)):
        line(words)
    if made.not_signed_in:
        line(absent_words(made.not_signed_in))


def _print_clients(made: "Certificate") -> None:
    table(
        (
            "code",
            "client",
            ">cancelled",
            ">filled",
            ">refused",
            ">unknown",
            ">tried",
            ">released",
            ">before",
            ">now",
            ">sent from",
            ">to",
            ">ended",
            "",
        ),
        [
            (
                entry.code,
                entry.name,
                quantity(entry.cancelled),
                quantity(entry.filled),
                quantity(entry.refused),
                quantity(entry.unknown),
                quantity(entry.tried),
                rupees(entry.released_paise),
                rupees(entry.available_before_paise),
                rupees(entry.available_now_paise),
                _seconds(entry.first_cancel_s),
                _seconds(entry.last_cancel_s),
                _seconds(entry.ended_s),
                entry.note,
            )
            for entry in made.lines
        ],
    )


def _print_external(desk: "Desk", made: "Certificate") -> None:
    line()
    line("live orders that were not from this desk, such as those from a client's own phone")
    table(
        ("code", "broker's number", "side", ">qty", "symbol", "result"),
        [
            (
                desk.clients.get(one.client_id).code,
                one.broker_order_id,
                one.side,
                quantity(one.quantity),
                one.key.partition(":")[2],
                one.result,
            )
            for one in made.external
        ],
    )


def _seconds(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}s"
