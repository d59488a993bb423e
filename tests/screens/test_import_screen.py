"""A list of clients taken in on the screen: columns said, rows seen, nothing taken but by typed words."""

from pathlib import Path

import pytest
import xlsxwriter

from data.audit import AuditAction
from screens.clients.screen import ClientsScreen
from screens.importing.column_card import ColumnCard
from screens.importing.screen import ImportScreen
from tests.further import further, further_rows
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.livegrid import LiveGrid

SIZES = [(80, 24), (120, 40), (200, 50)]
ROWS = [
    ["Clients of the desk, Nov"],
    ["UCC", "Client Name", "Corpus", "Family", "Sr No"],
    ["AR77", "Asha Rao", "5 L", "Rao; HNI", 1],
    ["BN78", "[red]Biju Nair", "2,50,000.00", "", 2],
    ["CH79", "Chitra", "1e5", "", 3],
]


def a_list(tmp_path: Path, rows: list[list[object]] = ROWS) -> Path:
    path = tmp_path / "mine.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


async def opened_list(bench: PaperBench, path: Path) -> ImportScreen:
    bench.app.run_command(f'import "{path}"')
    await bench.until(lambda: "IMPORT mine" in bench.text and "reading" not in bench.text)
    assert isinstance(bench.screen, ImportScreen)
    return bench.screen


@pytest.mark.parametrize("size", further(SIZES))
async def test_what_is_yet_to_be_said_is_asked_and_the_rows_are_taken_by_words(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = a_list(tmp_path)
    async with opened_on_paper(tmp_path / "home", size=size) as bench:
        await opened_list(bench, path)
        assert "IMPORT mine.xlsx" in bench.text
        assert "broker" in bench.row("say which column")
        assert "say first which column each is (Enter on it): broker" in bench.text
        await bench.keys("enter")
        assert isinstance(bench.card, ColumnCard)
        await bench.keys("enter")
        await bench.until(lambda: "2 add · 1 refused" in bench.text)
        assert "zerodha for all rows" in bench.text
        assert "3 add" in bench.text
        assert "capital 5,00,000" in bench.text
        assert "type  import 2 without 1  and Enter" in bench.text
        assert not bench.desk.clients.search("AR77"), "a look takes nothing"
        await bench.keys("tab", "u")
        assert "3 add" not in bench.text
        assert "5 refused" in bench.text
        assert "capital: '1e5'" in bench.text
        await bench.keys("u", "tab")
        await bench.type("import 2")
        await bench.keys("enter")
        assert any("import 2 without 1" in told for told in bench.toasts)
        assert not bench.desk.clients.search("AR77")
        await bench.type("import 2 without 1 as rao book")
        await bench.keys("enter")
        await bench.until(lambda: not isinstance(bench.screen, ImportScreen))
        assert "2 added, 0 changed, 0 the same, 1 left out; columns kept as rao book" in bench.toasts
        assert bench.desk.clients.find("BN78").name == "[red]Biju Nair"
        (row,) = await bench.desk.audit.rows(action=AuditAction.CLIENTS_IMPORTED)
        assert row.details["rows_left_out"] == [5]
        await opened_list(bench, path)
        assert "columns kept as rao book" in bench.text
        assert "2 same" in bench.text
        assert "nothing here adds or changes a client" in bench.text


async def test_a_column_is_taken_for_something_else_and_the_rows_follow(tmp_path: Path) -> None:
    rows = [["UCC", "Client Name", "Broker", "Corpus"], ["AR77", "Asha", "zerodha", 5]]
    async with opened_on_paper(tmp_path / "home") as bench:
        screen = await opened_list(bench, a_list(tmp_path, rows))
        assert "code and user id" in bench.text
        grid = screen.query_one("#columns", LiveGrid)
        grid.move_cursor(3)
        await bench.keys("enter")
        assert "COLUMN Corpus" in bench.text
        assert "‹capital›" in bench.text
        await bench.keys("right")
        assert "‹cash›" in bench.text
        await bench.keys("enter")
        await bench.until(lambda: "say first which column each is (Enter on it): capital" in bench.text)


async def test_numbers_for_user_ids_are_asked_about_and_not_guessed(tmp_path: Path) -> None:
    rows = [["UCC", "Client Name", "Broker", "Corpus", "Login Id"], ["AR77", "Asha", "groww", 5, 1042]]
    async with opened_on_paper(tmp_path / "home") as bench:
        screen = await opened_list(bench, a_list(tmp_path, rows))
        assert "0 add · 1 refused" in bench.text
        screen.query_one("#columns", LiveGrid).move_cursor(4)
        await bench.keys("enter", "tab", "right")
        assert "‹as they are›" in bench.text
        await bench.keys("enter")
        await bench.until(lambda: "type  import 1  and Enter" in bench.text)
        assert "numbers as they are" in bench.text


async def test_a_change_shows_before_and_after_with_the_day_it_counts_from(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path / "home") as bench:
        one = bench.desk.clients.find("AM1042")
        head = ["Code", "Name", "Broker", "Login Id", "Capital"]
        rows = [head, [one.code, one.name, one.broker, one.broker_user_id, 900000]]
        await opened_list(bench, a_list(tmp_path, rows))
        assert "capital 1,11,111 → 9,00,000 from 19 Nov" in bench.text
        await bench.keys("tab", "tab")
        await bench.type("import 1")
        await bench.keys("enter")
        await bench.until(lambda: not isinstance(bench.screen, ImportScreen))
        assert bench.desk.clients.find("AM1042").next_capital_paise == 9_00_000_00


@pytest.mark.proof
async def test_under_privacy_no_name_and_no_amount_is_shown(tmp_path: Path) -> None:
    rows = [["Code", "Name", "Broker", "Login Id", "Capital"], ["AR77", "Asha Rao", "zerodha", "DR1", 912345]]
    async with opened_on_paper(tmp_path / "home") as bench:
        await bench.keys("ctrl+o")
        await opened_list(bench, a_list(tmp_path, rows))
        assert "AR77" in bench.text
        assert "Asha" not in bench.text
        assert "9,12,345" not in bench.text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    further_rows(
        [
            ("empty.csv", b"", "give a line of headers"),
            ("bytes.csv", b"code,name\nA1,Zo\xeb\n", "save the file as UTF-8"),
            ("quote.csv", b'code,name\nA1,"x\n', "close the quote"),
            ("no.xlsx", b"PK\x03\x04 nothing", "save it again as .xlsx"),
        ]
    ),
)
async def test_a_file_that_cannot_be_read_says_why_and_leaves_all_as_it_is(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    async with opened_on_paper(tmp_path / "home") as bench:
        await bench.keys("7")
        bench.app.run_command(f"import {path}")
        await bench.until(lambda: any(words in told for told in bench.toasts))
        await bench.until(lambda: isinstance(bench.screen, ClientsScreen))


async def test_the_key_in_workspace_7_opens_the_line_which_completes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_list(tmp_path)
    monkeypatch.chdir(tmp_path)
    async with opened_on_paper(tmp_path / "home") as bench:
        await bench.keys("7", "less_than_sign")
        await bench.type("mi")
        assert "mine.xlsx" in bench.text
        await bench.keys("tab", "enter")
        await bench.until(lambda: isinstance(bench.screen, ImportScreen))
        await bench.keys("escape")
        for line, words in (("import", "give a file"), ("import nothing.csv", "there is no such file")):
            bench.toasts.clear()
            bench.app.run_command(line)
            await bench.settle()
            assert any(words in told for told in bench.toasts), bench.toasts
