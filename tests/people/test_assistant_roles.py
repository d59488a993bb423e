"""An assistant's program as each role: within its person's scope, each call audited, nothing written."""

import json
from asyncio import to_thread
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client
from sqlmodel import SQLModel

from data.vocabulary import Right, Role
from engine.people.rights import may
from tests.books import rows_of
from tests.further import further
from tests.people.home_of_many import MINE, OF_ROLE, THEIRS, password
from tests.tradedesk.cli_desk import Terminal
from tradedesk.mcp.server import server_at

TOOLS: Mapping[str, tuple[Mapping[str, Any], Right]] = {
    "clients": ({}, Right.READ_CLIENTS),
    "funds": ({"client": MINE[0]}, Right.READ_CLIENTS),
    "positions": ({}, Right.READ_CLIENTS),
    "orders": ({"live": True}, Right.READ_CLIENTS),
    "runs": ({}, Right.READ_CLIENTS),
    "plan": ({"number": 1}, Right.READ_CLIENTS),
    "audit": ({"search": "action:run"}, Right.READ_AUDIT),
}
KEPT_BY_LOOKING = {"audit", "audit_head", "instance", "counter", "change", "meta"}
"""Tables of the engine's own life; the audit keeps each look."""


@asynccontextmanager
async def connected(home: Terminal, name: str = "") -> AsyncIterator[Client]:
    """The server as somebody who has signed in at the home, or as nobody."""
    signing = ("sign-in", name, "--password-stdin") if name else ("sign-out",)
    signed = await to_thread(home.run, *signing, stdin=password(name) if name else None)
    assert signed.code == 0, signed
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in home.environment.items():
            patch.setenv(variable, value)
        async with server_at(home.home) as server, Client(server) as client:
            yield client


async def asked(client: Client, tool: str, /, **asked: Any) -> tuple[bool, str]:
    """Whether it was answered, and the words."""
    result: Any = await client.call_tool(tool, asked)
    return not result.is_error, result.content[0].text


def tables(home: Terminal) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the books, but of what looking keeps."""
    return {
        name: sorted(rows_of(home.home, f"SELECT * FROM {name}"), key=repr)
        for name in SQLModel.metadata.tables
        if name not in KEPT_BY_LOOKING
    }


def looks_of(home: Terminal) -> list[tuple[str, str]]:
    """Who has looked by which tool, the oldest first."""
    assert home.run("sign-in", "asha", "--password-stdin", stdin=password("asha")).code == 0
    rows = home.done("audit", "search", "action:assistant_looked")["rows"]
    return [(row["actor"], row["details"]["tool"]) for row in reversed(rows)]


@pytest.mark.parametrize("role", further(Role, 2))
async def test_each_role_is_answered_what_it_may_see_and_nothing_is_written(
    home: Terminal, role: Role
) -> None:
    name = OF_ROLE[role]
    async with connected(home, name) as client:
        before = await to_thread(tables, home)
        for tool, (words, right) in TOOLS.items():
            answered, told = await asked(client, tool, **words)
            assert answered == may(role, right), (tool, told)
            if not answered:
                assert f"{name} is a {role.value} and may not" in told
        after = await to_thread(tables, home)
    assert {name for name in after if after[name] != before[name]} == set()
    assert await to_thread(looks_of, home) == [(name, tool) for tool in TOOLS]


async def test_a_scope_holds_and_whoever_signs_in_next_is_who_looks(home: Terminal) -> None:
    async with connected(home, "ravi") as client:
        answered, told = await asked(client, "clients")
        assert answered
        assert sorted(one["code"] for one in json.loads(told)["data"]) == sorted(MINE)
        answered, told = await asked(client, "funds", client=THEIRS)
        assert (answered, "out of scope" in told) == (False, True)
        answered, told = await asked(client, "audit", search="action:order")
        assert {row["code"] for row in json.loads(told)["data"]["rows"]} == {MINE[0]}

        assert (await to_thread(home.run, "sign-out")).code == 0
        answered, told = await asked(client, "clients")
        assert (answered, "sign-in" in told) == (False, True)
        signed = await to_thread(home.run, "sign-in", "uma", "--password-stdin", stdin=password("uma"))
        assert signed.code == 0
        answered = False
        while not answered:  # the server hears of another process's sign-in within its next look at the file
            answered, told = await asked(client, "clients")
        assert len(json.loads(told)["data"]) == 50
    looked = await to_thread(looks_of, home)
    assert [actor for actor, _ in looked] == ["ravi", "ravi", "ravi", "uma"]


async def test_nobody_is_shown_nothing(home: Terminal) -> None:
    async with connected(home) as client:
        for tool, (words, _) in TOOLS.items():
            answered, told = await asked(client, tool, **words)
            assert not answered
            assert "sign-in" in told
