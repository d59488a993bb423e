"""The server for assistants' programs, on stdin and stdout."""

import asyncio
from importlib.util import find_spec

from data.errors import BadInput

EXTRA = "pip install 'tradedesk-workstation[mcp]' brings it"


def mcp() -> None:
    """Let an assistant's program look at the desk, over stdin and stdout: the Model Context Protocol.

    It sees clients, funds, positions, orders, runs, plans and the audit; it can trade, cancel and change
    nothing, and every call is kept in the audit.
    """
    if find_spec("mcp") is None:
        raise BadInput("mcp", "the package `mcp`", f"it is not installed: {EXTRA}")
    from tradedesk.compose.foundation import prepare_home
    from tradedesk.mcp.server import serve

    asyncio.run(serve(prepare_home()))
