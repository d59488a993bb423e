"""What a typed line about what is on record does: its page or card, a consent, a word on a flow, a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from data.errors import BadInput
from data.vocabulary import GateItem
from engine.access.consents import NewConsent
from engine.colon.records.asked import (
    AskedActions,
    AskedActionUndo,
    AskedBackup,
    AskedConsent,
    AskedConsentEnd,
    AskedConsents,
    AskedDispersion,
    AskedFlowClass,
    AskedFlows,
    AskedHistory,
    AskedProbe,
    AskedRecorded,
    AskedRisk,
)
from engine.words.day.actions import booking_words
from engine.words.day.history import flow_line
from engine.words.day.record_lines import kind_words, span_words
from engine.words.gate import probed_words, verdict_words
from engine.words.refusals import refusal_words
from screens.frame.workspace import Framed

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from engine.colon.records.asked import AskedOfRecord
    from tradedesk.app.shell import ShellApp


def about_records(app: ShellApp, asked: AskedOfRecord) -> None:
    """Open a page or a card, or have it done."""
    match asked:
        case (
            AskedConsents() | AskedHistory() | AskedRisk() | AskedDispersion() | AskedFlows() | AskedActions()
        ):
            _show(app, asked)
        case AskedActionUndo():
            _do(app, _undone(app, asked))
        case AskedConsent():
            _do(app, _given(app, asked))
        case AskedConsentEnd():
            _do(app, _ended(app, asked))
        case AskedFlowClass():
            _do(app, _classed(app, asked))
        case AskedRecorded(word):
            _show_recorded(app, word)
        case AskedProbe():
            _do(app, _probed(app, asked))
        case AskedBackup():
            _do(app, _backed_up(app, asked))
        case _:
            assert_never(asked)


def _show(
    app: ShellApp,
    asked: AskedConsents | AskedHistory | AskedRisk | AskedDispersion | AskedFlows | AskedActions,
) -> None:
    from screens.consents.card import ConsentsCard
    from screens.history.actions import ActionsScreen
    from screens.history.costs import DispersionScreen
    from screens.history.flows import FlowsScreen
    from screens.history.losses import RiskScreen
    from screens.history.screen import HistoryScreen

    match asked:
        case AskedConsents(client_id):
            if isinstance(app.screen, Framed):
                app.screen.open_card(ConsentsCard(client_id))
        case AskedHistory(whom):
            if isinstance(app.screen, HistoryScreen):
                app.screen.turn_to(whom)
            else:
                app.push_screen(HistoryScreen(whom))
        case AskedRisk(whom):
            app.push_screen(RiskScreen(whom))
        case AskedDispersion(run):
            app.push_screen(DispersionScreen(run))
        case AskedFlows(client_id):
            app.push_screen(FlowsScreen(client_id))
        case AskedActions(client_id):
            app.push_screen(ActionsScreen(client_id))


def _show_recorded(app: ShellApp, word: str) -> None:
    from screens.history.recorded import RecordedScreen

    if not app.desk.recorded.played:
        raise BadInput("recorded", word, "this desk replays no day; `tradedesk replay FILE` does")
    app.push_screen(RecordedScreen(word))


def _do(app: ShellApp, work: Coroutine[Any, Any, str]) -> None:
    async def done() -> None:
        try:
            app.say(await work)
        except Exception as problem:
            app.say(refusal_words(problem), "warning")

    app.run_worker(done(), exit_on_error=False)


async def _given(app: ShellApp, asked: AskedConsent) -> str:
    given = NewConsent(asked.kind, asked.reference, asked.given_from, asked.until)
    made = await app.desk.consents.give(asked.client_id, given)
    code, days = app.desk.clients.get(asked.client_id).code, span_words(made.given_from, made.until)
    return f"{code}: {kind_words(made.kind)} {made.reference} {days}".rstrip()


async def _ended(app: ShellApp, asked: AskedConsentEnd) -> str:
    ended = await app.desk.consents.end(asked.client_id, asked.number, asked.why)
    code = app.desk.clients.get(asked.client_id).code
    return f"{code}: {kind_words(ended.kind)} {ended.reference} is ended"


async def _undone(app: ShellApp, asked: AskedActionUndo) -> str:
    done = await app.desk.company_actions.undo(asked.client_id, asked.key, asked.ex_date, asked.why)
    code = app.desk.clients.get(asked.client_id).code
    return "; ".join(f"{code}: {booking_words(one)}" for one in done)


async def _classed(app: ShellApp, asked: AskedFlowClass) -> str:
    flow = await app.desk.history.classify(asked.number, asked.kind, asked.note)
    return flow_line(flow, app.desk.clients.get(flow.client_id).code)


async def _probed(app: ShellApp, asked: AskedProbe) -> str:
    desk, one = app.desk, asked.client_id
    app.say("looking by which address calls leave …")
    found = await desk.probes.look(None if one is None else [one])
    routes = {probe.client_id: desk.gate.of(probe.client_id).check(GateItem.ROUTE) for probe in found}
    told = probed_words([route.judged for route in routes.values()])
    return told if one is None else f"{told}: {verdict_words(routes[one].judged, desk.shown_at)}"


async def _backed_up(app: ShellApp, asked: AskedBackup) -> str:
    app.say("copying the home's books …")
    made = await app.desk.keeping.back_up(asked.path)
    wrong = f"; wrong in the books themselves: {made.manifest.found[0]}" if made.manifest.found else ""
    return f"backed up and tested: {made.file}{wrong}"
