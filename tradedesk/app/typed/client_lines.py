"""What a typed line about a client, a group or a note does: a card where something is asked, else at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from data.errors import TradedeskError
from engine.accounts.client_edit import until_from
from engine.colon.asked import AskedGroup, AskedNote, AskedOfClient, GroupDo, OfClient
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from engine.words.trading.client_terms import until_words
from screens.frame.cards.note import note_card
from screens.frame.shell import Here
from screens.frame.workspace import Framed

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tradedesk.app.shell import ShellApp


def about_clients(app: ShellApp, asked: AskedOfClient | AskedNote | AskedGroup) -> None:
    """Carry it out. Raises `BadInput` for a client that there is not."""
    match asked:
        case AskedOfClient(OfClient.PAUSE, client_id, until, reason) if reason:
            _do(app, _paused(app, client_id, until, reason))
        case AskedOfClient():
            _ask(app, asked)
        case AskedNote(text) if text:
            _do(app, _noted(app, asked))
        case AskedNote(_, client_id, order_id, run_number):
            here = Here(client_id=client_id, order_id=order_id, run_number=run_number)
            if isinstance(app.screen, Framed) and (card := note_card(app.desk, here)) is not None:
                app.screen.open_card(card)
        case AskedGroup():
            _do(app, _grouped(app, asked))
        case _:
            assert_never(asked)


def _ask(app: ShellApp, asked: AskedOfClient) -> None:
    """The card that asks for what the line leaves open."""
    from screens.clients.client_card import ClientCard
    from screens.clients.closing import ask_close
    from screens.clients.pause_card import ask_pause

    screen = app.screen
    if not isinstance(screen, Framed):
        return
    if asked.what is OfClient.ADD:
        screen.open_card(ClientCard(None))
        return
    client = app.desk.clients.get(asked.client_id)
    match asked.what:
        case OfClient.EDIT:
            screen.open_card(ClientCard(client))
        case OfClient.CLOSE:
            ask_close(screen, client)
        case OfClient.PAUSE if client.paused:
            app.say(f"{client.code} is paused: unpause ends it", "warning")
        case OfClient.UNPAUSE if not client.paused:
            app.say(f"{client.code} is not paused", "warning")
        case _:
            ask_pause(screen, client)


def _do(app: ShellApp, work: Coroutine[Any, Any, str]) -> None:
    async def done() -> None:
        try:
            app.say(await work)
        except TradedeskError as problem:
            app.say(refusal_words(problem), "warning")

    app.run_worker(done(), exit_on_error=False)


async def _paused(app: ShellApp, client_id: int, until: str, reason: str) -> str:
    ends = until_from(until, app.desk.market.now()) if until else None
    await app.desk.clients.pause(client_id, reason, ends)
    return f"{app.desk.clients.get(client_id).code} is paused {until_words(ends)}"


async def _noted(app: ShellApp, asked: AskedNote) -> str:
    notes = app.desk.notes
    if asked.client_id is not None:
        await notes.on_client(asked.client_id, asked.text)
        return f"noted on {app.desk.clients.get(asked.client_id).code}"
    if asked.order_id is not None:
        await notes.on_order(asked.order_id, asked.text)
        return f"noted on order {asked.order_id}"
    await notes.on_run(asked.run_number or 0, asked.text)
    return f"noted on run {asked.run_number}"


async def _grouped(app: ShellApp, asked: AskedGroup) -> str:
    groups = app.desk.groups
    match asked.do:
        case GroupDo.RULE:
            made = await groups.set_rule(asked.name, asked.rule)
        case GroupDo.ADD:
            made = await groups.add(asked.name, asked.client_ids)
        case GroupDo.REMOVE:
            made = await groups.remove(asked.name, asked.client_ids)
    return f"group {made.name}: {counted(len(made.client_ids), 'client')}"
