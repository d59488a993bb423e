"""Clients changed on the screen: their form, pauses, groups, closing and notes, by keys and typed lines."""

from pathlib import Path

import pytest
from textual.events import Paste
from textual.widgets import Input, Static

from data.audit import AuditAction
from data.vocabulary import ClientStatus, Reason, SizingKind
from screens.clients.client_card import ClientCard
from screens.clients.groups_card import GroupCard, GroupsCard
from screens.clients.pause_card import PauseCard
from screens.clients.screen import ClientsScreen
from screens.frame.cards.confirm import WordsCard
from screens.frame.cards.note import NoteCard
from tests.desks import buy, carry_out
from tests.further import further
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.livegrid import LiveGrid
from widgets.numberfield import NumberField

SIZES = [(80, 24), (120, 40), (200, 50)]


async def at(bench: PaperBench, code: str) -> int:
    """Workspace 7, with the cursor on a client; returns its id."""
    client = bench.client(code)
    await bench.keys("7")
    bench.screen.query_one("#gate", LiveGrid).move_cursor(client)
    await bench.settle()
    return client


async def typed(bench: PaperBench, line: str) -> None:
    bench.app.run_command(line)
    await bench.settle()


@pytest.mark.parametrize("size", further(SIZES))
async def test_the_form_says_what_would_change_and_keeps_it(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened_on_paper(tmp_path, size=size) as bench:
        client = await at(bench, "RG1008")
        before = bench.desk.clients.get(client)
        await bench.keys("e")
        assert isinstance(bench.card, ClientCard)
        assert "nothing changes yet" in bench.text
        bench.card.query_one("#capital", NumberField).value = ""
        await bench.type("900000")
        assert "→ 9,00,000 from 19 Nov" in bench.text
        await bench.keys("enter")
        await bench.until(lambda: bench.card is None)
        now = bench.desk.clients.get(client)
        assert (now.capital_paise, now.next_capital_paise) == (before.capital_paise, 9_00_000_00)
        (row,) = await bench.desk.audit.rows(action=AuditAction.CLIENT_CHANGED)
        assert row.details["before"] == {"capital_paise": before.capital_paise}


async def test_what_cannot_be_taken_is_said_in_the_form_and_nothing_changes(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = await at(bench, "RG1008")
        before = bench.desk.clients.get(client)
        await bench.keys("e")
        await bench.type("x5")
        assert "letters stand in it" in bench.text
        assert isinstance(bench.card, ClientCard)
        await bench.keys("enter", "tab", "enter")
        assert bench.card is not None, "Enter keeps nothing of it, in whichever field"
        await bench.keys("escape")
        assert bench.desk.clients.get(client) == before


async def test_a_client_is_added_and_the_cursor_is_on_it(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("7", "+")
        assert isinstance(bench.card, ClientCard)
        await bench.type("NEW1")
        await bench.keys("tab", "tab")
        await bench.type("N1")
        await bench.keys("tab")
        await bench.type("Nina New")
        await bench.keys("enter")
        assert "capital: '' is not valid; a value is needed" in bench.text
        await bench.keys("tab", "tab")
        await bench.type("100000")
        await bench.keys("enter")
        await bench.until(lambda: bench.card is None)
        assert bench.desk.clients.find("NEW1").capital_paise == 1_00_000_00
        assert "▸NEW1" in bench.text


async def test_p_pauses_until_a_time_and_ends_a_pause_by_a_typed_word(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = await at(bench, "RG1008")
        await bench.keys("p")
        assert isinstance(bench.card, PauseCard)
        await bench.type("08:00")
        assert "give a time ahead" in bench.text
        await bench.keys("ctrl+u")
        await bench.type("14:30")
        assert "no order is sent for it until 18 Nov 14:30" in bench.text
        await bench.keys("enter", "enter")
        assert "give 1 to" in bench.text, "without a reason nothing is paused"
        await bench.type("on a plane")
        await bench.keys("enter")
        await bench.until(lambda: bench.card is None)
        assert bench.desk.clients.get(client).gate is Reason.CLIENT_PAUSED
        assert "pausd" in bench.text
        detail = bench.screen.query_one("#gate-detail", Static).content.plain
        assert "paused until 18 Nov 14:30: on a plane" in detail
        await bench.keys("p")
        assert isinstance(bench.card, WordsCard)
        await bench.type("unpause")
        await bench.keys("enter")
        await bench.until(lambda: not bench.desk.clients.get(client).paused)


async def test_delete_closes_by_a_reason_and_a_word_and_says_what_stands(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = await at(bench, "RG1008")
        await carry_out(bench.desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2, client))
        await bench.keys("delete")
        await bench.until(lambda: any("2 TCS CNC" in told for told in bench.toasts))
        assert bench.card is None, "what stands is said before anything is asked"
        assert bench.desk.clients.get(client).status is ClientStatus.ACTIVE
        await bench.keys("escape")
        other = await at(bench, "RV1012")
        await bench.keys("delete")
        await bench.type("left us")
        await bench.keys("enter")
        await bench.type("close")
        await bench.keys("enter")
        await bench.until(lambda: bench.desk.clients.get(other).status is ClientStatus.CLOSED)
        await bench.pass_time(0.5)
        assert "RV1012" not in bench.text
        assert "gate 46/49" in bench.text


async def test_a_group_by_rule_shows_who_is_in_it_as_it_is_typed(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await typed(bench, "groups")
        assert isinstance(bench.card, GroupsCard)
        await bench.keys("+")
        assert isinstance(bench.card, GroupCard)
        await bench.type("large")
        await bench.keys("tab")
        await bench.type("capital > ")
        assert "give what it is compared with" in bench.text
        await bench.type("1.9L and broker = zerodha")
        found = bench.desk.groups.members_of_rule("capital > 1.9L and broker = zerodha")
        assert f"{len(found)} clients now" in bench.text
        await bench.keys("enter")
        await bench.until(lambda: isinstance(bench.card, GroupsCard))
        assert bench.desk.groups.find("large").client_ids == tuple(found)
        await bench.keys("delete")
        await bench.type("delete")
        await bench.keys("enter")
        await bench.until(lambda: "large" not in bench.desk.clients.groups())


async def test_n_notes_on_what_the_cursor_is_on(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = await at(bench, "RG1008")
        await bench.keys("n")
        assert isinstance(bench.card, NoteCard)
        assert "nothing is noted yet" in bench.text
        await bench.type("wants no tobacco")
        await bench.keys("enter")
        await bench.until(lambda: bench.card is None)
        (order,) = await bench.rest_orders("RG1008")
        await bench.keys("3", "n")
        await bench.type("asked by phone")
        await bench.keys("enter")
        await bench.until(lambda: bench.card is None)
        notes = await bench.desk.notes.of(client_id=client)
        assert [(note.text, note.order_id) for note in notes] == [
            ("wants no tobacco", None),
            ("asked by phone", order),
        ]
        assert "n 1 note" in bench.lines()[-1]
        await bench.keys("n")
        await bench.until(lambda: f"{bench.desk.actor}: asked by phone" in bench.text)
        await bench.keys("escape")
        await bench.keys("enter")
        await bench.until(lambda: "asked by phone" in bench.text)
        await bench.keys("escape")
        await at(bench, "RG1008")
        assert "n 2 notes" in bench.lines()[-1]
        await bench.keys("n")
        await bench.until(lambda: f"on order {order}: asked by phone" in bench.text)
        assert "wants no tobacco" in bench.text


async def test_typed_lines_do_the_same(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        desk, client = bench.desk, bench.client("RG1008")
        await typed(bench, "client RG1008 pause 14:30 on a plane")
        await bench.until(lambda: desk.clients.get(client).paused)
        assert desk.clients.get(client).pause_reason == "on a plane"
        await typed(bench, "client RG1008 edit")
        assert isinstance(bench.card, ClientCard)
        await bench.keys("escape")
        await typed(bench, "group rich = capital > 1L and not paused")
        await bench.until(lambda: "rich" in desk.clients.groups())
        assert client not in desk.groups.find("rich").client_ids
        await typed(bench, "group Fresh + RG1008 AM1042")
        await bench.until(lambda: "Fresh" in desk.clients.groups())
        await typed(bench, "note RG1008 call at noon")
        await bench.until(lambda: "noted on RG1008" in bench.toasts)
        for line, words in (
            ("client RG1008 fly", "add, or CODE edit|pause"),
            ("group rich", "NAME = RULE"),
            ("group rich = captial > 1", "did you mean capital"),
            ("note order x y", "whole number"),
            ("client NOBODY edit", "no client has this code"),
        ):
            bench.toasts.clear()
            await typed(bench, line)
            assert any(words in told for told in bench.toasts), (line, bench.toasts)


BAD = {
    "sql": "x'); DROP TABLE client; --",
    "markup": "[red]boo[/]",
    "marks": "Asha\u202eoaR",
    "nul": "A\x00B",
    "long": "x" * 1_000_000,
    "lookalike": "R\u0410O",
    "formula": "=cmd|' /C calc'!A0",
}


@pytest.mark.parametrize("kind", further(BAD))
async def test_whatever_is_put_into_a_field_of_a_client_is_taken_whole_or_refused(
    tmp_path: Path, kind: str
) -> None:
    text = BAD[kind]
    async with opened_on_paper(tmp_path) as bench:
        client = await at(bench, "RG1008")
        before = bench.desk.clients.get(client)
        for field in ("name", "phone", "groups", "status_reason", "capital", "mtf_limit", "multiplier"):
            await bench.keys("e")
            assert isinstance(bench.card, ClientCard)
            found = bench.card.query_one(f"#{field}")
            found.value = ""  # pyright: ignore[reportAttributeAccessIssue] - each has one
            found.focus()
            await bench.settle()
            bench.app.post_message(Paste(text))
            await bench.settle()
            await bench.keys("enter")
            await bench.pass_time(0.5)
            await bench.keys("escape")
            now = bench.desk.clients.get(client)
            assert now.capital_paise == before.capital_paise
            assert now.next_capital_paise == before.next_capital_paise
            assert (now.mtf_limit_paise, now.multiplier_bps) == (
                before.mtf_limit_paise,
                before.multiplier_bps,
            )
            assert now.name in (before.name, text), "whole or not at all"
            assert now.phone in (before.phone, "", text)
            assert all(len(name) <= 30 and name.isprintable() for name in now.groups)
            assert len(now.status_reason) <= 200
        assert len(bench.desk.clients.all()) == 50
        assert isinstance(bench.screen, ClientsScreen)


async def test_a_figure_that_cannot_be_is_named_with_what_would_be_right(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = await at(bench, "RG1008")
        before = bench.desk.clients.get(client)
        for field, typed, words in (
            ("multiplier", "0", "above 0"),
            ("capital", "5,00", "a comma groups"),
            ("capital", "1.005", "at most two decimals"),
            ("groups", "a,b", "without ; , = and quotes"),
            ("groups", "Family West; Fam\u0456ly", "looks like another letter"),
            ("name", "", "1 to 200 characters"),
        ):
            await bench.keys("e")
            assert isinstance(bench.card, ClientCard)
            found = bench.card.query_one(f"#{field}")
            found.value = typed  # pyright: ignore[reportAttributeAccessIssue] - each has one
            found.focus()
            await bench.settle()
            await bench.keys("enter")
            await bench.until(lambda words=words: words in " ".join(bench.text.replace("│", " ").split()))
            assert bench.card is not None
            assert bench.desk.clients.get(client) == before
            bench.card.close()
            await bench.settle()


async def test_a_minus_is_no_part_of_a_number_and_keeps_the_rest_from_being_one(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await at(bench, "RG1008")
        await bench.keys("e", "ctrl+u")
        await bench.type("-5")
        assert bench.toasts[-1] == "capital -5 is below zero: ctrl+u empties the field"
        assert "✗-5" in bench.text
        assert "→ 5 from 19 Nov" not in bench.text


async def test_a_code_that_is_another_clients_or_none_is_refused(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("7", "+")
        assert isinstance(bench.card, ClientCard)
        values = {"broker_user_id": "U1", "name": "Nina", "capital": "100000"}
        for name, value in values.items():
            bench.card.query_one(f"#{name}").value = value  # pyright: ignore[reportAttributeAccessIssue]
        for code in ("rg1008", "R\u04101008", "1008", "A B", "-x", "x" * 21, "x'); --"):
            bench.card.query_one("#code").value = code  # pyright: ignore[reportAttributeAccessIssue]
            bench.card.query_one("#name").focus()
            await bench.settle()
            await bench.keys("enter")
            await bench.pass_time(0.5)
            assert len(bench.desk.clients.all()) == 50
            assert isinstance(bench.card, ClientCard), f"{code}: it stays open, to be mended"


async def test_names_of_groups_with_blanks_and_letters_of_any_case_are_one_group(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        desk = bench.desk
        await typed(bench, 'group "North  West" + RG1008')
        await bench.until(lambda: "North West" in desk.clients.groups())
        await typed(bench, 'group "north west" + AM1042')
        await bench.until(lambda: len(desk.groups.find("North West").client_ids) == 2)
        assert [name for name in desk.clients.groups() if name.casefold() == "north west"] == ["North West"]
        for name in ("a;b", "x=y", "N\u0410W", "x" * 31):
            before = len(bench.toasts)
            await typed(bench, f'group "{name}" + RG1008')
            await bench.until(lambda before=before: len(bench.toasts) > before)
        assert not {"a;b", "x=y"} & set(desk.clients.groups())


async def test_a_reason_that_cannot_be_waives_pauses_and_closes_nothing(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = await at(bench, "RG1008")
        for until, reason in (("25:00", "x"), ("", "\u202e"), ("2020-01-01", "x"), ("=now()", "x")):
            await bench.keys("p")
            assert isinstance(bench.card, PauseCard)
            bench.card.query_one("#until", Input).value = until
            bench.card.query_one("#pause-reason", Input).value = reason
            bench.card.query_one("#pause-reason", Input).focus()
            await bench.settle()
            await bench.keys("enter")
            await bench.pass_time(0.3)
            assert not bench.desk.clients.get(client).paused
            await bench.keys("escape")
