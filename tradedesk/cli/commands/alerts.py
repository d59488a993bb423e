"""The alerts that stand, from the command line."""

from typing import TYPE_CHECKING

from engine.words.alerts import alert_words, order_words, position_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.clocks import wall_time
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk


def alerts(as_json: AsJson = False) -> None:
    """List the day's alerts that are neither done with nor put off."""

    async def work(desk: "Desk") -> Exit:
        await desk.alerts.read()
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
