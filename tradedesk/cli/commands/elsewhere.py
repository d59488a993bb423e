"""What brokers have, whoever traded it, and how it differs from another terminal's trade file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from engine.words.formats import DASH, amount, counted, price, quantity, rupees
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.clocks import clock_words
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.review.comparing import ClientTrades, TradeSeen
    from tradedesk.cli.views.elsewhere import BrokerChargesShape

broker_app = typer.Typer(help="What the brokers have now, of whichever terminal.", no_args_is_help=True)

Client = Annotated[str | None, typer.Option(help="A client's code or id; all, unless given.")]


def _whom(desk: "Desk", client: str | None) -> list[int]:
    """The clients to read: the one named, else all whose session holds."""
    if client is not None:
        return [desk.clients.find(client).id]
    return [one.id for one in desk.clients.all() if desk.connections.serves(one.id) and one.gate is None]


def _tell_unread(desk: "Desk", unread: list[int]) -> None:
    for client_id in unread:
        say(f"{desk.clients.get(client_id).code} could not be read")


@broker_app.command("orders")
def broker_orders(client: Client = None, as_json: AsJson = False) -> None:
    """Today's orders at the brokers, read now; `other` are those that this desk did not send."""

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.views.elsewhere import broker_order_shape

        found = await desk.at_brokers.orders(_whom(desk, client))
        known = {(order.client_id, order.broker_order_id) for order in desk.orders.all()}
        shapes = [
            broker_order_shape(desk, client_id, order, (client_id, order.broker_order_id) in known)
            for client_id, rows in found.items()
            for order in rows or ()
        ]
        unread = [client_id for client_id, rows in found.items() if rows is None]
        if as_json:
            document({"orders": shapes, "unread": [desk.clients.get(one).code for one in unread]})
        else:
            line(clock_words(desk, "orders as the brokers have them now"))
            table(
                ("code", "order", "", "symbol", "side", ">qty", ">filled", ">limit", "status"),
                [
                    (
                        one.code,
                        one.broker_order_id,
                        "" if one.ours else "other",
                        one.key,
                        one.side.value,
                        quantity(one.quantity),
                        quantity(one.filled_quantity),
                        DASH if one.limit_paise is None else price(one.limit_paise),
                        one.status,
                    )
                    for one in shapes
                ],
            )
            _tell_unread(desk, unread)
        return Exit.PARTLY if unread else Exit.DONE

    run(work)


@broker_app.command("trades")
def broker_trades(client: Client = None, as_json: AsJson = False) -> None:
    """Today's trades at the brokers, read now, whichever terminal made them."""

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.views.elsewhere import broker_trade_shape

        found = await desk.at_brokers.trades(_whom(desk, client))
        rows = [(client_id, trade) for client_id, read in found.items() for trade in read or ()]
        shapes = [broker_trade_shape(desk, client_id, trade) for client_id, trade in rows]
        unread = [client_id for client_id, read in found.items() if read is None]
        if as_json:
            document({"trades": shapes, "unread": [desk.clients.get(one).code for one in unread]})
        else:
            line(clock_words(desk, "trades as the brokers have them now"))
            table(
                ("code", "trade", "symbol", "side", ">qty", ">price"),
                [
                    (
                        one.code,
                        one.trade_id,
                        one.key,
                        one.side.value,
                        quantity(one.quantity),
                        price(one.price_paise),
                    )
                    for one in shapes
                ],
            )
            _tell_unread(desk, unread)
        return Exit.PARTLY if unread else Exit.DONE

    run(work)


@broker_app.command("charges")
def broker_charges(client: Client = None, as_json: AsJson = False) -> None:
    """What today's trades cost by the brokers' own word, beside the day's charges by the tables of rates.

    The depository's fee is told by none; a contract note rounds over all orders, and the broker here each.
    """

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.views.elsewhere import broker_charges_shape, traded_lines

        report = await desk.close.preview(client_ids=_whom(desk, client))
        ours = {one.client_id: one for one in report.clients if one.trades}
        accounts = await desk.statements.of_day(list(ours), report.day)
        lines = {client_id: traded_lines(account.trades) for client_id, account in accounts.items()}
        told = await desk.at_brokers.charges(lines)
        shapes = [broker_charges_shape(ours[one], charges) for one, charges in told.items()]
        if as_json:
            document(shapes)
        else:
            line(clock_words(desk, "charges as the brokers tell them now, DP apart"))
            table(
                (
                    "code",
                    ">brokerage",
                    ">STT",
                    ">exchange",
                    ">SEBI",
                    ">stamp",
                    ">GST",
                    ">broker",
                    ">ours",
                    ">apart",
                ),
                [_charges_row(one) for one in shapes],
            )
        return Exit.PARTLY if any(one.broker is None for one in shapes) else Exit.DONE

    run(work)


def _charges_row(one: "BrokerChargesShape") -> tuple[str, ...]:
    if one.broker is None:
        return (one.code, *(DASH for _ in range(7)), amount(one.ours.total_paise), DASH)
    kinds = (
        *(one.broker.brokerage_paise, one.broker.stt_paise, one.broker.exchange_paise),
        *(one.broker.sebi_paise, one.broker.stamp_paise, one.broker.gst_paise, one.broker.total_paise),
    )
    return (one.code, *map(amount, kinds), amount(one.ours.total_paise), amount(one.apart_paise))


def compare(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Today's trades of another terminal, as CSV.")],
    kind: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What kind of file it is; found by its columns, unless given."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="MAP", help="Its columns, kept under --kind: client=Client Code,symbol=Scrip,side=B/S,…"
        ),
    ] = None,
    client: Annotated[
        str | None, typer.Option(help="Whose trades they are, where the file does not say.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare another terminal's trades with the brokers', by client; ends with 8 where they differ."""
    if columns is not None and kind is None:
        raise BadInput("kind", "", "name what kind of file has these columns: --kind odin")

    async def work(desk: "Desk") -> Exit:
        from engine.review.comparing import compared, seen_at, trades_of_file
        from tradedesk.cli.views.elsewhere import ComparedShape, client_compared_shape

        code = None if client is None else desk.clients.find(client).code
        named, mapped = _columns(desk, file, kind, columns)
        day = desk.market_clock.trading_day
        theirs = trades_of_file(file, mapped, desk.connections.roster, day, code)
        whom = _whom(desk, client)
        whom += [one for one in (desk.clients.find(each).id for each in theirs) if one not in whom]
        read = await desk.at_brokers.trades(whom)
        made: list[ClientTrades] = []
        for client_id, rows in read.items():
            if rows is not None:
                one = desk.clients.get(client_id).code
                made.append(compared(one, map(seen_at, rows), theirs.get(one, ())))
        unread = [desk.clients.get(one).code for one, rows in read.items() if rows is None]
        unlike = [one for one in made if not one.equal]
        equal, trades = not unlike and not unread, sum(one.alike for one in made)
        if as_json:
            shapes = [client_compared_shape(one) for one in unlike]
            document(ComparedShape(str(file), named, equal, trades, unread, shapes))
        else:
            line(f"{file.name}, read as {named}: {counted(trades, 'trade')} alike")
            for one in unlike:
                _print_client(one)
            for one in unread:
                line(f"{one}: could not be read at its broker")
            line("equal" if equal else f"{counted(len(unlike), 'client')} differ, {len(unread)} not read")
        return Exit.DONE if equal else Exit.NOT_VERIFIED

    run(work)


def _columns(desk: "Desk", file: Path, kind: str | None, columns: str | None) -> tuple[str, dict[str, str]]:
    """Which kind of file it is, and its columns by ours. Raises `BadInput`."""
    from engine.review.comparing import column_maps, keep_columns, kind_of

    if columns is not None and kind is not None:
        return kind, keep_columns(desk.home, kind, columns)
    known = column_maps(desk.home)
    named = kind or kind_of(file, known)
    if named not in known:
        raise BadInput("kind", named, f"known are {', '.join(known)}; --columns tells of another")
    return named, known[named]


def _print_client(one: "ClientTrades") -> None:
    line(f"{one.code}: {counted(one.alike, 'trade')} alike")
    for trade in one.ours_lack:
        line(f"  the broker lacks   {_words(trade)}")
    for trade in one.theirs_lack:
        line(f"  the file lacks     {_words(trade)}")
    for pair in one.differ:
        line(f"  differs            broker {_words(pair.ours)} · file {_words(pair.theirs)}")
    for each in one.sums:
        ours = f"{quantity(each.our_quantity)} for ₹{rupees(each.our_paise)}"
        theirs = f"{quantity(each.their_quantity)} for ₹{rupees(each.their_paise)}"
        line(f"  sum {each.side.value} {each.key}  broker {ours} · file {theirs}")


def _words(trade: "TradeSeen") -> str:
    number = f" trade {trade.trade}" if trade.trade else ""
    return f"{trade.side.value} {quantity(trade.quantity)} {trade.key} at {price(trade.price_paise)}{number}"
