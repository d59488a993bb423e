"""What became of a command that the open app was asked for, told without asking the app."""

import re
from typing import TYPE_CHECKING

from data.errors import BadInput
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.printing.output import document, line, say

if TYPE_CHECKING:
    from data.writing.asked_before import AskedBefore

_KINDS = {"plans": "plan", "runs": "run", "orders": "order", "halts": "halt"}


def tell_request(request_id: str, as_json: bool) -> Exit:
    """Find what was done under an id. What had not been done by now never is. Raises `BadInput`."""
    from data.clock import SystemClock
    from data.writing.asked_before import find_or_close
    from tradedesk.compose.home import has_books, home_folder
    from tradedesk.compose.server import books_at

    if not re.fullmatch("[0-9a-f]{32}", request_id):
        raise BadInput("request", request_id, "give the 32 letters and digits that the command named")
    home = home_folder()
    if not has_books(home):
        raise BadInput("home", str(home), "there are no books in it")
    found = find_or_close(books_at(home), request_id, SystemClock().now())
    if as_json:
        document(
            {
                "request_id": found.request_id,
                "command": found.command or None,
                "actor": found.actor or None,
                "asked_at": None if found.closed and not found.command else found.at,
                "ended_at": found.ended_at,
                "exit": found.exit_code,
                "closed": found.closed,
                "plans": found.did.get("plans", []),
                "runs": found.did.get("runs", []),
                "orders": found.did.get("orders", []),
                "halts": found.did.get("halts", []),
            }
        )
    else:
        line(_words(found))
    if found.closed:
        say("it had sent nothing, and does nothing any more: give the command again")
        return Exit.NOTHING_SENT
    if found.exit_code is None:
        say("how it ended is not told yet; the run, the orders or the certificate show it")
        return Exit.UNKNOWN
    return Exit(found.exit_code)


def _words(found: "AskedBefore") -> str:
    made = [
        f"{name} {', '.join(map(str, found.did[kind]))}"
        if len(found.did[kind]) < 10
        else counted(len(found.did[kind]), name)
        for kind, name in _KINDS.items()
        if found.did.get(kind)
    ]
    what = f"{found.command} by {found.actor}" if found.command else "nothing was done under this id"
    ended = f"  ended with exit code {found.exit_code}" if found.exit_code is not None else ""
    return f"{what}{': ' if made else ''}{'  '.join(made)}{ended}"
