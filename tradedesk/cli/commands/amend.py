"""Cancels and changes of live orders from the command line."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import OrderState, RequestState
from engine.words import formats
from tradedesk.cli import arguments as choices
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import (
    AsJson,
    Wait,
    Yes,
    given,
    json_too,
)
from tradedesk.cli.printing.output import counted, document, line, say
from tradedesk.cli.session import confirmed, run, seconds_from, until
from tradedesk.cli.views.orders import order_shape, request_shape

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.execution.orders import ChangeNeeds


def cancel(
    order_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ORDER_ID]...", help="Orders by their number.")
    ] = None,
    client: Annotated[str | None, typer.Option(help="All live orders of a client, by code or id.")] = None,
    run_number: Annotated[str | None, typer.Option("--run", help="All live orders of a run.")] = None,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Cancel live orders: by number, of a client, or of a run. Nothing is halted."""
    ways = [bool(order_ids), client is not None, run_number is not None]
    if sum(ways) != 1:
        raise BadInput("cancel", "none" if not any(ways) else "several", "give orders, or --client, or --run")
    numbers = [count_from_text(text, "order") for text in order_ids or ()]
    run_wanted = None if run_number is None else count_from_text(run_number, "run")
    patience = seconds_from(wait)

    async def work(desk: "Desk") -> Exit:
        if numbers:
            wanted = [desk.orders.get(number) for number in dict.fromkeys(numbers)]
        elif client is not None:
            wanted = desk.orders.all(live=True, client_id=desk.clients.find(client).id)
        else:
            known = {entry.number for entry in desk.runs.all()}
            if run_wanted not in known:
                raise BadInput("run", run_wanted, "no run has this number")
            wanted = [entry for entry in desk.orders.all(live=True, run=run_wanted) if entry.live]
        live = [entry.id for entry in wanted if entry.live]
        if not live:
            return _cancelled(desk, [entry.id for entry in wanted], as_json, "nothing is live there")
        people = {entry.client_id for entry in wanted if entry.live}
        what = f"{desk.mode}  cancel {counted(len(live), 'live order')} of {counted(len(people), 'client')}"
        then = ["cancel", *map(str, live), "--yes", "--wait", wait, *json_too(as_json)]
        if not await confirmed(f"cancel {len(live)}", what, yes, "add --yes to cancel", then):
            if as_json:
                document({"orders": [order_shape(desk, entry) for entry in wanted]})
            return Exit.NOTHING_SENT
        await desk.hear(people)
        await desk.orders.cancel(live, "by hand")
        await until(desk, lambda: not any(desk.orders.get(i).live for i in live), patience)
        return _cancelled(desk, [entry.id for entry in wanted], as_json, "")

    run(work)


def modify(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID", help="A live order's number.")],
    quantity: Annotated[
        str | None, typer.Option(metavar="N", help="All shares, with those that have traded.")
    ] = None,
    limit: Annotated[str | None, typer.Option(metavar="RUPEES", help="Another limit price.")] = None,
    trigger: Annotated[str | None, typer.Option(metavar="RUPEES", help="Another trigger.")] = None,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Change a live order. What it needs more is blocked first; the broker's order book confirms it."""
    number, patience = count_from_text(order_id, "order"), seconds_from(wait)
    shares = None if quantity is None else count_from_text(quantity, "quantity")
    limit_paise, trigger_paise = choices.price_from(limit, "limit"), choices.price_from(trigger, "trigger")

    async def work(desk: "Desk") -> Exit:
        before = desk.orders.get(number)
        if before.state is not OrderState.OPEN:
            raise BadInput("order", number, f"only an OPEN order can be changed; it is {before.state.value}")
        needs = await desk.orders.change_needs(number, shares, limit_paise, trigger_paise)
        what = f"{desk.mode}  {_change_words(desk, before, shares, limit_paise, trigger_paise, needs)}"
        terms = given(quantity=quantity, limit=limit, trigger=trigger)
        then = ["modify", str(number), *terms, "--yes", "--wait", wait, *json_too(as_json)]
        if not await confirmed(f"modify {number}", what, yes, "add --yes to change it", then):
            if as_json:
                document({"order": order_shape(desk, before), "request": None})
            return Exit.NOTHING_SENT
        await desk.hear({before.client_id})
        request = await desk.orders.modify(number, shares, limit_paise, trigger_paise)
        await until(desk, lambda: not desk.orders.get(number).modifying, patience)
        return await _modified(desk, number, request, as_json)

    run(work)


def _change_words(
    desk: "Desk",
    order: "OrderView",
    quantity: int | None,
    limit_paise: int | None,
    trigger_paise: int | None,
    needs: "ChangeNeeds",
) -> str:
    """What a change does to an order, and what it blocks more."""
    code = desk.clients.get(order.client_id).code
    changes = [
        f"{name} {show(old)} to {show(wanted)}"
        for name, old, wanted, show in (
            ("quantity", order.quantity, quantity, formats.quantity),
            ("limit", order.limit_paise, limit_paise, formats.price),
            ("trigger", order.trigger_paise, trigger_paise, formats.price),
        )
        if wanted is not None
    ]
    money = f"₹{formats.amount(needs.money_paise)} more" if needs.money_paise else "no further money"
    more = f"blocks {money}"
    if needs.loan_paise:
        more += f", MTF lends ₹{formats.amount(needs.loan_paise)} more"
    if needs.shares:
        more += f", {counted(needs.shares, 'share')} more"
    return (
        f"modify order {order.id}, {code} {order.side.value} {order.tradingsymbol}: {', '.join(changes)}; "
        f"{more}"
    )


async def _modified(desk: "Desk", number: int, request: int, as_json: bool) -> Exit:
    """Tell how a change of an order stands."""
    life = await desk.orders.life(number)
    row = next(row for row in life.requests if row.number == request)
    order, state = life.order, RequestState(row.state)
    if as_json:
        document({"order": order_shape(desk, order), "request": request_shape(row)})
    else:
        code = desk.clients.get(order.client_id).code
        line(
            f"order {number}  {code}  {order.side.value} {order.tradingsymbol} "
            f"{formats.quantity(order.quantity)}  limit {formats.price(order.limit_paise)}  "
            f"trigger {formats.price(order.trigger_paise)}  {order.state.value}  "
            f"filled {formats.quantity(order.filled_quantity)}"
        )
        line(f"change {request} {state.value}{': ' if row.detail else ''}{row.detail}")
    if state is RequestState.CONFIRMED:
        return Exit.DONE
    return Exit.UNKNOWN if state is RequestState.UNKNOWN else Exit.PARTLY


def _cancelled(desk: "Desk", order_ids: list[int], as_json: bool, words: str) -> Exit:
    orders = [desk.orders.get(order_id) for order_id in order_ids]
    if as_json:
        document({"orders": [order_shape(desk, entry) for entry in orders]})
    for entry in orders if not as_json else ():
        code = desk.clients.get(entry.client_id).code
        line(
            f"{entry.id}  {code}  {entry.side.value} {entry.tradingsymbol}  {entry.state.value}  "
            f"filled {entry.filled_quantity} of {entry.quantity}"
        )
    if words:
        say(words)
        return Exit.NOTHING_SENT
    if any(entry.state is OrderState.UNKNOWN for entry in orders):
        return Exit.UNKNOWN
    return Exit.DONE if all(entry.state is OrderState.CANCELLED for entry in orders) else Exit.PARTLY
