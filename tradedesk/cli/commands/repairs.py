"""What only the trader can settle: orders in doubt, and books that differ from the broker's."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import OrderState
from engine.words.formats import age, counted, price, quantity
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.clocks import clock_words, wall_time
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.orders import order_shape, unknown_shape
from tradedesk.cli.views.people.clients import BreakShape, DifferenceShape, break_shape, difference_shape

if TYPE_CHECKING:
    from engine.book.views import ClientView, OrderView
    from engine.desk import Desk

unknown_app = typer.Typer(
    help="UNKNOWN orders with what is known of them, and the trader's word on those that were raised.",
    invoke_without_command=True,
)

OrderNumber = Annotated[str, typer.Argument(metavar="ORDER_ID", help="An UNKNOWN order's number.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="How it is known; it is kept in the audit.")]


@unknown_app.callback()
def unknown(ctx: typer.Context, as_json: AsJson = False) -> None:
    """UNKNOWN orders, the oldest first: why, since when, what reads have shown, and what they could be."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = _in_doubt(desk)
        await asyncio.gather(*(desk.reconcile.check(i) for i in {order.client_id for order in found}))
        found = _in_doubt(desk)
        rows = [unknown_shape(desk, order) for order in found]
        if as_json:
            document(rows)
            return Exit.UNKNOWN if found else Exit.DONE
        line(clock_words(desk))
        for order, row in zip(found, rows, strict=True):
            line(
                f"order {order.id}  {row.order.code}  {_order_words(order)}  {order.state.value} for "
                f"{age(row.age_s)}, since {wall_time(desk, row.since)}"
                f"{'  RAISED TO THE TRADER' if row.raised else ''}"
            )
            line(f"  why: {row.why or 'no answer'}")
            line(f"  evidence: {row.evidence or 'none yet'}")
            for theirs in desk.orders.external(order.client_id):
                line(
                    f"  at the broker, not from this desk: {theirs.broker_order_id} {theirs.side.value} "
                    f"{quantity(theirs.quantity)} {theirs.tradingsymbol} {price(theirs.price_paise)} "
                    f"{theirs.status_text}"
                )
            if row.raised:
                line(
                    f"  `tradedesk unknown adopt {order.id} BROKER_ORDER_ID --reason TEXT`, or "
                    f"`tradedesk unknown absent {order.id} --reason TEXT`"
                )
        say(f"{counted(len(found), 'order')} UNKNOWN")
        return Exit.UNKNOWN if found else Exit.DONE

    run(work)


def _in_doubt(desk: "Desk") -> "list[OrderView]":
    found = [order for order in desk.orders.all(live=True) if order.state is OrderState.UNKNOWN]
    return sorted(found, key=lambda order: order.sent_at or order.created_at)


def _order_words(order: "OrderView") -> str:
    limit = "MARKET" if order.limit_paise is None else price(order.limit_paise)
    return f"{order.side.value} {quantity(order.quantity)} {order.tradingsymbol} {limit}"


@unknown_app.command("adopt")
def adopt(
    order_id: OrderNumber,
    broker_order_id: Annotated[
        str, typer.Argument(metavar="BROKER_ORDER_ID", help="The broker's number of the same order.")
    ],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Say that an UNKNOWN order is this order at the broker; it is followed from there."""
    number = count_from_text(order_id, "order")

    async def work(desk: "Desk") -> Exit:
        # What is live at the broker is only known to this process once it has read the client's orders.
        await desk.reconcile.check(desk.orders.get(number).client_id)
        return _settled(desk, await desk.orders.adopt(number, broker_order_id.strip(), reason), as_json)

    run(work)


@unknown_app.command("absent")
def absent(order_id: OrderNumber, reason: Reason, as_json: AsJson = False) -> None:
    """Say that an UNKNOWN order never reached the broker; its money is freed."""
    number = count_from_text(order_id, "order")

    async def work(desk: "Desk") -> Exit:
        return _settled(desk, await desk.orders.declare_absent(number, reason), as_json)

    run(work)


def _settled(desk: "Desk", order: "OrderView", as_json: bool) -> Exit:
    if as_json:
        document(order_shape(desk, order))
    else:
        code = desk.clients.get(order.client_id).code
        line(
            f"order {order.id}  {code}  {_order_words(order)}  {order.state.value}  "
            f"broker's number {order.broker_order_id or 'none'}  filled {quantity(order.filled_quantity)}"
        )
    return Exit.UNKNOWN if order.state is OrderState.UNKNOWN else Exit.DONE


def reconcile(
    clients: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIENT]...", help="Codes or ids; without, all.")
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take over the broker's figures of the clients named.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why the broker's figures are right; with --adopt.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare clients' cash, loans and shares with their brokers' books now."""
    if adopt and not clients:
        raise BadInput("client", "", "--adopt takes over the figures of the clients that are named")
    if adopt and not (reason or "").strip():
        raise BadInput("reason", reason or "", "say why the broker's figures are right")
    if reason is not None and not adopt:
        raise BadInput("reason", reason, "a reason belongs to --adopt")

    async def work(desk: "Desk") -> Exit:
        found = [desk.clients.find(word) for word in dict.fromkeys(clients or ())] or desk.clients.all()
        if adopt:
            return await _adopt(desk, found, reason or "", as_json)
        # A client that may not trade cannot be read either, unless it is asked for by name.
        wanted = [client for client in found if clients or client.gate is None]
        done = await asyncio.gather(*(desk.reconcile.check(client.id) for client in wanted))
        compared = {client.id for client, was in zip(wanted, done, strict=True) if was}
        return _print_reconciled(desk, found, wanted, compared, as_json)

    run(work)


async def _adopt(desk: "Desk", clients: "Sequence[ClientView]", reason: str, as_json: bool) -> Exit:
    """Take over client by client; one whose books cannot be taken over now leaves the others alone."""
    shapes: list[dict[str, Any]] = []
    missed: list[str] = []
    for client in clients:
        try:
            done = await desk.reconcile.adopt(client.id, reason)
        except BadInput as bad:
            if len(clients) == 1:
                raise
            missed.append(f"{client.code}: {bad.expected}")
            continue
        taken = [difference_shape(one) for one in done.differences or ()]
        shapes.append({"client_id": client.id, "code": client.code, "adopted": taken})
    if as_json:
        document(shapes[0] if len(clients) == 1 else {"clients": shapes, "missed": missed})
    else:
        for shape in shapes:
            for row in shape["adopted"]:
                what = f"{row.symbol or ''} {row.product or ''}".strip()
                line(f"{shape['code']}  {row.kind.value}  {what}  {_ours(row)} -> {_theirs(row)}")
    for shape in shapes:
        say(f"{shape['code']}: {counted(len(shape['adopted']), 'figure')} taken over from the broker")
    for words in missed:
        say(words)
    return Exit.PARTLY if missed else Exit.DONE


def _print_reconciled(
    desk: "Desk",
    found: "Sequence[ClientView]",
    wanted: "Sequence[ClientView]",
    compared: set[int],
    as_json: bool,
) -> Exit:
    named = {client.id for client in found}
    breaks = [break_shape(desk, one) for one in desk.reconcile.breaks() if one.client_id in named]
    missed = [client for client in wanted if client.id not in compared]
    if as_json:
        document(
            {
                "clients": [
                    {
                        "client_id": client.id,
                        "code": client.code,
                        "compared": client.id in compared,
                        "compared_at": desk.reconcile.compared_at(client.id),
                        "reason": client.gate,
                    }
                    for client in found
                ],
                "breaks": breaks,
            }
        )
    else:
        line(clock_words(desk))
        if breaks:
            table(
                ("code", "what", "symbol", "prod", ">ours", ">the broker's", "since"),
                [
                    (
                        row.code,
                        row.kind.value,
                        row.symbol or "",
                        row.product or "",
                        _ours(row),
                        _theirs(row),
                        wall_time(desk, row.opened_at),
                    )
                    for row in breaks
                ],
            )
    for row in breaks:
        if row.problem:
            subject = f"order {row.order_id}" if row.order_id else "an external order"
            say(f"{row.code}: what the broker says of {subject} could not be booked: {row.problem}")
    for client in missed:
        say(f"{client.code} was not compared: its books cannot be read, or its orders are moving or UNKNOWN")
    left_out = len(found) - len(wanted)
    may_not = f", {left_out} left out that may not trade" if left_out else ""
    say(f"{counted(len(compared), 'client')} compared{may_not}, {counted(len(breaks), 'difference')}")
    if breaks:
        return Exit.NOT_VERIFIED
    return Exit.PARTLY if missed else Exit.DONE


def _ours(row: DifferenceShape | BreakShape) -> str:
    return _figure(row.ours_paise, row.ours_quantity)


def _theirs(row: DifferenceShape | BreakShape) -> str:
    return _figure(row.theirs_paise, row.theirs_quantity)


def _figure(paise: object, shares: object) -> str:
    return quantity(shares) if isinstance(shares, int) else price(paise if isinstance(paise, int) else None)
