"""Fields take the keys that are theirs and leave the rest to the bindings around them."""

from collections.abc import Hashable
from decimal import Decimal
from typing import Any, Self

import pytest
from textual import events
from textual.binding import Binding
from textual.geometry import Region
from textual.pilot import Pilot
from widget_app import Kept, Ticker, WidgetApp

from widgets.answerfield import AnswerField
from widgets.choicefield import ChoiceField
from widgets.numberfield import NumberField
from widgets.steady import SteadyInput
from widgets.symbolinput import SymbolInput


class TicketApp(WidgetApp):
    """Binds what a ticket and the workspaces bind."""

    BINDINGS = [  # noqa: RUF012 - Textual's own form
        Binding("a", "note('affordable')", id="t.a"),
        Binding("m", "note('mtf')", id="t.m"),
        Binding("@", "note('limit')", id="t.at"),
        Binding("1", "note('desk')", id="t.1"),
        Binding(".", "note('again')", id="t.again"),
        Binding("escape", "note('escape')", id="t.escape"),
        Binding("b", "note('buy')", id="t.b"),
    ]


async def test_the_form_s_own_letters_leave_a_number_field_and_digits_do_not() -> None:
    field = NumberField(decimals=2, own_keys="am")
    kept = Kept(NumberField.Changed, NumberField.Submitted)
    app = TicketApp(field)
    async with app.run_test(message_hook=kept) as pilot:
        field.focus()
        await pilot.press("1", "a", "1", "m", ".", "@", "5", "enter")
        await pilot.pause()
        assert app.noted == ["affordable", "mtf", "limit"]
        assert field.value == "11.5"
        assert [m.value for m in kept.messages] == ["1", "11", "11.", "11.5", "11.5"]
        assert "1" not in app.screen.active_bindings
        assert "a" in app.screen.active_bindings
        assert "b" not in app.screen.active_bindings


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("PS1015", "✗PS1015"),
        ("b505", "✗b505"),
        ("12k", "✗12k"),
        ("1e5", "✗1e5"),
        ("am1042", "✗am1042"),
        ("Am1042", "✗Am1042"),
        ("1३", "✗1३"),
    ],
)
async def test_a_letter_freezes_a_number_field_until_ctrl_u(typed: str, shown: str) -> None:
    field = NumberField(decimals=2, own_keys="am")
    kept = Kept(NumberField.Submitted, AnswerField.Ignored)
    app = TicketApp(field, NumberField())
    async with app.run_test(message_hook=kept) as pilot:
        field.focus()
        await pilot.press(*typed)
        assert field.render_line(0).text.strip() == shown
        assert field.frozen
        assert field.number is None
        await pilot.press("7", "up", "pageup", "backspace", "delete", "left", "end", "tab", "shift+tab", "8")
        assert field.value == f"{typed}78"
        assert field.number is None
        noted = list(app.noted)
        await pilot.press("b", "a", "m")
        assert app.noted == noted, "nothing beneath hears a letter of a word"
        await pilot.press("enter")
        await pilot.pause()
        assert {type(m) for m in kept.messages} == {AnswerField.Ignored}
        assert "is no number: ctrl+u empties the field" in kept.messages[-1].why
        await pilot.press("ctrl+u", "3", "0", "enter")
        await pilot.pause()
        assert kept.messages[-1].value == "30"


@pytest.mark.parametrize("pasted", [False, True])
async def test_a_number_below_zero_is_not_the_rest_without_its_minus(pasted: bool) -> None:
    field = NumberField("27", decimals=2, id="modify-limit")
    kept = Kept(NumberField.Submitted, AnswerField.Ignored)
    async with TicketApp(field).run_test(message_hook=kept) as pilot:
        field.focus()
        if pasted:
            field.post_message(events.Paste("-2450"))
        else:
            await pilot.press(*"-2450")
        await pilot.press("enter")
        await pilot.pause()
        assert field.value == "-2450"
        assert field.number is None
        assert kept.messages[-1].why == "limit -2450 is below zero: ctrl+u empties the field"
        assert not [m for m in kept.messages if isinstance(m, NumberField.Submitted)]
        await pilot.press("ctrl+u", "-", "+", "2", "enter")
        await pilot.pause()
        assert kept.messages[-1].value == "2", "a sign alone is told and is no number"


async def test_a_long_number_has_room_or_shows_that_it_is_cut() -> None:
    field = NumberField("1000000")
    field.styles.width = 5
    async with TicketApp(field, NumberField()).run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        assert field.render_line(0).text.strip() == "1000000"
        field.focus()
        await pilot.press("7")
        await pilot.pause()
        assert field.size.width == 5
        field.styles.max_width = 5
        await pilot.press(*"654321")
        await pilot.pause()
        assert field.render_line(0).text.rstrip() == "…321"
        field.blur()
        await pilot.pause()
        assert field.render_line(0).text == "7654…"


async def test_ctrl_u_empties_a_number_field() -> None:
    field = NumberField("1250")
    async with TicketApp(field).run_test() as pilot:
        field.focus()
        await pilot.press("end", "ctrl+u")
        assert field.value == ""


@pytest.mark.parametrize("typed", ["2.5", "1.2.5"])
async def test_no_point_is_dropped_between_digits(typed: str) -> None:
    field = NumberField()
    async with TicketApp(field).run_test() as pilot:
        field.focus()
        await pilot.press(*typed)
        assert field.value == typed, "25 is not what was typed; the owner says what is wrong with it"


async def test_a_number_field_is_edited_in_place() -> None:
    field = NumberField("1250")
    app = TicketApp(field)
    async with app.run_test() as pilot:
        field.focus()
        await pilot.press("home", "delete", "right", "backspace", "end", "9")
        assert field.value == "509"
        assert app.noted == []
        assert field.render_line(0).text.rstrip() == "509"


async def test_what_stood_there_on_entering_is_replaced_by_the_first_digit() -> None:
    field, other = NumberField("1250"), NumberField()
    async with TicketApp(other, field).run_test() as pilot:
        other.focus()
        assert field.render_line(0).text.strip() == "1250"
        await pilot.press("tab", "7", "5")
        assert field.value == "75"
        assert other.render_line(0).text.strip() == "—"


@pytest.mark.parametrize(
    ("start", "step", "decimals", "key", "value"),
    [
        ("2450.52", Decimal("0.05"), 2, "up", "2450.55"),
        ("2450.52", Decimal("0.05"), 2, "down", "2450.50"),
        ("2450.50", Decimal("0.05"), 2, "pageup", "2451.00"),
        ("2,5", Decimal("0.05"), 2, "up", "2,5"),
        ("", 75, 0, "up", "75"),
        ("75", 75, 0, "pageup", "825"),
        ("100", 75, 0, "pagedown", "0"),
    ],
)
async def test_steps_go_to_the_next_tick_or_lot_and_never_below_zero(
    start: str, step: Decimal | int, decimals: int, key: str, value: str
) -> None:
    field = NumberField(start, step=step, decimals=decimals)
    async with TicketApp(field).run_test() as pilot:
        field.focus()
        await pilot.press(key)
        assert field.value == value


async def test_a_paste_into_a_number_field_is_a_number_or_nothing() -> None:
    field = NumberField("5", decimals=2)
    kept = Kept(NumberField.Submitted)
    async with TicketApp(field).run_test(message_hook=kept) as pilot:
        field.focus()
        field.post_message(events.Paste("2,450.50\n"))
        await pilot.pause()
        assert field.value == "2,450.50"
        field.post_message(events.Paste("12 buy"))
        await pilot.pause()
        assert field.frozen
        field.post_message(events.Paste("7"))
        await pilot.pause()
        assert field.frozen, "digits behind letters"
        assert kept.messages == []


async def test_a_choice_goes_round_and_leaves_letters_alone() -> None:
    field = ChoiceField(["CNC", "MTF", "MIS"])
    kept = Kept(ChoiceField.Changed)
    app = TicketApp(field)
    async with app.run_test(message_hook=kept) as pilot:
        field.focus()
        await pilot.press("left", "m", "right", "right")
        await pilot.pause()
        assert [m.value for m in kept.messages] == ["MIS", "CNC", "MTF"]
        assert app.noted == ["mtf"]
        assert field.render().plain == "‹MTF›"
        await pilot.press("M", "I", "S")
        assert field.value == "MIS"
        await pilot.press("M", "S", "C", "n")
        assert field.value == "CNC"
        field.set_options(["MIS", "MTF"], "MTF")
        assert field.value == "MTF"
        with pytest.raises(ValueError, match="CNC"):
            field.value = "CNC"


CLIENTS = [
    ("PS1015", "PS1015 Priya Sharma"),
    ("PS1016", "PS1016 Priya Sharma"),
    ("AM1042", "AM1042 Aarav [b]Mehta"),
]


def suggest(text: str) -> list[tuple[Hashable, str]]:
    """Clients whose label has the text."""
    return [(key, label) for key, label in CLIENTS if text.casefold() in label.casefold()]


async def test_a_symbol_input_offers_and_chooses() -> None:
    field = SymbolInput(suggest)
    kept = Kept(SymbolInput.Chosen)
    app = TicketApp(field, NumberField())
    async with app.run_test(size=(80, 24), message_hook=kept) as pilot:
        field.focus()
        await pilot.press("p", "r", "i", "down", "enter")
        await pilot.pause()
        assert [m.key for m in kept.messages] == ["PS1016"]
        assert (field.text, field.chosen_key) == ("PS1016", "PS1016")
        assert app.noted == []

        await pilot.press("backspace")
        assert field.chosen_key is None
        await pilot.press("escape")
        assert app.noted == []
        await pilot.press("escape")
        assert app.noted == ["escape"]
        await pilot.press("enter")
        await pilot.pause()
        assert len(kept.messages) == 1


async def test_leaving_a_symbol_input_settles_only_a_code_in_full() -> None:
    field, after = SymbolInput(suggest), NumberField()
    async with TicketApp(field, after).run_test(size=(80, 24)) as pilot:
        field.focus()
        await pilot.press("p", "r", "i", "tab")
        await pilot.pause()
        assert field.chosen_key is None
        field.focus()
        await pilot.press(*["backspace"] * 6, *"am1042", "tab")
        await pilot.pause()
        assert field.chosen_key == "AM1042"
        assert field.text == "AM1042"
        assert after.has_focus


async def test_the_mouse_takes_a_suggestion() -> None:
    field = SymbolInput(suggest)
    async with TicketApp(field, NumberField()).run_test(size=(80, 24)) as pilot:
        field.focus()
        await pilot.press("p", "s")
        await pilot.pause()
        await pilot.click(offset=(5, 2))
        await pilot.pause()
        assert field.chosen_key == "PS1016"


class Answering:
    """An answer field with a clock moved by hand."""

    def __init__(self) -> None:
        self.clock = Ticker()
        self.field = AnswerField("type  buy 45  and Enter to send:", monotonic=self.clock)
        self.after = NumberField()
        self.app = TicketApp(self.field, self.after)
        self.kept = Kept(AnswerField.Answered, AnswerField.Ignored)

    def told(self) -> list[str]:
        return [getattr(m, "text", type(m).__name__) for m in self.kept.messages]

    async def type(self, pilot: Pilot[None], text: str, seconds: float = 0.2) -> None:
        for character in text:
            self.clock.seconds += seconds
            await pilot.press("space" if character == " " else character)


async def test_typed_words_and_a_deliberate_enter_answer() -> None:
    answering = Answering()
    async with answering.app.run_test(message_hook=answering.kept) as pilot:
        answering.field.focus()
        await answering.type(pilot, "buy 45")
        answering.clock.seconds += 0.2
        await pilot.press("enter")
        await pilot.pause()
        assert answering.told() == ["buy 45"]
        assert answering.app.noted == []
        await pilot.press("tab")
        assert answering.after.has_focus


async def test_enter_right_after_the_last_character_never_answers_even_when_held() -> None:
    answering = Answering()
    async with answering.app.run_test(message_hook=answering.kept) as pilot:
        answering.field.focus()
        await answering.type(pilot, "buy 45", seconds=0.001)
        answering.clock.seconds += 0.049
        await pilot.press("enter")
        for delay in (0.6, 0.03, 0.03, 0.03):
            answering.clock.seconds += delay
            await pilot.press("enter")
        await pilot.pause()
        assert answering.told() == ["Ignored"]
        answering.clock.seconds += 1
        await pilot.press("enter")
        await pilot.pause()
        assert answering.told() == ["Ignored", "buy 45"]


async def test_a_held_enter_answers_once() -> None:
    answering = Answering()
    async with answering.app.run_test(message_hook=answering.kept) as pilot:
        answering.field.focus()
        await answering.type(pilot, "resume")
        for delay in (0.2, 0.5, 0.03, 0.03):
            answering.clock.seconds += delay
            await pilot.press("enter")
        await pilot.pause()
        assert answering.told() == ["resume"]


async def test_an_enter_held_from_elsewhere_or_a_paste_is_no_answer() -> None:
    answering = Answering()
    async with answering.app.run_test(message_hook=answering.kept) as pilot:
        answering.field.focus()
        await answering.type(pilot, "buy 45")
        answering.after.focus()
        await pilot.pause()
        answering.clock.seconds += 5
        answering.field.focus()
        await pilot.pause()
        answering.clock.seconds += 0.03
        await pilot.press("enter")
        answering.field.clear()
        await pilot.pause()
        pilot.app.focused.post_message(events.Paste("buy 45\n"))  # type: ignore[union-attr]
        await pilot.pause()
        answering.clock.seconds += 1
        await pilot.press("enter")
        await pilot.pause()
        assert answering.told() == ["Ignored"]
        assert answering.field.text == ""


async def test_a_paste_longer_than_a_field_takes_is_told_and_nothing_of_it_stays() -> None:
    field = SteadyInput(max_length=12)
    kept = Kept(SteadyInput.TooLong)
    async with WidgetApp(field).run_test(message_hook=kept) as pilot:
        field.focus()
        for pasted in ("tcs ", "buy 45 of them", "10"):
            field.post_message(events.Paste(pasted))
            await pilot.pause()
        assert (field.value, [told.most for told in kept.messages]) == ("tcs 10", [12])


class WatchedInput(SteadyInput):
    """Counts how often it has the screen laid out."""

    layouts = 0

    def refresh(self, *regions: Region, layout: bool = False, **options: Any) -> Self:
        self.layouts += layout
        return super().refresh(*regions, layout=layout, **options)


async def test_typing_lays_nothing_out_and_a_long_line_is_seen_at_its_end() -> None:
    field = WatchedInput(compact=True)
    field.styles.width = 10
    app = WidgetApp(field)
    async with app.run_test() as pilot:
        field.focus()
        await pilot.pause()
        before = field.layouts
        await pilot.press(*"0123456789abcdef")
        await pilot.pause()
        assert field.layouts == before
        assert "89abcdef" in field.render_line(0).text
        await pilot.press("home")
        await pilot.pause()
        assert "01234567" in field.render_line(0).text
