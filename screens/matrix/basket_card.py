"""The form of a basket: its legs as rows of fields, for whom, and how a client's legs go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from data.errors import BadInput
from data.vocabulary import PerClient, Right, Side
from engine.words.formats import MASK, rupees
from engine.words.refusals import refusal_words
from engine.words.trading.baskets import orders_words
from screens.bulk.whom import whom
from screens.frame.commands import bindings
from screens.frame.dock import Card, is_short
from screens.frame.shell import HasRights, Here
from screens.matrix.draft import BasketDraft, first_leg, intent_for
from screens.matrix.leg_row import HEADS, LegRow
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.planning.intent import Intent, Selection

ROWS = 11
"""Lines of the form; legs beyond those that it shows scroll."""

TOGETHER = {"ALL OR NONE": PerClient.ALL, "IN ORDER": PerClient.IN_ORDER}
"""How a client's legs go together, by the words of the choice."""

SAVED = "saved baskets"
"""The one word of the stop that leads to them."""

BRIEF_KEYS = "Tab field  Insert leg  ←→ choose  @ last price  Enter plan  Esc close, kept"
"""Those of the form where its line of keys has no room: they stand where a problem would."""

KEYS = (
    "Tab field  Insert leg  Delete takes out  F5 saved  ←→ choose  @ last price  Enter plan  Esc close, kept"
)

PREVIEW_EVERY_S = 2.0
"""Seconds between two looks that only the prices ask for; what is typed is looked at with the next frame."""


class LegRows(Vertical, can_focus=False):
    """The legs; those that have no room scroll as the focus goes to them."""


class BasketCard(HasRights, Card["Intent"]):
    """Takes the legs of a basket; Enter in any field asks for its plan, and nothing is sent before an answer.

    What is typed stands in the draft that the card was opened with, so that closing it loses nothing.
    """

    TITLE_WORDS = "Basket"
    rights: ClassVar[Mapping[str, Right]] = dict.fromkeys(("add_here", "remove_here"), Right.PLAN)
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("watch.add", "watch.remove", "price.last", "intent.presets"),
        Binding("down", "other_leg(1)", "next leg", show=False, id="leg.next"),
        Binding("up", "other_leg(-1)", "previous leg", show=False, id="leg.previous"),
    ]

    def __init__(self, draft: BasketDraft, open_saved: Callable[[BasketCard], None]) -> None:
        """`open_saved` lays the list of saved baskets over the card."""
        super().__init__()
        self.draft = draft
        self.rows = ROWS
        self._open_saved = open_saved
        self._whom: dict[str, Selection | None] = {}
        self._complaint = ""
        self._asked = False
        self._looked_at = float("-inf")
        self._outdated, self._looking = True, False

    def compose(self) -> ComposeResult:
        """The legs under their heads, what is one for all of them, and what it comes to."""
        with Horizontal(classes="leg heads"):
            for name, words in HEADS.items():
                yield SteadyStatic(words, classes=name)
        yield LegRows(*(LegRow(self.desk, leg) for leg in self.draft.legs))
        with Horizontal(classes="row"):
            yield SteadyStatic("clients")
            yield ChoiceField([""], id="clients")
            yield SteadyStatic("legs of a client", classes="label")
            yield ChoiceField(list(TOGETHER), id="together")
            yield ChoiceField([SAVED], id="saved")
        yield SteadyStatic(id="comes-to")
        yield KeyHint(id="problem")
        yield KeyHint(KEYS, classes="keys")

    @property
    def _legs(self) -> list[LegRow]:
        return [row for row in self.query_one(LegRows).query(LegRow) if not row.leaving]

    @property
    def _at(self) -> int:
        """The place of the leg with the focus, that of the last one where none has it."""
        places = [place for place, row in enumerate(self._legs) if row.focused_field is not None]
        return places[0] if places else len(self._legs) - 1

    def _choice(self, name: str) -> ChoiceField:
        return self.query_one(f"#{name}", ChoiceField)

    # Beginning

    def on_mount(self) -> None:
        """As the draft stands."""
        self.run_worker(self.desk.market.read_names(), exit_on_error=False)
        found = whom(self.desk, Side.BUY, self.draft.marked, (), self.draft.given)
        self._whom = found.options
        self._choice("clients").set_options(list(found.options), found.first)
        self._show_together()

    def _show_together(self) -> None:
        self._choice("together").value = next(
            word for word, how in TOGETHER.items() if how is self.draft.per_client
        )

    def begin(self) -> None:
        """In the first leg that is not said yet."""
        self._focus_open()
        self._paint()

    def _focus_open(self) -> None:
        rows = self._legs
        row = next((row for row in rows if row.typed.key is None), rows[0])
        row.focus_field("symbol" if row.typed.key is None else "value")

    async def fill(self) -> None:
        """Show the draft anew, as after another basket was opened into it."""
        legs = self.query_one(LegRows)
        for row in self._legs:
            row.leaving = True
        await legs.remove_children()
        await legs.mount_all(LegRow(self.desk, leg) for leg in self.draft.legs)
        self._show_together()
        self._asked = False
        self._focus_open()
        self._touched()

    # What the trader does

    def on_leg_row_touched(self, event: LegRow.Touched) -> None:
        """Keep it, and look at it with the next frame."""
        event.stop()
        self._touched(event.complaint)

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Clients, and how the legs of one go together."""
        event.stop()
        self._touched()

    def _touched(self, complaint: str = "") -> None:
        self._complaint, self._outdated = complaint, True
        self.draft.legs = [row.typed for row in self._legs]
        self.draft.per_client = TOGETHER[self._choice("together").value]
        self.draft.given = self._whom.get(self._choice("clients").value)
        self._paint()

    def on_leg_row_go_on(self, event: LegRow.GoOn) -> None:
        """Enter asks for the plan."""
        event.stop()
        self._ask()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Enter asks for the plan; on the stop it leads to the saved baskets."""
        event.stop()
        if event.field.id == "saved":
            self.action_presets()
        else:
            self._ask()

    def _ask(self) -> None:
        """Close with the intent, or go to the field in which something is wrong."""
        self._touched()
        self._asked = True
        try:
            intent = self._intent()
        except BadInput as bad:
            self._complaint = str(bad)
            self._focus_wrong()
            self._paint()
        else:
            self.close(intent)

    def _intent(self) -> Intent:
        return intent_for(self.draft.made(self.desk), self.draft.per_client, self.draft.given)

    def _focus_wrong(self) -> None:
        for row in self._legs:
            problem = self._problem_of(row)
            if problem is not None:
                row.focus_wrong(problem)
                return
        self._focus_open()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What is wrong with a leg is said while the focus is in it."""
        self._paint()

    # Legs

    async def action_add_here(self) -> None:
        """A leg more, behind the one with the focus and of its side."""
        rows = self._legs
        at = rows[self._at]
        row = LegRow(self.desk, first_leg(at.typed.side))
        await self.query_one(LegRows).mount(row, after=at)
        row.focus_field("symbol")
        self._touched()

    async def action_remove_here(self) -> None:
        """The leg with the focus; of the last one only what stands in it."""
        rows, place = self._legs, self._at
        gone, side = rows[place], rows[place].typed.side
        if len(rows) == 1:
            await self.query_one(LegRows).mount(LegRow(self.desk, first_leg(side)))
        name = "symbol" if len(rows) == 1 else gone.focused_field or "symbol"
        gone.leaving = True
        left = self._legs
        left[min(place, len(left) - 1)].focus_field(name)
        await gone.remove()
        self._touched()

    def action_other_leg(self, step: int) -> None:
        """The same field of the leg above or below."""
        rows, place = self._legs, self._at
        name = rows[place].focused_field
        if name is not None and 0 <= place + step < len(rows):
            rows[place + step].focus_field(name)

    def key_words(self, action: str) -> str | None:
        """What is saved of the form are baskets."""
        return "saved" if action == "presets" else None

    def action_presets(self) -> None:
        """The saved baskets: one is opened, or the legs are kept under a name."""
        self._touched()
        self._open_saved(self)

    def action_last_price(self) -> None:
        """A LIMIT leg at the last price."""
        if not self._legs[self._at].take_last_price():
            self.shell.say("no price yet", "warning")

    # Showing

    def _problem_of(self, row: LegRow) -> BadInput | None:
        """What is wrong with a leg: what is missing counts once its plan was asked for."""
        typed = row.typed
        if typed.is_blank:
            return None
        try:
            typed.leg(self.desk)
        except BadInput as bad:
            missing = typed.key is None or not str(bad.value or "").strip()
            return bad if self._asked or not missing else None
        return None

    def on_frame(self) -> None:
        """What it would come to at the price now, and in how far that moved."""
        now = self.shell.monotonic()
        if not self._looking and (self._outdated or now - self._looked_at >= PREVIEW_EVERY_S):
            self._looked_at, self._outdated, self._looking = now, False, True
            self.run_worker(self._look(), exit_on_error=False)

    async def _look(self) -> None:
        words = ""
        try:
            from engine.planning.by_client import clients_of

            plan = await self.desk.plans.preview(self._intent())
            reserve = MASK if self.shell.privacy else f"₹{rupees(plan.reserve_paise)}"
            words = f"at the price now {orders_words(plan, clients_of(plan))} · reserve {reserve}"
        except BadInput:
            pass  # said in the field's own line
        except Exception as problem:
            words = refusal_words(problem) or type(problem).__name__
        finally:
            self._looking = False
            if self.is_attached:
                self.query_one("#comes-to", SteadyStatic).update(Content(plain(words)))

    def title(self) -> str:
        """How many legs, and the name under which they are saved."""
        said = len(self.draft.said)
        legs = f"{said} {'leg' if said == 1 else 'legs'}"
        return f"BASKET {self.draft.name} · {legs}" if self.draft.name else f"BASKET · {legs}"

    def _paint(self) -> None:
        if not (self.is_mounted and self.is_attached and self._legs):
            return
        problems = [self._problem_of(row) for row in self._legs]
        for place, (row, problem) in enumerate(zip(self._legs, problems, strict=True)):
            row.show(place + 1, problem)
        at = self._at
        place, said = (
            (at, problems[at])
            if problems[at]
            else next(((place, bad) for place, bad in enumerate(problems) if bad), (at, None))
        )
        words = self._complaint or (f"leg {place + 1} {said}" if said is not None else "")
        line = self.query_one("#problem", KeyHint)
        line.set_class(bool(words), "-wrong")
        line.update(Content(plain(words) or (BRIEF_KEYS if is_short(self.screen) else "")))

    def here(self) -> Here:
        """The symbol of the leg with the focus."""
        return Here(key=self._legs[self._at].typed.key)
