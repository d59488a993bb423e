"""Cancels and changes of live orders from the command line."""

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import OrderState, RequestState
from engine.words import formats
from engine.words.formats import counted
from engine.words.trading.modify_words import needs_words
from tradedesk.cli import arguments as choices
from tradedesk.cli.exits import Exit
from tradedesk.cli.modifying import WISHES, Confirmation, modify_many, wish_from
from tradedesk.cli.options import (
    AsJson,
    Wait,
    Yes,
    given,
    json_too,
    nothing_beside,
)
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import confirmed, run, seconds_from, until
from tradedesk.cli.views.orders import order_shape, request_shape

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.execution.changes.needs import ChangeNeeds


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
        wanted = _wanted(desk, numbers, client, run_wanted)
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


def _wanted(
    desk: "Desk", numbers: list[int], client: str | None, run_wanted: int | None
) -> "list[OrderView]":
    """The orders that are named, or the live ones of a client or a run. Raises `BadInput`."""
    if numbers:
        return [desk.orders.get(number) for number in dict.fromkeys(numbers)]
    if client is not None:
        return desk.orders.all(live=True, client_id=desk.clients.find(client).id)
    if run_wanted not in {entry.number for entry in desk.runs.all()}:
        raise BadInput("run", run_wanted, "no run has this number")
    return [entry for entry in desk.orders.all(live=True, run=run_wanted) if entry.live]


_MANY = "Many orders (give one)"


def modify(
    ctx: typer.Context,
    order_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ORDER_ID]...", help="Live orders by their number.")
    ] = None,
    quantity: Annotated[
        str | None, typer.Option(metavar="N", help="All shares, with those that have traded.")
    ] = None,
    limit: Annotated[str | None, typer.Option(metavar="RUPEES", help="Another limit price.")] = None,
    trigger: Annotated[str | None, typer.Option(metavar="RUPEES", help="Another trigger.")] = None,
    client: Annotated[str | None, typer.Option(help="All live orders of a client, by code or id.")] = None,
    run_number: Annotated[str | None, typer.Option("--run", help="All live orders of a run.")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="RUPEES", help="Each limit to this price.", rich_help_panel=_MANY)
    ] = None,
    ticks: Annotated[
        str | None,
        typer.Option(metavar="N", help="Each limit by so many ticks, -2 for down.", rich_help_panel=_MANY),
    ] = None,
    to_last: Annotated[
        bool, typer.Option("--to-last", help="Each limit to the last price.", rich_help_panel=_MANY)
    ] = False,
    chase: Annotated[
        str | None,
        typer.Option(
            metavar="RUPEES",
            help="Each limit follows the best price of its side every few seconds, no further than this.",
            rich_help_panel=_MANY,
        ),
    ] = None,
    override: Annotated[
        str, typer.Option(metavar="REASON", help="Go beyond soft limits for this reason, in the audit.")
    ] = "",
    confirm: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="Of many: do it only if the list still has this hash."),
    ] = None,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Change a live order, or the limits of many. What they need more is blocked first.

    One order: `--quantity`, `--limit`, `--trigger`; many, or one: `--to`, `--ticks`, `--to-last`, `--chase`.
    """
    numbers = [count_from_text(text, "order") for text in order_ids or ()]
    wish = wish_from(to, ticks, to_last, chase, override.strip())
    if wish is None:
        nothing_beside(ctx, "one order", *_OF_ONE)
        if len(numbers) != 1:
            raise BadInput("order", len(numbers), f"give one order, or one of {WISHES} for many")
        _modify_one(numbers[0], (quantity, limit, trigger), override.strip(), yes, wait, as_json)
    nothing_beside(ctx, "many orders", *_OF_MANY)
    ways = [bool(numbers), client is not None, run_number is not None]
    if sum(ways) != 1:
        raise BadInput("modify", "none" if not any(ways) else "several", "give orders, or --client, or --run")
    run_wanted = None if run_number is None else count_from_text(run_number, "run")
    patience = seconds_from(wait)
    terms = given(
        client=client, run=run_number, to=to, ticks=ticks, chase=chase, override=override.strip() or None
    )
    again = ["modify", *map(str, numbers), *terms, *(["--to-last"] if to_last else []), "--wait", wait]

    async def work(desk: "Desk") -> Exit:
        wanted = [entry.id for entry in _wanted(desk, numbers, client, run_wanted)]
        return await modify_many(desk, wanted, wish, Confirmation(confirm, yes, again), patience, as_json)

    run(work)


_OF_ONE = ("order_ids", "quantity", "limit", "trigger", "override", "yes", "wait", "as_json")
_OF_MANY = (
    *("order_ids", "client", "run_number", "to", "ticks", "to_last", "chase"),
    *("override", "confirm", "yes", "wait", "as_json"),
)
"""Parameters that a modify of one order reads, and those of one of many."""


def _modify_one(
    number: int,
    wished: tuple[str | None, str | None, str | None],
    override: str,
    yes: bool,
    wait: str,
    as_json: bool,
) -> NoReturn:
    quantity, limit, trigger = wished
    patience = seconds_from(wait)
    shares = None if quantity is None else count_from_text(quantity, "quantity")
    limit_paise, trigger_paise = choices.price_from(limit, "limit"), choices.price_from(trigger, "trigger")

    async def work(desk: "Desk") -> Exit:
        before = desk.orders.get(number)
        if before.state is not OrderState.OPEN:
            raise BadInput("order", number, f"only an OPEN order can be changed; it is {before.state.value}")
        needs = await desk.orders.change_needs(number, shares, limit_paise, trigger_paise)
        what = f"{desk.mode}  {_change_words(desk, before, shares, limit_paise, trigger_paise, needs)}"
        what += f"; beyond a soft limit: {override}" if override else ""
        terms = given(quantity=quantity, limit=limit, trigger=trigger, override=override or None)
        then = ["modify", str(number), *terms, "--yes", "--wait", wait, *json_too(as_json)]
        if not await confirmed(f"modify {number}", what, yes, "add --yes to change it", then):
            if as_json:
                document({"order": order_shape(desk, before), "request": None})
            return Exit.NOTHING_SENT
        await desk.hear({before.client_id})
        changed = (shares, limit_paise, trigger_paise)
        request = await desk.orders.modify(number, *changed, shown=before, override=override)
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
    return (
        f"modify order {order.id}, {code} {order.side.value} {order.tradingsymbol}: {', '.join(changes)}; "
        f"{needs_words(needs)}"
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
