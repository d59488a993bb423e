"""Tables written from the screen: the rows in view, raw figures, no formula, and the path said."""

import csv
import re
from pathlib import Path

import pytest

from data.home import exports_folder
from data.spreadsheets.tables import read_sheet
from tests.screens.papers import PaperBench, opened_on_paper


async def exported(bench: PaperBench, line: str) -> Path:
    before = len(bench.toasts)

    def told() -> list[str]:
        return [one for one in bench.toasts[before:] if "written to exports/" in one]

    bench.app.run_command(line)
    await bench.until(lambda: bool(told()))
    found = re.search(r"exports/(\S+)", told()[-1])
    assert found is not None
    return exports_folder(bench.desk.home) / found[1]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("workspace", ["1", "7"])
async def test_clients_and_funds_are_those_that_a_filter_leaves_in_view(
    tmp_path: Path, workspace: str
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        everybody = await exported(bench, "export clients")
        assert len(rows_of(everybody)) == 50
        await bench.keys(workspace)
        await bench.keys("f")
        await bench.type("mehta")
        await bench.keys("enter")
        shown = rows_of(await exported(bench, "export clients"))
        assert {row["code"] for row in shown} == {one.code for one in bench.desk.clients.search("mehta")}
        assert any("in view" in told for told in bench.toasts)
        funds = rows_of(await exported(bench, "export funds"))
        assert [row["code"] for row in funds] == [row["code"] for row in shown]
        one = bench.desk.clients.find(funds[0]["code"])
        available = bench.desk.funds.of(one.id).available_paise
        assert funds[0]["available"] == f"{available // 100}.{available % 100:02d}"


async def test_orders_trades_and_the_audit_as_a_workbook(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        (order,) = await bench.rest_orders("RG1008")
        sheet = read_sheet(await exported(bench, "export orders xlsx"))
        assert [cells[0] for _, cells in sheet.rows] == [str(order)]
        await bench.keys("3")
        await bench.settle()
        assert rows_of(await exported(bench, "export orders"))[0]["code"] == "RG1008"
        audit = read_sheet(await exported(bench, "export audit xlsx"))
        assert audit.headers[:3] == ("row", "market time", "at")
        for line, words in (
            ("export trades", "no row of it in view"),
            ("export apples", "give [clients|orders"),
        ):
            bench.app.run_command(line)
            await bench.settle()
            assert any(words in told for told in bench.toasts), bench.toasts


async def test_a_client_named_like_a_formula_is_none_in_the_file(tmp_path: Path) -> None:
    from engine.accounts.client_edit import ClientEdit

    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("RG1008")
        await bench.desk.clients.edit(client, ClientEdit(name="=cmd|' /C calc'!A0"))
        bench.app.open_client(client)
        await bench.settle()
        (row,) = rows_of(await exported(bench, "export clients"))
        assert row["client"] == "'=cmd|' /C calc'!A0"


async def test_the_key_opens_the_line_and_what_has_the_focus_is_written_by_it(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("7", "greater_than_sign")
        await bench.type("xlsx")
        await bench.keys("enter")
        await bench.until(lambda: any("written to exports/gate-" in told for told in bench.toasts))
