"""The server itself: the tools by name, over stdin and stdout, on a desk that has nothing to send with."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from data.errors import TradedeskError
from data.records import replace
from data.vocabulary import DeskKind
from engine.desk import Desk
from engine.words.refusals import refusal_words
from tradedesk.compose.foundation import rules_of
from tradedesk.compose.seats import renew_quietly, take_seat
from tradedesk.compose.settings import load_settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.mcp.looks import ABOUT, MOST, CannotLook, Looks, Part, option, safe_words

INSTRUCTIONS = (
    "Looks at a trading desk: clients, funds, positions, orders, runs, plans and the audit. It cannot trade, "
    "cancel or change anything, and every call is kept in the desk's audit, with who is signed in. Keys that "
    "end in _paise hold money in paise, a hundredth of a rupee; times are UTC. Long answers come a part at a "
    f"time, `next` leads to the next. {ABOUT}"
)

Index = Annotated[int, Field(ge=0, description="Index of the first row wanted: `next` of the answer before.")]
Most = Annotated[int, Field(ge=1, le=1_000, description="So many rows at most.")]

_LOOKS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def server_over(looks: Looks) -> MCPServer[Any]:
    """The tools over one desk."""
    server: MCPServer[Any] = MCPServer("tradedesk", instructions=INSTRUCTIONS, log_level="WARNING")

    @server.tool(annotations=_LOOKS, structured_output=False)
    async def clients(first: Index = 0, limit: Most = MOST) -> str:
        """Every client: code, name, broker, status, and what is against its trading."""
        return await _told(looks.command("clients", "clients", part=Part(first, limit)))

    @server.tool(annotations=_LOOKS, structured_output=False)
    async def funds(client: str | None = None, first: Index = 0, limit: Most = MOST) -> str:
        """Money of one client by its code, or of all: available, blocked, unsettled, the margin loan."""
        return await _told(looks.command("funds", "funds", option("client", client), part=Part(first, limit)))

    @server.tool(annotations=_LOOKS, structured_output=False)
    async def positions(client: str | None = None, first: Index = 0, limit: Most = MOST) -> str:
        """Shares held by one client by its code, or by all, with average, value and profit."""
        of_client = option("client", client)
        return await _told(looks.command("positions", "positions", of_client, part=Part(first, limit)))

    @server.tool(annotations=_LOOKS, structured_output=False)
    async def orders(
        client: str | None = None,
        run: int | None = None,
        live: bool = False,
        first: Index = 0,
        limit: Most = MOST,
    ) -> str:
        """Today's orders, of one client or run, or only those that could still trade."""
        of_run = option("run", None if run is None else str(run))
        narrowed = option("client", client), of_run, "--live" if live else None
        return await _told(looks.command("orders", "orders", *narrowed, part=Part(first, limit)))

    @server.tool(annotations=_LOOKS, structured_output=False)
    async def runs(first: Index = 0, limit: Most = MOST) -> str:
        """Today's runs with the counts of their orders; a run carries out one plan."""
        return await _told(looks.command("runs", "runs", part=Part(first, limit)))

    @server.tool(annotations=_LOOKS, structured_output=False)
    async def plan(number: int, first: Index = 0, limit: Most = MOST) -> str:
        """A stored plan by its number: a line for each client with quantity, price, why it was skipped."""
        return await _told(looks.plan(number, Part(first, limit)))

    @server.tool(annotations=_LOOKS, structured_output=False)
    async def audit(search: str = "", limit: Most = MOST, before: int | None = None) -> str:
        """Rows of the audit, newest first: action:halt client:CODE order:N run:N by:NAME on:DAY, words.

        `before` of an answer leads to the rows before those.
        """
        older = option("before", None if before is None else str(before))
        most = option("limit", str(limit))
        return await _told(looks.command("audit", "audit", "search", *safe_words(search), most, older))

    return server


async def _told(looking: Awaitable[str]) -> str:
    """What was found; what is wrong is told in words, which the protocol hides of any other error."""
    try:
        return await looking
    except (CannotLook, TradedeskError) as problem:
        raise ToolError(refusal_words(problem)) from problem


@asynccontextmanager
async def server_at(home: Path) -> AsyncGenerator[MCPServer[Any]]:
    """The tools over a home's desk, which is open as long as they are. Raises as `compose_desk` does."""
    settings = load_settings(home)
    rules = replace(rules_of(settings), looks_only=True)
    opening = compose_desk(home, DeskKind.COMMAND, settings=settings, rules=rules, needs_secrets=False)
    async with opening as desk:
        yield server_over(Looks(desk, partial(_sit, desk)))


async def serve(home: Path) -> None:
    """Serve the tools on stdin and stdout until those close. Raises as `compose_desk` does."""
    async with server_at(home) as server:
        await server.run_stdio_async()


async def _sit(desk: Desk) -> None:
    """Have whoever is signed in now sit at the desk: the server outlives a sign-in."""
    take_seat(desk)
    await renew_quietly(desk)
