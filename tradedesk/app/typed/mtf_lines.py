"""What a typed line about shares on margin does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.words.formats import counted
from engine.words.refusals import refusal_words

if TYPE_CHECKING:
    from engine.colon.asked import AskedMtf
    from tradedesk.app.shell import ShellApp


def about_margin(app: ShellApp, asked: AskedMtf) -> None:
    """The page of shares on margin, a client's, or a pledge noted as accepted. Raises `LookupError`."""
    if asked.accepts:
        app.run_worker(_accept(app, asked), exit_on_error=False)
    elif asked.code:
        app.open_client(app.desk.clients.find(asked.code).id, margin=True)
    else:
        app.action_mtf()


async def _accept(app: ShellApp, asked: AskedMtf) -> None:
    mtf, client = app.desk.mtf, app.desk.clients.find(asked.code)
    try:
        await mtf.read()
        found = mtf.to_accept(client.id, asked.symbol)
        for one in found:
            await mtf.accept_pledge(one, "")
    except Exception as problem:
        app.say(refusal_words(problem), "warning")
    else:
        app.say(f"{counted(len(found), 'pledge')} of {client.code} noted as accepted")
