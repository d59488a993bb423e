"""The server for assistants by the package's own client over stdio: it looks, is audited, cannot trade."""

import json
import sqlite3
import sys
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from data.home import books_file
from tests.desks import paper_desk
from tests.tradedesk.cli_desk import Terminal
from tradedesk.mcp.looks import CannotLook, Looks

TOOLS = {"clients", "funds", "positions", "orders", "runs", "plan", "audit"}


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    at = Terminal(tmp_path / "home")
    assert at.run("init", "--demo").code == 0
    whom = "AM1042,PS1015"
    bought = at.run("bulk", "buy", "TCS", "--quantity", "1", "--clients", whom, "--yes", "--wait", "30")
    assert bought.code == 0
    return at


@asynccontextmanager
async def connected(terminal: Terminal) -> AsyncIterator[Client]:
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "tradedesk.cli", "mcp"], env=terminal.environment
    )
    async with Client(command) as client:
        yield client


async def called(at: Client, tool: str, /, **asked: Any) -> Any:
    result: Any = await at.call_tool(tool, asked)
    assert not result.is_error, result.content
    return json.loads(result.content[0].text)


async def test_its_tools_only_look(terminal: Terminal) -> None:
    async with connected(terminal) as client:
        tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == TOOLS
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)


async def test_what_it_shows_is_what_commands_print(terminal: Terminal) -> None:
    async with connected(terminal) as client:
        funds = await called(client, "funds", client="PS1015")
        orders = await called(client, "orders", client="AM1042")
        runs = await called(client, "runs")
        plan = await called(client, "plan", number=1)
        positions = await called(client, "positions", client="AM1042")
        found = await called(client, "audit", search="action:run_started")
    assert funds == await to_thread(terminal.done, "funds", "--client", "PS1015")
    assert [one["symbol"] for one in orders] == ["TCS"]
    assert [one["number"] for one in runs] == [1]
    assert plan["number"] == 1
    assert "TCS" in json.dumps(positions)
    assert [row["run_number"] for row in found["rows"]] == [1]


async def test_every_call_is_in_the_audit(terminal: Terminal) -> None:
    async with connected(terminal) as client:
        await called(client, "funds", client="PS1015")
        await called(client, "plan", number=1)
    document = await to_thread(terminal.done, "audit", "search", "action:assistant_looked")
    rows = document["rows"]
    assert [row["details"] for row in reversed(rows)] == [
        {"tool": "funds", "asked": {"command": "funds --client=PS1015"}},
        {"tool": "plan", "asked": {"number": 1}},
    ]
    assert {row["actor"] for row in rows} == {"tester"}


async def test_a_wrong_wish_is_an_error_in_words_and_the_server_goes_on(terminal: Terminal) -> None:
    async with connected(terminal) as client:
        for tool, asked, words in (
            ("funds", {"client": "NOBODY"}, "NOBODY"),
            ("plan", {"number": 99}, "no plan has this number"),
            ("audit", {"search": "clint:3"}, "client:"),
        ):
            result: Any = await client.call_tool(tool, asked)
            assert result.is_error
            assert words in result.content[0].text, result.content
        assert await called(client, "runs")


async def test_nothing_that_does_more_than_look_gets_through(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        looks = Looks(desk)
        for words in (
            ("bulk", "buy", "TCS", "--quantity", "1", "--yes"),
            ("cancel-all", "--yes"),
            ("clients", "set", "AM1042", "--status", "inactive"),
            ("watch", "--add", "TCS"),
            ("audit", "accept", "--reason", "x"),
        ):
            with pytest.raises(CannotLook, match="more than look"):
                await looks.command("funds", *words)
        assert desk.orders.all() == []


async def test_an_option_hidden_in_a_value_stays_a_value(terminal: Terminal) -> None:
    async with connected(terminal) as client:
        found = await called(client, "audit", search="run --out=never.csv --limit=1")
        assert found["rows"]
        result: Any = await client.call_tool("funds", {"client": "--help"})
        assert result.is_error
    with sqlite3.connect(books_file(terminal.home)) as books:
        (orders,) = books.execute("SELECT count(*) FROM orders").fetchone()
    assert orders == 2
