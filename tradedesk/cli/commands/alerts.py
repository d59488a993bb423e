"""The alerts that stand, from the command line, and what is done with one."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.alerts import alert_words, order_words, position_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.clocks import wall_time
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk


def alerts(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[done KIND|later KIND [5m|1h|15:00|eod]]", help="What is done with one."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the day's alerts that are neither done with nor put off; be done with one, or put it off."""
    from engine.colon.alerts import alert_from
    from engine.colon.asked import AlertDo

    asked = alert_from(words or [])

    async def work(desk: "Desk") -> Exit:
        await desk.alerts.read()
        if asked.do is not None:
            alert = desk.alerts.of_kind(asked.kind)
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
            line(f"{wall_time(desk, alert.at)} {alert_words(alert)}")
            for one in alert.positions:
                line(f"  {desk.clients.get(one.client_id).code} {position_words(one)}")
            for order in alert.orders:
                line(f"  {desk.clients.get(order.client_id).code} {order_words(order)}")
        if not standing:
            line("no alert stands")
        return Exit.DONE

    run(work, needs_secrets=False)
