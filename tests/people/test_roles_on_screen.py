"""The table of roles by the app: each cell by a key and by a typed line, with the engine's own answers.

One app for all of them, at which one person after another sits down.
"""

from collections.abc import Mapping

import pytest

from data.vocabulary import Right, Role, SizingKind
from engine.colon.grammar import parse
from engine.people.rights import may, roles_with
from engine.words.line_forms import FORMS
from engine.words.refusals import RIGHT_WORDS
from screens.clients.page import ClientScreen
from screens.frame.help import HelpScreen, key_rows
from tests.desks import buy
from tests.further import further
from tests.people.home_of_many import OF_ROLE, THEIRS, password, refusals, sit
from tests.people.test_lock import answer, app_of_many, is_locked
from tests.screens.papers import PaperBench
from tradedesk.app.palette import DeskCommands
from tradedesk.app.typed.colon_commands import known_to, run_line
from tradedesk.app.typed.rights import OF_ACTION, OF_FORM, right_of_line

FIRST = 42
KEYS: Mapping[Right, tuple[str, ...]] = {
    Right.LOOK: ("1", "f6"),
    Right.READ_CLIENTS: ("7",),
    Right.READ_AUDIT: ("9",),
    Right.PLAN: ("1", "b"),
    Right.SIGN_CLIENTS_IN: ("7", "r"),
    Right.SEND: ("3", "e"),
    Right.CANCEL: ("3", "x"),
    Right.CLIENTS: ("7", "plus"),
    Right.FLATTEN: ("1", "f7"),
    Right.HALT: ("1", "f9"),
}
"""Keys that each right is for, from any workspace. What is not here has no key of its own on a screen."""

LINES: Mapping[Right, str] = {
    Right.LOOK: "symbol TCS",
    Right.READ_CLIENTS: "client AM1042",
    Right.READ_AUDIT: "audit order:1",
    Right.KEEP_LISTS: "watch TCS",
    Right.PLAN: "buy TCS 1 AM1042",
    Right.SIGN_CLIENTS_IN: "sign in AM1042",
    Right.SEND: "modify 1 2",
    Right.CANCEL: "cancel 1",
    Right.CLIENTS: "client AM1042 edit",
    Right.FLATTEN: "flatten AM1042 mis",
    Right.GUARD: "guard AM1042 mis loss 2%",
    Right.CLOSE: "close",
    Right.APPROVE: "approve 1 7f3a91c4",
    Right.GUARD: "guard AM1042 loss 50%",
}
"""Lines of the command line that each right is for."""

OF_COMMANDS = {
    *(Right.SET_UP, Right.PEOPLE, Right.SETTLE, Right.RESUME),
    *(Right.READ_FIRM, Right.HALT_FIRM, Right.HAND_OVER),
}
"""What a key or a line opens only where there is something to do of the kind; commands ask for the rest."""


async def come(bench: PaperBench, name: str) -> None:
    """Have somebody sit down at the app in place of who sits there."""
    desk = bench.app.desk
    await desk.signing.sign_out()
    await bench.pass_time(2)
    assert is_locked(bench)
    await answer(bench, name, password(name))
    assert not is_locked(bench), name
    await bench.settle()


def was_refused(bench: PaperBench, name: str, role: Role, right: Right) -> bool:
    """Whether a toast is the refusal of this right, in one line that names it and who has it."""
    words = f"may not {RIGHT_WORDS[right]}: {' or '.join(one.value for one in roles_with(right))} may"
    return any(one.startswith(f"{name} is a") and role.value in one and words in one for one in bench.toasts)


def test_every_right_is_on_a_key_or_is_of_commands():
    assert set(KEYS) | set(LINES) | OF_COMMANDS == set(Right)
    assert set(KEYS) & OF_COMMANDS == set()
    assert {*OF_ACTION.values(), *OF_FORM.values()} <= set(Right)


@pytest.mark.parametrize("role", further([one for one in Role if one is not Role.CLIENT]))
async def test_keys_and_lines_refuse_what_the_table_says_and_nothing_else(tmp_path, role):
    name = OF_ROLE[role]
    async with app_of_many(tmp_path, "tara") as bench:
        desk = bench.app.desk
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, FIRST, limit_paise=2400_00))
        await desk.runs.start(plan, plan.digest)
        await desk.settle()
        if name != "tara":
            await come(bench, name)
        by_key, by_line = set[Right](), set[Right]()
        for right, keys in KEYS.items():
            bench.app.clear_notifications()
            await bench.keys(*keys)
            await bench.settle()
            if was_refused(bench, name, role, right):
                by_key.add(right)
            await bench.keys("escape", "escape")
            await bench.settle()
        for right, line in LINES.items():
            bench.app.clear_notifications()
            run_line(bench.app, line)
            await bench.settle()
            if was_refused(bench, name, role, right):
                by_line.add(right)
            await bench.keys("escape", "escape")
            await bench.settle()
        assert by_key == {right for right in KEYS if not may(role, right)}
        assert by_line == {right for right in LINES if not may(role, right)}
        await desk.settle()
        refused = {right for right in Right if not may(role, right)}
        await sit(desk, "asha")
        told = {Right(one["right"]) for one in await refusals(desk) if one["actor"] == name}
        assert told == refused & (set(KEYS) | set(LINES)), "the audit keeps each"


OF_NOBODY_HERE = {
    "symbol",
    "client",
    "run",
    "plan",
    "order",
    "chart",
    "filter",
    "certificate",
    "sign",
    "theme",
}


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.AUDITOR])
async def test_key_line_help_and_palette_leave_out_what_a_role_may_not(tmp_path, role):
    async with app_of_many(tmp_path, OF_ROLE[role]) as bench:
        helped = " ".join(row.words for row in key_rows(bench.app.screen))
        listed = [line.words for line in DeskCommands(bench.app.screen).entries()]
        offered, line = " ".join(listed), bench.lines()[-1]
        for right, words in (
            (Right.PLAN, "buy one symbol for one client"),
            (Right.FLATTEN, "take positions flat"),
            (Right.HALT, "halt the desk and cancel"),
            (Right.READ_AUDIT, "search, and each row's story"),
        ):
            assert (words in helped, words in offered) == (may(role, right),) * 2, words
        assert ("order" in line) == may(role, Right.PLAN)
        for name, right in OF_FORM.items():
            form = f"{name} {FORMS[name][0]}"
            assert any(one.startswith(form) for one in listed) == may(role, right), name
        assert "a symbol's page" in offered


async def test_a_lines_form_and_the_line_itself_are_for_the_same_right(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        for right, line in LINES.items():
            found = right_of_line(parse(line, known_to(bench.app)))
            name = line.split()[0]
            if name in ("sign", "client"):
                continue  # their forms have lines that everybody may give
            assert found == OF_FORM.get(name), line
            assert found in (right, None), line


async def test_a_client_has_a_page_and_nothing_else(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        desk = bench.app.desk
        for code in ("AM1042", THEIRS):
            client = desk.clients.find(code).id
            plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, client))
            await desk.runs.start(plan, plan.digest)
        await desk.settle()
        await come(bench, "aarav")
        assert isinstance(bench.app.screen, ClientScreen)
        assert any("AM1042" in line for line in bench.lines())
        for keys in (
            *(
                ("1",),
                ("3",),
                ("8",),
                ("9",),
                ("g", "d"),
                ("slash",),
                ("colon",),
                ("ctrl+p",),
                ("f3",),
                ("f6",),
            ),
            *(
                ("b",),
                ("B",),
                ("f7",),
                ("u",),
                ("escape",),
                ("enter",),
                ("exclamation_mark",),
                ("full_stop",),
            ),
            *(("e",), ("x",), ("n",), ("f5",), ("right_curly_bracket",)),
        ):
            await bench.keys(*keys)
            await bench.settle()
            assert isinstance(bench.app.screen, ClientScreen), keys
            assert bench.app.screen.card is None, keys
            assert not any(THEIRS in line for line in bench.lines()), keys
        bench.app.clear_notifications()
        await bench.f9()
        await bench.f9()
        await bench.settle()
        assert desk.halt.active() == []
        assert was_refused(bench, "aarav", Role.CLIENT, Right.HALT)
        for line in ("orders", "audit", "client AM1042", "log", "symbol TCS", "7", "equity", "groups"):
            run_line(bench.app, line)
            await bench.settle()
            assert isinstance(bench.app.screen, ClientScreen), line
        await bench.keys("question_mark")
        assert isinstance(bench.app.screen, HelpScreen)
        helped = " ".join(row.words for row in key_rows(bench.app.screen_stack[0]))
        assert not any(words in helped for words in ("command line", "find a symbol", "Audit", "buy one"))
        await bench.keys("escape", "tab")
        assert isinstance(bench.app.screen, ClientScreen)
        await bench.keys("ctrl+l")
        await bench.settle()
        assert is_locked(bench)


async def test_a_client_who_is_signed_in_already_comes_to_their_page_and_can_leave(tmp_path):
    async with app_of_many(tmp_path, "aarav") as bench:
        assert isinstance(bench.app.screen, ClientScreen)
        seen = "\n".join(bench.lines())
        assert "holdings" in seen
        assert not any(view in seen for view in ("notes", "gate  ", "history"))
        await bench.keys("ctrl+q")
        await bench.settle()
        await bench.type("quit")
        await bench.keys("backspace", "t")
        bench.clock.shift(1)
        await bench.keys("enter")
        await bench.ended()
