"""Plans, runs, single orders and cancels from the command line."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import OrderState, Reason, RequestState, RunCount
from engine.words import formats
from engine.words.plans import outcome_words
from engine.words.reasons import counts_words
from engine.words.runs import paused_words
from tradedesk.cli import arguments as choices
from tradedesk.cli.exits import Exit, explain
from tradedesk.cli.options import (
    Again,
    Amount,
    AsJson,
    Brokers,
    Clients,
    Groups,
    Limit,
    OfAvailable,
    OfPosition,
    Percent,
    ProductWord,
    Quantity,
    Trigger,
    ValidityWord,
    Wait,
    Yes,
    given,
    json_too,
)
from tradedesk.cli.output import counted, document, line, say
from tradedesk.cli.printed import print_plan, print_run
from tradedesk.cli.session import confirmed, run, seconds_from, until
from tradedesk.cli.views import order_shape, plan_shape, request_shape, run_shape

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.execution.orders import ChangeNeeds
    from engine.execution.views import RunView
    from engine.planning.record import Plan

SideWord = Annotated[str, typer.Argument(metavar="buy|sell", help="Which way to trade.")]
SymbolWord = Annotated[str, typer.Argument(metavar="SYMBOL", help="A symbol, or EXCHANGE:SYMBOL.")]


def plan(
    side: SideWord,
    symbol: SymbolWord,
    percent: Percent = None,
    of_available: OfAvailable = None,
    amount: Amount = None,
    quantity: Quantity = None,
    of_position: OfPosition = None,
    limit: Limit = None,
    trigger: Trigger = None,
    product: ProductWord = None,
    validity: ValidityWord = "DAY",
    clients: Clients = None,
    group: Groups = None,
    broker: Brokers = None,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Freeze and store a plan for many clients, and print its hash; nothing is sent.

    `tradedesk bulk --confirm HASH` sends exactly this plan while it is valid.
    """
    way = choices.side_from(side)
    sizing = choices.sizing_from(way, percent, of_available, amount, quantity, of_position)

    async def work(desk: "Desk") -> Exit:
        chosen = choices.selection_from(desk, clients, group or (), broker or ())
        intent = choices.intent_from(
            desk, way, symbol, sizing, limit, trigger, product, validity, chosen, again
        )
        made = await desk.plans.freeze(intent)
        if as_json:
            document({"plan": plan_shape(made)})
        else:
            print_plan(made)
        if not made.orders:
            return _none_to_send(made, "nothing can be sent")
        say(_how_to_confirm(made))
        return Exit.DONE

    run(work)


def bulk(
    side: Annotated[str | None, typer.Argument(metavar="buy|sell", help="Which way to trade.")] = None,
    symbol: Annotated[str | None, typer.Argument(metavar="SYMBOL", help="What to trade.")] = None,
    percent: Percent = None,
    of_available: OfAvailable = None,
    amount: Amount = None,
    quantity: Quantity = None,
    of_position: OfPosition = None,
    limit: Limit = None,
    trigger: Trigger = None,
    product: ProductWord = None,
    validity: ValidityWord = "DAY",
    clients: Clients = None,
    group: Groups = None,
    broker: Brokers = None,
    again: Again = False,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="HASH", help="Send the stored plan with this hash, plan nothing."),
    ] = None,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Buy or sell one symbol for many clients: plan, confirm, send, and wait for the outcome."""
    patience = seconds_from(wait)
    if confirm is not None:
        if side is not None:
            raise BadInput(
                "confirm", confirm, "a stored plan is sent as it stands; leave side and symbol out"
            )
        run(lambda desk: _send_stored(desk, confirm, patience, as_json))
    if side is None or symbol is None:
        raise BadInput("bulk", side or "", "give buy or sell and a SYMBOL, or --confirm HASH")
    way, word = choices.side_from(side), symbol
    sizing = choices.sizing_from(way, percent, of_available, amount, quantity, of_position)

    async def work(desk: "Desk") -> Exit:
        chosen = choices.selection_from(desk, clients, group or (), broker or ())
        intent = choices.intent_from(
            desk, way, word, sizing, limit, trigger, product, validity, chosen, again
        )
        return await _send(desk, await desk.plans.freeze(intent), yes, patience, as_json)

    run(work)


def order(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="A client's code or id.")],
    side: SideWord,
    symbol: SymbolWord,
    quantity: Annotated[str, typer.Argument(metavar="QUANTITY", help="Shares.")],
    limit: Limit = None,
    trigger: Trigger = None,
    product: ProductWord = None,
    validity: ValidityWord = "DAY",
    again: Again = False,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Buy or sell for one client."""
    way, patience = choices.side_from(side), seconds_from(wait)
    shares = count_from_text(quantity, "quantity")

    async def work(desk: "Desk") -> Exit:
        from data.vocabulary import SizingKind
        from engine.planning.intent import Selection, Sizing

        found = desk.clients.find(client)
        chosen = Selection(client_ids=(found.id,), title=found.code)
        sizing = Sizing(SizingKind.FIXED_QUANTITY, shares)
        intent = choices.intent_from(
            desk, way, symbol, sizing, limit, trigger, product, validity, chosen, again
        )
        return await _send(desk, await desk.plans.freeze(intent), yes, patience, as_json)

    run(work)


async def _send_stored(desk: "Desk", digest: str, patience: float, as_json: bool) -> Exit:
    made = await desk.plans.by_digest(digest)
    return await _start(desk, made, digest, patience, as_json)


async def _send(desk: "Desk", made: "Plan", yes: bool, patience: float, as_json: bool) -> Exit:
    """Confirm a frozen plan and carry it out."""
    if not made.orders:
        return _nothing(made, as_json)
    if not as_json:
        print_plan(made)
    what = f"{desk.mode}  {outcome_words(made)}"
    then = ["bulk", "--confirm", made.digest, "--wait", f"{patience:g}", *json_too(as_json)]
    if not await confirmed(made.answer, what, yes, _how_to_confirm(made), then):
        if as_json:
            document({"plan": plan_shape(made), "run": None})
        return Exit.NOTHING_SENT
    return await _start(desk, made, made.digest, patience, as_json)


def _nothing(made: "Plan", as_json: bool) -> Exit:
    if as_json:
        document({"plan": plan_shape(made), "run": None})
    else:
        print_plan(made)
    return _none_to_send(made, "nothing sent")


def _none_to_send(made: "Plan", words: str) -> Exit:
    """Say why a plan has no order, in counts by reason."""
    why = counts_words(made.skipped_by_reason) or "no client was chosen"
    say(f"{words}: {made.title}: {why}")
    halted = made.desk_halted or set(made.skipped_by_reason) == {Reason.HALTED}
    return Exit.HALTED if halted else Exit.NOTHING_SENT


async def _start(desk: "Desk", made: "Plan", digest: str, patience: float, as_json: bool) -> Exit:
    from engine.refusals import Refusal

    await desk.hear({one.client_id for one in made.lines if one.reason is None})
    try:
        started = await desk.runs.start(made, confirm=digest)
    except Refusal as refusal:
        told = explain(refusal)
        say(told.message)
        if as_json:
            document({"plan": plan_shape(made), "run": None, "error": told.to_json()})
        return told.exit
    number = started.number
    if not as_json:
        say(f"run {number} started: {started.title}")
    return await follow_run(desk, number, made, patience, as_json)


async def follow_run(desk: "Desk", number: int, made: "Plan", patience: float, as_json: bool) -> Exit:
    """Wait for a run's outcome and tell it. The command must not end over unsent orders: nobody would send
    them. Those of a run that has paused are the trader's, so that it ends at once and says what they keep.
    """
    longest_s = max(patience, (made.send_within_s or made.eta_s) + 10)
    await until(desk, lambda: not _under_way(desk.runs.get(number)), longest_s)
    ended = desk.runs.get(number)
    if ended.paused:
        say(paused_words(ended))
    else:
        ended = await desk.runs.settled(number, patience)
    if not any(desk.orders.get(order_id).live for order_id in ended.order_ids):
        # The run is closed by one more commit, just behind that of its last order.
        await until(desk, lambda: desk.runs.get(number).finished_at is not None, _CLOSING_S)
        ended = desk.runs.get(number)
    if as_json:
        document({"plan": plan_shape(made), "run": run_shape(desk, ended)})
    else:
        print_run(desk, ended)
    return run_exit(ended, [desk.orders.get(order_id) for order_id in ended.order_ids])


_CLOSING_S = 5.0


def _under_way(run_now: "RunView") -> bool:
    return bool(run_now.counts[RunCount.SENDING] or (run_now.unsent and not run_now.paused))


def run_exit(ended: "RunView", orders: "list[OrderView]") -> Exit:
    """How a run ended: an UNKNOWN outweighs a failure, a failure outweighs the good ones."""
    if any(order.state is OrderState.UNKNOWN for order in orders):
        return Exit.UNKNOWN
    resting = (OrderState.OPEN,)
    good = all(
        order.state is OrderState.FILLED or (order.state in resting and not order.filled_quantity)
        for order in orders
    )
    return Exit.DONE if good and ended.settled else Exit.PARTLY


def _how_to_confirm(made: "Plan") -> str:
    valid_s = (made.expires_at - made.frozen_at).total_seconds()
    how = f"`tradedesk bulk --confirm {made.short_digest}` sends this plan within {valid_s:g} s"
    return f"{how}, but first `tradedesk resume`: the desk is HALTED" if made.desk_halted else how


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
