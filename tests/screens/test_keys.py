"""How keys reach what they were meant for, and which never do anything alone."""

import itertools
from types import SimpleNamespace

import pytest
from textual import timer
from textual.events import Paste
from textual.widgets import Input

from screens.desk.screen import DeskScreen
from screens.desk.search import FindCard
from screens.frame.cards.confirm import QuitCard
from screens.frame.help import HelpScreen
from screens.frame.routes import WorkspaceName
from tests.screens.bench import Bench, opened
from tradedesk.compose.settings import Settings
from tradedesk.testing import toasts_shown
from widgets.livegrid import LiveGrid


def toasts(bench: Bench) -> list[str]:
    return toasts_shown(bench.app)


async def test_keys_read_in_one_go_reach_the_screen_that_the_first_one_opened() -> None:
    async with opened() as bench:
        await bench.keys("/", "2", "5", "0", "1", apart=0.0001)
        assert isinstance(bench.card, FindCard)
        assert bench.card.query_one(Input).value == "2501"


async def test_a_focus_change_takes_the_keys_behind_it_along() -> None:
    async with opened() as bench:
        clients = bench.screen.query_one("#clients", LiveGrid)
        watch = bench.screen.query_one("#watch", LiveGrid)
        before = clients.cursor_key
        await bench.keys("shift+tab", "j", "j", apart=0.0001)
        assert bench.screen.focused is watch
        assert watch.shown_keys.index(watch.cursor_key) == 2
        assert clients.cursor_key == before


async def test_a_key_gets_through_on_a_machine_that_was_slow_to_begin_its_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A timer of Textual's that begins after its moment never fires."""
    moments = itertools.count()
    async with opened() as bench:
        grid = bench.screen.query_one("#clients", LiveGrid)
        before = grid.cursor_key
        with monkeypatch.context() as slow:
            slow.setattr(timer, "_time", SimpleNamespace(get_time=lambda: next(moments) * 0.01))
            await bench.keys("j")
        assert grid.cursor_key != before


async def test_a_question_forgets_what_was_typed_before_it_was_seen() -> None:
    async with opened() as bench:
        await bench.keys("q", "q", "u", "i", "t", "enter", apart=0.0001)
        assert isinstance(bench.card, QuitCard)
        assert bench.card.query_one(Input).value == ""
        assert bench.app.desk_is_open


async def test_a_raw_paste_outside_a_field_is_ignored_and_said_once() -> None:
    async with opened() as bench:
        await bench.keys(*"bINFYqs2xq/zB", apart=0.001)
        assert isinstance(bench.screen, DeskScreen)
        assert not bench.app.frozen
        assert [toast for toast in toasts(bench) if "pasted" in toast] == [
            "pasted text was ignored: no field has the focus"
        ]
        bench.at += 1
        await bench.keys("slash")
        assert isinstance(bench.card, FindCard), "typing goes on after the paste"


async def test_a_held_key_delivered_in_a_heap_is_no_paste() -> None:
    async with opened() as bench:
        clients = bench.screen.query_one("#clients", LiveGrid)
        await bench.keys(*"jjjjjjjjjjjj", apart=0.001)
        assert clients.shown_keys.index(clients.cursor_key) == 12
        assert toasts(bench) == []


async def test_a_bracketed_paste_counts_only_in_a_field() -> None:
    async with opened() as bench:
        bench.app.post_message(Paste("qBz"))
        await bench.settle()
        assert isinstance(bench.screen, DeskScreen)
        assert len(toasts(bench)) == 1
        await bench.keys("/")
        bench.app.post_message(Paste("INFY"))
        await bench.settle()
        assert bench.card.query_one(Input).value == "INFY"
        assert len(toasts(bench)) == 1


async def test_a_fast_name_in_a_field_is_no_paste() -> None:
    async with opened() as bench:
        await bench.keys("/")
        await bench.keys(*"reliance industries"[:8], *"abcdefgh", apart=0.001)
        assert bench.card.query_one(Input).value == "relianceabcdefgh"


async def test_both_ways_to_quit_ask_and_only_the_word_quits() -> None:
    for key in ("q", "ctrl+q"):
        async with opened() as bench:
            await bench.keys(key)
            assert isinstance(bench.card, QuitCard)
            await bench.keys("y")
            await bench.keys("enter")
            bench.clock.shift(1)
            await bench.keys("enter")
            assert bench.app.desk_is_open, "y is no answer here"
            assert isinstance(bench.card, QuitCard)
            await bench.keys("escape")
            assert isinstance(bench.screen, DeskScreen)
            await bench.keys(key)
            await bench.type("quit")
            await bench.keys("enter")
            await bench.ended()


async def test_ctrl_q_asks_from_a_field_too() -> None:
    async with opened() as bench:
        await bench.keys("/")
        await bench.keys("ctrl+q")
        assert isinstance(bench.card, QuitCard)


async def test_enter_right_after_the_word_does_not_answer() -> None:
    async with opened() as bench:
        await bench.keys("q")
        await bench.keys("q", "u", "i", "t", "enter", apart=0.0001)
        assert bench.app.desk_is_open
        assert any("too fast" in toast for toast in toasts(bench))
        bench.clock.shift(1)
        await bench.keys("enter")
        await bench.ended()


@pytest.mark.proof
async def test_no_single_key_sends_cancels_or_quits() -> None:
    """Every key of the Desk once; none of them calls what cannot be undone."""
    async with opened() as bench:
        called: list[str] = []
        for service, name in (
            ("orders", "cancel"),
            ("runs", "start"),
            ("halt", "fire_now"),
            ("halt", "fire"),
        ):
            setattr(getattr(bench.desk, service), name, lambda *_, name=name, **__: called.append(name))
        every = {key for key in bench.screen.active_bindings if key not in ("ctrl+p",)}
        assert {"q", "f9", "enter", "ctrl+q"} <= every
        for key in sorted(every):
            await bench.keys(key, apart=10)
            await bench.clock.advance(10)
            while len(bench.app.screen_stack) > 1:
                bench.app.pop_screen()
                await bench.settle()
            bench.app.open_workspace(WorkspaceName.DESK)
            await bench.settle()
            assert isinstance(bench.screen, DeskScreen)
            bench.screen.query_one("#clients").focus()
        assert called == []
        assert bench.app.desk_is_open


async def test_help_is_written_from_the_bindings_of_the_screen_below() -> None:
    async with opened() as bench:
        await bench.keys("question_mark")
        assert isinstance(bench.screen, HelpScreen)
        await bench.type("halt")
        assert "press twice: halt the desk" in bench.text
        assert "F9 ctrl+g" in bench.text
        await bench.keys("escape", "escape")
        assert isinstance(bench.screen, DeskScreen)


async def test_g_and_a_letter_go_to_a_workspace_and_another_key_does_not() -> None:
    async with opened() as bench:
        await bench.keys("g", "d", apart=0.1)
        assert isinstance(bench.screen, DeskScreen)
        await bench.keys("g", "slash", apart=0.1)
        assert isinstance(bench.screen, DeskScreen)
        await bench.keys("g", "escape", "slash", apart=0.1)
        assert isinstance(bench.card, FindCard)


async def test_a_pane_is_jumped_to_by_the_letter_that_it_shows_until_the_next_key() -> None:
    async with opened() as bench:
        clients, watch = bench.screen.query_one("#clients"), bench.screen.query_one("#watch")
        await bench.keys("semicolon")
        assert " a Watchlist 1/1 " in bench.text
        assert " s Clients 50 " in bench.text
        await bench.keys("a")
        assert watch.has_focus
        assert " a Watchlist" not in bench.text
        await bench.keys("semicolon", "s")
        assert clients.has_focus
        await bench.keys("semicolon", "escape")
        assert " a Watchlist" not in bench.text
        assert clients.has_focus
        await bench.keys("semicolon", "x")
        assert bench.card is None, "a letter of no pane is no command"
        assert toasts(bench)[-1].startswith("; x: no pane has")


async def test_the_odin_profile_moves_keys() -> None:
    async with opened(prepare=lambda: Settings(keys="odin")) as bench:
        ids = {key: active.binding.id for key, active in bench.screen.active_bindings.items()}
        assert ids["question_mark"] == "help"
        assert ids.get("f1") != "help"
