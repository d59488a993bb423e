"""What a line about alerts does: one done with or put off, a rule made, changed or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import BadInput
from engine.colon.asked import AlertDo, AskedAlert, AskedAlertRule
from engine.words.alerts import rule_words
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from screens.frame.cards.alerts_card import AlertsView, put_off

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from tradedesk.app.shell import ShellApp


def about_alerts(app: ShellApp, asked: AskedAlert | AskedAlertRule) -> None:
    """Show the alerts, or do what a line asks. Raises `BadInput` where no such one is there."""
    if isinstance(asked, AskedAlertRule):
        if asked.rule is None:
            app.open_alert_form(asked.number)
        else:
            _run(app, _keep(app, asked))
        return
    alerts = app.desk.alerts
    match asked.do:
        case None:
            app.open_alerts()
        case AlertDo.RULES:
            app.open_alerts(AlertsView.RULES)
        case AlertDo.OUTBOX:
            app.open_alerts(AlertsView.OUTBOX)
        case AlertDo.DONE:
            _run(app, alerts.done(alerts.named(asked.kind)))
        case AlertDo.LATER:
            _run(app, put_off(app.desk, app.say, alerts.named(asked.kind), asked.how_long))
        case AlertDo.REMOVE:
            app.desk.alert_rules.get(asked.number)
            _run(app, _remove(app, asked.number))
        case AlertDo.USUAL:
            _run(app, _usual(app))
        case AlertDo.TEST:
            _run(app, _test(app))


def _run(app: ShellApp, work: Coroutine[Any, Any, None]) -> None:
    async def told() -> None:
        try:
            await work
        except Exception as problem:
            words = problem.expected if isinstance(problem, BadInput) else refusal_words(problem)
            app.say(words, "warning")

    app.run_worker(told(), exit_on_error=False)


async def _keep(app: ShellApp, asked: AskedAlertRule) -> None:
    assert asked.rule is not None
    if asked.number:
        await app.desk.alert_rules.edit(asked.number, asked.rule)
        numbers = [asked.number]
    else:
        numbers = await app.desk.alert_rules.add(asked.rule)
    app.say(f"rule {numbers[0]}: {rule_words(asked.rule)}")


async def _remove(app: ShellApp, number: int) -> None:
    await app.desk.alert_rules.remove(number)
    app.say(f"rule {number} of alerts is taken away")


async def _usual(app: ShellApp) -> None:
    made = await app.desk.alert_rules.add_usual()
    app.say(
        f"{counted(len(made), 'rule')} added; :alerts rules shows them" if made else "all were there already"
    )


async def _test(app: ShellApp) -> None:
    number = await app.desk.alerts.test()
    channels = len(await app.desk.outbox.channels())
    app.say(f"alert {number} goes to {counted(channels, 'channel')}; :alerts outbox shows what becomes of it")
