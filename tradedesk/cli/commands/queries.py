"""Looking: prices, orders, runs, positions, money."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.records import field_names
from engine.words.finding import found_words, put_words
from engine.words.formats import (
    DASH,
    age,
    amount,
    counted,
    percent,
    price,
    quantity,
    signed,
    signed_amount,
    signed_percent,
    volume,
)
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Follow, day_from
from tradedesk.cli.printing import reads
from tradedesk.cli.printing.clocks import clock_words, market_time, wall_time
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views import values
from tradedesk.cli.views.market import DetailShape, detail_shape, found_shape, quote_shape
from tradedesk.cli.views.orders import order_shape
from tradedesk.cli.views.people.clients import holding_shape
from tradedesk.compose.home import home_folder

if TYPE_CHECKING:
    from engine.desk import Desk

ClientWord = Annotated[str | None, typer.Option("--client", help="One client, by code or id.")]

orders_app = typer.Typer(help="Orders of all clients, live ones first.", invoke_without_command=True)


def search(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORDS…",
            help="Part of a symbol or name, and words such as 'index:nifty50 sector:it cap:large mtf vol>1M"
            " chg>2 price<500'; quote what has < or >.",
        ),
    ],
    most: Annotated[
        int | None,
        typer.Option("--limit", min=1, max=500, help="At most so many; 20 of a mere text, else 500."),
    ] = None,
    add: Annotated[
        str | None, typer.Option("--add", metavar="LIST", help="Put all that is found on a watchlist.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find instruments by symbol, name, and words about them, with price and change."""

    async def work(desk: "Desk") -> Exit:
        from data.reference.classes import sources
        from engine.market.finding import MOST
        from engine.market.search_words import search_from

        text = " ".join(words)
        await desk.market.read_names()  # the desk may be that of an app
        wanted = search_from(text, desk.market.classes)
        if wanted.is_text:
            keys = [found.key for found in desk.market.search(text, most or FOUND_BY_TEXT)]
        else:
            found = await desk.market.find(wanted, most or MOST)
            keys = list(found.keys)
            say(found_words(found, wanted))
            for source in sources(wanted.dated):
                say(source)
        await desk.market.fetch(keys)
        if not keys:
            say(f"nothing has {text!r}")
        if add is not None and keys:
            added = await desk.watchlists.add_all(keys, add)
            say(put_words(len(added), len(keys) - len(added), desk.watchlists.find(add)))
        if as_json:
            document([found_shape(desk, key) for key in keys])
        else:
            _quotes(desk, keys, False)
        return Exit.DONE

    run(work)


FOUND_BY_TEXT = 20
"""Instruments shown of a mere text, best first, where no other number is asked for."""


def watch(
    symbols: Annotated[
        list[str] | None, typer.Argument(metavar="[SYMBOL]...", help="These; without, the watchlist.")
    ] = None,
    add: Annotated[list[str] | None, typer.Option(metavar="SYMBOL", help="Put on the watchlist.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="SYMBOL", help="Take off it.")] = None,
    name: Annotated[str | None, typer.Option("--list", metavar="NAME", help="Another watchlist.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prices of the watchlist, or of the symbols given, once."""

    async def work(desk: "Desk") -> Exit:
        wanted = name or desk.watchlists.names()[0]
        for word in add or ():
            await desk.watchlists.add(desk.market.index.resolve(word).key, wanted)
        for word in remove or ():
            if not await desk.watchlists.remove(word, desk.watchlists.find(wanted)):
                raise BadInput("remove", word, f"it is not on the watchlist {wanted}")
        given = [desk.market.index.resolve(word).key for word in symbols or ()]
        if not given:
            wanted = desk.watchlists.find(wanted)
        keys = given or desk.watchlists.keys(wanted)
        await desk.market.fetch(keys)
        if not keys:
            say(f"the watchlist {wanted} is empty; --add SYMBOL puts one on it")
        _quotes(desk, keys, as_json)
        return Exit.DONE

    run(work)


def _quotes(desk: "Desk", keys: Sequence[str], as_json: bool) -> None:
    found = [quote_shape(desk, key) for key in keys]
    if as_json:
        document(found)
        return
    table(
        ("symbol", "name", ">LTP", ">change", ">chg%", ">high", ">low", ">vol", ">age"),
        [
            (
                row.key,
                row.name if row.listed else "not listed",
                price(row.ltp_paise),
                signed_amount(row.change_paise),
                signed_percent(row.change_bps),
                price(row.high_paise),
                price(row.low_paise),
                volume(row.volume),
                age(row.age_s),
            )
            for row in found
        ],
    )


def detail(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="A symbol, or EXCHANGE:SYMBOL.")],
    as_json: AsJson = False,
) -> None:
    """One instrument: its market, depth, margins, and who holds it."""

    async def work(desk: "Desk") -> Exit:
        key = desk.market.index.resolve(symbol).key
        await desk.market.fetch([key])
        found = detail_shape(desk, key)
        if as_json:
            document(found)
        else:
            _print_detail(found)
        return Exit.DONE

    run(work)


def _print_detail(found: DetailShape) -> None:
    mtf = "not eligible"
    if found.mtf_margin_bps is not None:
        own = amount(found.mtf_own_per_share_paise)
        mtf = f"own {percent(found.mtf_margin_bps)} %, {own} a share"
    line(f"{found.key}  {found.name}  {found.phase.value.replace('_', ' ')}")
    line(
        f"LTP {price(found.ltp_paise)}  {signed_amount(found.change_paise)} "
        f"({signed_percent(found.change_bps)} %)  age {age(found.age_s)}"
        + (f"  of {found.priced_by.capitalize()}" if found.priced_by else "")
        + (f"  brokers {percent(found.apart_bps)} % apart: it counts as STALE" if found.apart_bps else "")
    )
    line(f"day {price(found.low_paise)} to {price(found.high_paise)}  vol {volume(found.volume)}")
    lower, upper = price(found.lower_circuit_paise), price(found.upper_circuit_paise)
    line(f"tick {amount(found.tick_paise)}  lot {found.lot_size}  band {lower} to {upper}  MTF {mtf}")
    line(f"held {counted(found.held_quantity, 'share')} by {counted(found.holder_count, 'client')}")
    for one in found.listings if len(found.listings) > 1 else ():
        told = (
            "not listed" if one.symbol is None else f"{one.symbol}  {one.token or DASH}  {one.series or ''}"
        )
        line(f"{one.broker.capitalize()}  {told}".rstrip())
    bids, asks = found.bids, found.asks
    rows = []
    for depth in range(max(len(bids), len(asks))):
        bid = bids[depth] if depth < len(bids) else None
        ask = asks[depth] if depth < len(asks) else None
        rows.append(
            (
                quantity(bid["quantity"]) if bid else DASH,
                price(bid["price_paise"]) if bid else DASH,
                price(ask["price_paise"]) if ask else DASH,
                quantity(ask["quantity"]) if ask else DASH,
            )
        )
    if rows:
        table((">bid qty", ">bid", ">ask", ">ask qty"), rows)


@orders_app.callback()
def orders(
    ctx: typer.Context,
    live: Annotated[bool, typer.Option("--live", help="Only those that could still trade.")] = False,
    client: ClientWord = None,
    run_number: Annotated[str | None, typer.Option("--run", metavar="N", help="Of one run.")] = None,
    needs_attention: Annotated[
        bool, typer.Option("--needs-me", help="Unknown, rejected, denied, partly filled, flagged.")
    ] = False,
    follows: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Orders of today and those still live, live ones first, the newest first."""
    if ctx.invoked_subcommand is not None:
        return
    number = None if run_number is None else count_from_text(run_number, "run")
    if follows:
        if live or needs_attention:
            raise BadInput(
                "follow", "--live, --needs-me", "an order that is followed may end; leave them out"
            )
        from tradedesk.cli.follow import follow, order_lines

        raise typer.Exit(follow(home_folder(), order_lines(client, number), as_json))
    run(lambda desk: reads.orders(desk, live, client, number, needs_attention, as_json))


@orders_app.command("show")
def order_life(order_id: Annotated[str, typer.Argument(metavar="ORDER_ID")], as_json: AsJson = False) -> None:
    """One order's life: attempts, requests, fills, postings, audit."""
    number = count_from_text(order_id, "order")

    async def work(desk: "Desk") -> Exit:
        life = await desk.orders.life(number)
        parts = {
            "attempts": life.attempts,
            "requests": life.requests,
            "fills": life.fills,
            "postings": life.postings,
            "audit": life.audit,
        }
        if as_json:
            document({"order": order_shape(desk, life.order), **parts})
            return Exit.DONE
        line(clock_words(desk))
        for name, value in values(order_shape(desk, life.order)).items():
            if value not in (None, "", ()):
                line(f"{_head(name):<18}{_cell(desk, name, value)}")
        for name, rows in parts.items():
            if rows:
                line()
                line(f"{name}{_SAID_OF.get(name, '')}")
                shown = [name for name in field_names(rows[0]) if name not in _NOT_SHOWN]
                table(
                    [_head(column) for column in shown],
                    [[_cell(desk, column, getattr(row, column)) for column in shown] for row in rows],
                )
        return Exit.DONE

    run(work)


_SAID_OF = {"postings": " (double entry: profit and what is owed stand below zero, a loss above it)"}
"""What a reader of an order's rows has to know of them."""


_NOT_SHOWN = frozenset({"order_id", "client_id", "plan_number", "run_number", "previous", "hash"})
"""Columns of an order's rows that say nothing about it or only matter to a program."""


_MARKET_STAMPS = frozenset({"traded_at"})
"""Columns that the exchange stamped, in its own time."""


def _head(column: str) -> str:
    words = column.removesuffix("_paise").replace("_", " ")
    return f"{words} (market)" if column in _MARKET_STAMPS else words


def _cell(desk: "Desk", column: str, value: object) -> str:
    if isinstance(value, datetime):
        return market_time(desk, value) if column in _MARKET_STAMPS else wall_time(desk, value)
    if column == "reason_code":
        from engine.words.trading.reasons import words

        return words(str(value))
    if isinstance(value, dict):
        from engine.words.audit import detail_words

        return detail_words(cast(dict[str, Any], value))
    if isinstance(value, int) and column.endswith("_paise"):
        return amount(value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return DASH if value is None else str(value)


def runs(
    day: Annotated[
        str | None, typer.Option("--day", metavar="YYYY-MM-DD", help="Runs of another trading day.")
    ] = None,
    follows: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Runs of the trading day and what is live of other days, the newest first, with their counts."""
    wanted = None if day is None else day_from("day", day)
    if follows:
        if day is not None:
            raise BadInput("day", day, "nothing of another day changes; leave it out")
        from tradedesk.cli.follow import follow, run_lines

        raise typer.Exit(follow(home_folder(), run_lines, as_json))

    run(lambda desk: reads.runs(desk, wanted, as_json))


def positions(client: ClientWord = None, as_json: AsJson = False) -> None:
    """What clients hold, at the last price."""

    async def work(desk: "Desk") -> Exit:
        held = desk.holdings.all() if client is None else desk.holdings.of(desk.clients.find(client).id)
        await desk.market.fetch(sorted({entry.key for entry in held}))
        found = [holding_shape(desk, entry) for entry in held]
        if as_json:
            document(found)
            return Exit.DONE
        table(
            ("code", "symbol", "prod", ">qty", ">sellable", ">avg", ">LTP", ">age", ">day P&L", ">P&L", ">%"),
            [
                (
                    row.code,
                    row.symbol,
                    row.product.value,
                    quantity(row.quantity),
                    quantity(row.sellable),
                    price(row.average_paise),
                    price(row.ltp_paise),
                    age(desk.market.age(row.key)),
                    signed(row.day_pnl_paise),
                    signed(row.unrealised_paise),
                    signed_percent(row.pnl_bps),
                )
                for row in found
            ],
        )
        return Exit.DONE

    run(work)


def funds(client: ClientWord = None, as_json: AsJson = False) -> None:
    """Clients' balances."""

    run(lambda desk: reads.funds(desk, client, as_json))


def transactions(client: ClientWord = None, as_json: AsJson = False) -> None:
    """Closed round trips, oldest first, with profit and charges."""

    run(lambda desk: reads.transactions(desk, client, as_json))
