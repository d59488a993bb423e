"""The certificate of a halt: what was cancelled, what money came back, and the typed way to go on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input

from data.home import halt_file
from data.vocabulary import HaltScope, HaltStrength
from engine.events import Event, HaltChanged
from engine.halt.booked import FILE_ONLY
from engine.words import formats
from engine.words.certificates import (
    absent_words,
    desk_words,
    end_words,
    read_words,
    row_words,
    standing_words,
    strength_words,
    survivor_words,
    unknown_words,
    unread_words,
)
from engine.words.formats import MASK
from engine.words.forms import wrong_answer
from engine.words.refusals import refusal_words
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.records import certificate_record
from screens.frame.shell import Table
from screens.frame.times import market_time
from screens.frame.workspace import Dialog
from widgets.answerfield import AnswerField
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from datetime import datetime

    from engine.book.watched.guard_views import GuardView
    from engine.halt.certificate import Certificate, CertificateLine

RESUME = "resume"
"""The word that lets orders go out again."""


SHOWN_UNREAD = 2
"""Clients that were not read, named one by one; the rest is counted."""

SHOWN_ABSENT = 5
"""Codes of clients who were not signed in."""

SHOWN_EXTERNAL = 3
"""External orders named one by one; the rest is counted."""


def _seconds(value: float | None) -> str:
    """Seconds after the halt, such as `0.04s`."""
    return formats.DASH if value is None else f"{value:.2f}s"


class CertificateScreen(Dialog[None]):
    """Opens by itself after F9 F9 and follows the halt until nothing is live. F9 F9 works here too."""

    CSS_PATH = Path(__file__).with_name("halt.tcss")
    AUTO_FOCUS = "AnswerField Input"
    TITLE_WORDS = "Certificate of a halt"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("copy", "file")]

    def __init__(self, number: int | None = None, after: int = 0) -> None:
        """The halt of that number, else the latest; with `after` only one later than that counts."""
        super().__init__()
        self._number = number
        self._after = after
        self._rows: dict[int, CertificateLine] = {}

    def compose_body(self) -> ComposeResult:
        """The summary, a line a client, and the answer."""
        with Pane("certificate-pane", hint="t to file  c copy  Esc back"):
            yield SteadyStatic(id="summary")
            yield LiveGrid(
                self._columns(),
                monotonic=self.shell.monotonic,
                markable=False,
                hint="no order was live",
                id="lines",
            )
            yield SteadyStatic(id="unread")
            yield SteadyStatic(id="external")
            yield SteadyStatic(id="state")
            yield AnswerField(f"type  {RESUME}  and Enter:", monotonic=self.shell.monotonic, id="answer")

    def _columns(self) -> list[Column]:
        def money(field: str):
            return lambda line: MASK if self.shell.privacy else formats.rupees(getattr(line, field))

        def seconds(field: str):
            return lambda line: _seconds(getattr(line, field))

        def number(field: str):
            return lambda line: str(getattr(line, field))

        return [
            Column("code", "code", 6, lambda line: line.code, sort=lambda line: line.code),
            Column(
                "name",
                "client",
                12,
                lambda line: MASK if self.shell.privacy else line.name,
                flex=True,
                most=LINE_CELLS,
                priority=1,
            ),
            Column("cancelled", "cancelled", 9, number("cancelled"), "right"),
            Column("filled", "filled", 6, number("filled"), "right"),
            Column(
                "refused",
                "refused",
                7,
                number("refused"),
                "right",
                style=lambda line: "warn" if line.refused else None,
            ),
            Column("released", "released", 10, money("released_paise"), "right"),
            Column("before", "before", 11, money("available_before_paise"), "right", priority=3),
            Column("now", "avail. now", 11, money("available_now_paise"), "right"),
            Column("first", "sent from", 9, seconds("first_cancel_s"), "right", priority=5),
            Column("last", "to", 6, seconds("last_cancel_s"), "right", priority=5),
            Column("ended", "ended", 6, seconds("ended_s"), "right", priority=4),
            Column("note", "note", 10, lambda line: line.note, style=lambda _: "warn", priority=2),
        ]

    def on_mount(self) -> None:
        """Follow the halt."""
        self.listen(self._desk_event)
        self.redraw()

    def _desk_event(self, event: Event) -> None:
        if isinstance(event, HaltChanged) and self.is_mounted:
            self.redraw()

    def turn_to(self, number: int | None, after: int = 0) -> None:
        """Show another halt's certificate, as in making one."""
        self._number, self._after = number, after
        self.redraw()

    @property
    def _target(self) -> int | None:
        """The number of the halt shown: the one asked for, else the newest that stands, or ever was."""
        if self._number is not None:
            return self._number
        latest, standing = self.desk.halt.latest(), self.desk.halt.active()
        if standing and standing[-1].number == FILE_ONLY:
            return None if self.desk.halt.firing else FILE_ONLY
        newest = standing[-1].number if standing else latest.number if latest else 0
        return newest if newest > self._after else None

    @property
    def _certificate(self) -> Certificate | None:
        return None if self._target is None else self.desk.halt.certificate(self._target)

    @property
    def _guard(self) -> GuardView | None:
        """The guard whose trip fired the halt: no word ends it here, arming that guard again does."""
        views = self.desk.guards.all()
        return next((one for one in views if one.trip and one.trip.halt_number == self._target), None)

    def _ask(self, halted: bool) -> None:
        """Take the word while the halt stands; what is typed after that is no answer to anything."""
        answer = self.query_one("#answer", AnswerField)
        was_asked = not answer.disabled
        answer.display, answer.disabled = halted, not halted
        if was_asked and not halted:
            self.query_one(LiveGrid).focus()
        elif halted and not was_asked:
            answer.query_one(Input).focus()

    def redraw(self) -> None:
        """The certificate as it stands."""
        if not self.is_mounted:
            return
        certificate, target = self._certificate, self._target
        halted = target in {halt.number for halt in self.desk.halt.active()}
        self.query_one(LiveGrid).display = certificate is not None
        self._ask(halted and self._guard is None)
        if certificate is None:
            self.query_one("#summary", SteadyStatic).update(Content(self._without_certificate(halted)))
            self.query_one(Pane).set_title("Certificate")
            self.query_one("#state", SteadyStatic).update("")
            self.query_one("#external").display = self.query_one("#unread").display = False
            return
        self.query_one("#summary", SteadyStatic).update(Content(self._summary(certificate)))
        clients = formats.counted(len(certificate.lines), "client")
        self.query_one(Pane).set_title(f"Certificate of halt {certificate.number}", [clients])
        self._rows = {line.client_id: line for line in certificate.lines}
        grid = self.query_one(LiveGrid)
        grid.set_rows(self._rows)
        unread = self.query_one("#unread", SteadyStatic)
        words = self._unread_words(certificate)
        unread.display = bool(words)
        unread.update(Content(words))
        external = self.query_one("#external", SteadyStatic)
        external.display = bool(certificate.external)
        external.update(Content(self._external_words(certificate)))
        self.query_one("#state", SteadyStatic).update(
            standing_words(certificate.strength, halted, certificate.scope)
        )

    @property
    def _live_words(self) -> str:
        return formats.counted(self.desk.counts().live, "order", "are")

    def _without_certificate(self, halted: bool) -> str:
        halt = self.desk.halt
        unwritten = halt.unwritten if self._number in (None, FILE_ONLY) else None
        if unwritten is not None:
            file = (
                "The HALT file stands: nothing is sent."
                if halt_file(self.desk.home).exists()
                else "NOT HALTED: the HALT file could not be written either; each heartbeat tries again."
            )
            at = market_time(self.desk, unwritten.at)
            first = f"THE HALT COULD NOT BE WRITTEN {at} by {unwritten.by}: {unwritten.why}"
            second = (
                f"{file} The brokers took {unwritten.taken} of {unwritten.orders} cancels; "
                f"{self._live_words} live in the books. F9 F9 repeats it."
            )
            made = unwritten.certificate
            showed = (
                f"By the brokers' own books: {made.cancelled} cancelled, {made.filled_meanwhile} filled, "
                f"{made.unknown} live or unknown. The books here take it up when they can be written."
            )
            unread = unread_words(unwritten.unread, SHOWN_UNREAD)
            lines = (first, second, showed, *unread, *survivor_words(made, self._at, SHOWN_UNREAD))
            return "\n".join(plain(line) for line in lines)
        if self._target == FILE_ONLY and halted:
            by = plain(halt.active()[-1].by)
            return (
                f"The HALT file stands, by {by}; the books know no halt of it. Nothing is sent.\n"
                f"{self._live_words} live in the books. F9 F9 cancels all."
            )
        if halted and (guard := self._guard) is not None:
            return (
                f"HALT {self._target} {standing_words(HaltStrength.REDUCE, stands=True)}\n"
                f"The guard of {plain(guard.of)}, {guard.what.value}, fired it, and it ends as that is armed "
                f"again: :guard, then r."
            )
        if self._after or halted or halt.firing:
            return "HALTING: nothing more is sent, cancels are going out…"
        return "There has been no such halt."

    def _summary(self, certificate: Certificate) -> str:
        def money(paise: int) -> str:
            return MASK if self.shell.privacy else f"₹{formats.rupees(paise)}"

        at = market_time(self.desk, certificate.at)
        stands = any(halt.number == certificate.number for halt in self.desk.halt.active())
        went = f"{read_words(certificate)} · {end_words(certificate, stands)}"
        scope = (
            "" if certificate.scope is HaltScope.EVERYTHING else f" {certificate.scope} {certificate.value}"
        )
        strength = strength_words(certificate.strength)
        first = (
            f"HALT {certificate.number}{scope}{strength} {at} by {certificate.by} · halted first · "
            f"{certificate.cancelled} cancelled {certificate.filled_meanwhile} filled meanwhile "
            f"{certificate.refused} refused {certificate.unknown} unknown"
        )
        last = certificate.last_read_at
        back = formats.DASH if last is None else market_time(self.desk, last)
        second = (
            f"{certificate.unsent_freed} unsent freed · "
            f"released {money(certificate.released_paise)} of {money(certificate.blocked_before_paise)} · "
            f"still blocked in orders {money(certificate.still_blocked_paise)}{self._held_words(money)} · "
            f"last read back {back}, {went}"
        )
        lines = [first, second]
        if certificate.first_cancel_s is not None:
            ended = [line.ended_s for line in certificate.lines if line.ended_s is not None]
            third = (
                f"after the halt: first cancel left {_seconds(certificate.first_cancel_s)}, "
                f"last {_seconds(certificate.last_cancel_s)}"
            )
            lines.append(third + (f", last order ended {_seconds(max(ended))}" if ended else ""))
        return "\n".join(plain(line) for line in lines)

    def _at(self, moment: datetime) -> str:
        return market_time(self.desk, moment)

    def _held_words(self, money: Callable[[int], str]) -> str:
        """What is blocked for other reasons than orders, such as a payout; a halt leaves it."""
        held = self.desk.funds.total(client.id for client in self.desk.clients.all()).held_paise
        return f", {money(held)} held for other reasons" if held else ""

    def _unread_words(self, certificate: Certificate) -> str:
        """Clients whose books were not read, and those who were not signed in."""
        told = [one for one in certificate.unread if one.why]
        lines = [*unread_words(told, SHOWN_UNREAD), *row_words(certificate.unread_rows, SHOWN_UNREAD)]
        lines += [*survivor_words(certificate, self._at, SHOWN_UNREAD), *unknown_words(certificate)]
        lines += desk_words(certificate)
        if certificate.not_signed_in:
            lines.append(absent_words(certificate.not_signed_in, SHOWN_ABSENT))
        return "\n".join(plain(line) for line in lines)

    def _external_words(self, certificate: Certificate) -> str:
        """Orders that this desk had not sent, such as those from a client's own phone."""
        found = certificate.external
        lines = [
            f"not from this desk: {self.desk.clients.get(one.client_id).code} "
            f"{one.side} {formats.quantity(one.quantity)} {one.key.partition(':')[2]} "
            f"{one.broker_order_id}: {one.result}"
            for one in found[:SHOWN_EXTERNAL]
        ]
        if len(found) > SHOWN_EXTERNAL:
            lines.append(f"and {len(found) - SHOWN_EXTERNAL} more; `tradedesk certificate` lists them")
        return "\n".join(plain(line) for line in lines)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """A line a client."""
        row = self._rows.get(grid.cursor_key) if isinstance(grid.cursor_key, int) else None
        record = partial(certificate_record, self.desk, self._number or 0)
        return Table("certificate", tuple(grid.columns), tuple(self._rows.values()), row, record)

    def table(self) -> Table | None:
        """The certificate's lines, wherever the focus is."""
        return self.table_of(self.query_one(LiveGrid)) if self.is_mounted else None

    async def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """The word resumes this halt; the desk checks it again."""
        target = self._target
        event.field.clear()
        if target is None:
            return
        if event.text.casefold() != RESUME:
            self.shell.say(wrong_answer(RESUME, "the desk stays halted"), "refused")
            return
        self.carry_out(self._resume(target))

    async def _resume(self, number: int) -> None:
        try:
            number = await self.desk.halt.resume(number, RESUME, self.desk.actor)
        except Exception as problem:
            self.shell.say(f"resume: {refusal_words(problem)}", "error")
            return
        left = len(self.desk.halt.active())
        if left:
            more = f"{formats.counted(left, 'more halt')} {'stands' if left == 1 else 'stand'}"
            self.shell.say(f"halt {number} resumed; {more}", "warning")
            self.turn_to(None)
        else:
            self.shell.say(f"halt {number} resumed: orders may be sent again")
            if self.is_current:
                self.dismiss(None)
        self.shell.paint_strip()
