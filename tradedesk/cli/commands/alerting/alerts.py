"""Alerts from the command line: those that stand, the rules that raise them, and what leaves by a channel."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from engine.words.alerts import alert_words, client_figure_words, named_words, position_words, rule_words
from engine.words.trading.guards import guard_line
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.clocks import wall_time
from tradedesk.cli.printing.output import document, line, table
from tradedesk.cli.session import hidden, run
from tradedesk.cli.views.alerts import rule_shape

if TYPE_CHECKING:
    from engine.colon.asked import AskedAlert, AskedAlertRule
    from engine.desk import Desk

CHANNEL = "channel"
CHANNELS = "channels"
NEEDS = "needs"
WORDS = "[add RULE|edit N RULE|remove N|rules|usual|needs|done N|later N [30m]|outbox|test|channel …]"


def alerts(
    words: Annotated[list[str] | None, typer.Argument(metavar=WORDS, help="What is done.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the day's alerts that stand; be done with one or put it off; make rules of what you are told of.

    A rule is typed as behind `:alert`: `add RELIANCE price above 2500 repeat 10m`. `channel add NAME` asks
    for the address of a channel, such as tgram://…, or reads it from stdin; `channel remove NAME` forgets it.
    """
    given = words or []
    if given[:1] == [CHANNEL]:
        _channel(given[1:], as_json)
    elif given == [CHANNELS]:
        run(lambda desk: _channels(desk, as_json), needs_secrets=False)
    else:
        run(lambda desk: _do(desk, given, as_json), needs_secrets=False)


async def _do(desk: "Desk", words: Sequence[str], as_json: bool) -> Exit:
    from engine.colon.alerts import alert_from
    from engine.colon.asked import AlertDo, AskedAlertRule

    await desk.alerts.read()
    await desk.guards.read()
    await desk.alert_rules.load()
    if list(words) == [NEEDS]:
        return _needs(desk, as_json)
    asked = alert_from(words, desk.known())
    if isinstance(asked, AskedAlertRule):
        return await _rule(desk, asked, as_json)
    match asked.do:
        case AlertDo.RULES:
            return _rules(desk, desk.alert_rules.numbers(), as_json)
        case AlertDo.USUAL:
            return _rules(desk, await desk.alert_rules.add_usual(), as_json)
        case AlertDo.REMOVE:
            await desk.alert_rules.remove(asked.number)
            return _rules(desk, desk.alert_rules.numbers(), as_json)
        case AlertDo.OUTBOX:
            return await _outbox(desk, as_json)
        case AlertDo.TEST:
            number = await desk.alerts.test()
            if not as_json:
                line(f"alert {number} was raised, to show that alerts arrive")
            return await _outbox(desk, as_json, number)
        case _:
            return await _alerts(desk, asked, as_json)


def _needs(desk: "Desk", as_json: bool) -> Exit:
    from engine.alerts.attention import Wanting, needing_attention
    from tradedesk.cli.views.attention import need_shape

    wanting = Wanting(
        desk.alerts, desk.flatten, desk.runs, desk.orders, desk.chases, desk.reconcile, desk.sessions
    )
    found = [need_shape(desk, one) for one in needing_attention(wanting)]
    if as_json:
        document(found)
        return Exit.DONE
    for one in found:
        line(one.words)
    if not found:
        line("nothing needs you")
    return Exit.DONE


async def _rule(desk: "Desk", asked: "AskedAlertRule", as_json: bool) -> Exit:
    if asked.rule is None:
        raise BadInput("alert", "", "say what you want to be told of, such as RELIANCE price above 2500")
    if asked.number:
        await desk.alert_rules.edit(asked.number, asked.rule)
        return _rules(desk, [asked.number], as_json)
    return _rules(desk, await desk.alert_rules.add(asked.rule), as_json)


def _rules(desk: "Desk", numbers: Sequence[int], as_json: bool) -> Exit:
    found = [one for one in desk.alert_rules.all() if one.number in numbers]
    if as_json:
        document([rule_shape(one) for one in found])
        return Exit.DONE
    for one in found:
        read = {place: list(figures.values()) for place, (_, figures) in enumerate(one.readings)}
        said = f"waits for nothing: {one.problem}" if one.rule is None else rule_words(one.rule, read)
        times = f" · came {one.fired}x, last {wall_time(desk, one.fired_at)}" if one.fired else ""
        line(f"{one.number} {one.line}\n  {one.state.value}: {said}{times}")
    if not found:
        line("no rule; `alerts add RELIANCE price above 2500` makes one, `alerts usual` adds the usual ones")
    return Exit.DONE


async def _alerts(desk: "Desk", asked: "AskedAlert", as_json: bool) -> Exit:
    from engine.colon.asked import AlertDo

    if asked.do is not None:
        alert = desk.alerts.named(asked.kind)
        if asked.do is AlertDo.DONE:
            await desk.alerts.done(alert)
        else:
            until = await desk.alerts.put_off(alert, asked.how_long)
            if not as_json:
                line(f"{asked.kind} is shown again at {wall_time(desk, until)}")
    standing = desk.alerts.standing
    if as_json:
        document(standing)
        return Exit.DONE
    for alert in standing:
        line(f"{alert.number} {wall_time(desk, alert.at)} {alert_words(alert)}")
        for one in alert.positions:
            line(f"  {desk.clients.get(one.client_id).code} {position_words(one)}")
        for guard in alert.guards:
            line(f"  {guard.of} {guard_line(guard)}")
        for order in (*alert.orders, *alert.dying):
            line(f"  {desk.clients.get(order.client_id).code} {named_words(order)}")
        for figure in alert.figures:
            line(f"  {desk.clients.get(figure.client_id).code} {client_figure_words(alert, figure)}")
    if not standing:
        line("no alert stands")
    return Exit.DONE


async def _outbox(desk: "Desk", as_json: bool, of: int | None = None) -> Exit:
    found = [one for one in await desk.outbox.deliveries() if of is None or one.alert == of]
    if as_json:
        document(found)
        return Exit.DONE
    rows = [
        (
            str(one.alert),
            one.channel,
            one.state.value,
            str(one.tries),
            wall_time(desk, one.sent_at or one.next_at),
            one.problem,
        )
        for one in found
    ]
    if rows:
        table((">alert", "channel", "state", ">tries", "sent, or next try", "what went wrong"), rows)
    else:
        line("nothing went out; `tradedesk alerts channel add NAME` adds a channel")
    return Exit.DONE


async def _channels(desk: "Desk", as_json: bool) -> Exit:
    found = await desk.outbox.channels()
    if as_json:
        document(found)
        return Exit.DONE
    for one in found:
        line(f"{one.name} {one.service} by {one.by} {wall_time(desk, one.at)}")
    if not found:
        line("no channel; `tradedesk alerts channel add NAME` asks for its address")
    return Exit.DONE


def _channel(words: Sequence[str], as_json: bool) -> None:
    """Add or remove a channel, in this process: its address is typed here, and is no argument."""
    form = "give add NAME, or remove NAME"
    match words:
        case ["add", name]:
            address = hidden(f"address of {name} (tgram://…, mailtos://…, jsons://…): ")

            async def add(desk: "Desk") -> Exit:
                await desk.outbox.add_channel(name, address)
                return await _channels(desk, as_json)

            run(add)
        case ["remove", name]:

            async def remove(desk: "Desk") -> Exit:
                await desk.outbox.remove_channel(name)
                return await _channels(desk, as_json)

            run(remove)
        case _:
            raise BadInput(CHANNEL, " ".join(words), form)
