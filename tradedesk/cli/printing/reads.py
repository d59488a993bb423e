"""What the commands that only look print of a desk, be it an open one or books that are at rest."""

from datetime import date
from typing import TYPE_CHECKING

from data.errors import BadInput
from data.vocabulary import ClientStatus
from engine.book.roster import found_among
from engine.words.formats import amount, counted, price, quantity, rupees, signed
from engine.words.trading.orders import board_words, order_price, why_words
from engine.words.trading.runs import run_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.printing.certificates import print_certificate
from tradedesk.cli.printing.clocks import clock_words, market_time, run_stamp, wall_time
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.views.halts import certificate_shape
from tradedesk.cli.views.orders import order_shape, run_shape
from tradedesk.cli.views.people.clients import ClientShape, client_shape, funds_shape, transaction_shape

if TYPE_CHECKING:
    from engine.desk import Desk


async def orders(
    desk: "Desk", live: bool, client: str | None, number: int | None, needs_attention: bool, as_json: bool
) -> Exit:
    """Print orders by the given marks."""
    from engine.words.trading.runs import waiting_words

    client_id = None if client is None else desk.clients.find(client).id
    found = desk.orders.all(
        live=True if live else None, client_id=client_id, run=number, today=number is None
    )
    if needs_attention:
        wanted = {entry.id for entry in desk.orders.needs_attention()}
        found = [entry for entry in found if entry.id in wanted]
        if waiting := waiting_words(desk.runs.all()):
            say(f"{waiting}; tradedesk run N shows it, run N resume goes on")
    if as_json:
        document([order_shape(desk, entry) for entry in found])
        return Exit.DONE
    line(clock_words(desk))
    table(
        (
            ">order",
            "time",
            "code",
            "side",
            "symbol",
            "prod",
            ">qty",
            ">price",
            ">filled",
            ">avg",
            "state",
            "why",
        ),
        [
            (
                str(entry.id),
                wall_time(desk, entry.created_at),
                desk.clients.get(entry.client_id).code,
                entry.side.value,
                entry.tradingsymbol,
                entry.product.value,
                quantity(entry.quantity),
                order_price(entry),
                quantity(entry.filled_quantity),
                price(entry.average_paise) if entry.filled_quantity else "",
                " ".join((board_words(entry), *entry.flags)),
                why_words(entry),
            )
            for entry in found
        ],
    )
    return Exit.DONE


async def runs(desk: "Desk", wanted: date | None, as_json: bool) -> Exit:
    """Print the runs of a day, of the trading day where None is named."""
    found = desk.runs.of_today() if wanted is None else await desk.runs.of_day(wanted)
    if as_json:
        document([run_shape(entry) for entry in found])
        return Exit.DONE
    line(clock_words(desk))
    for entry in found:
        line(f"{run_stamp(desk, entry)}  {entry.title}  {run_words(entry)}")
    if not found:
        of = desk.market_clock.trading_day if wanted is None else wanted
        say(f"no run of {of:%d %b %Y}; --day YYYY-MM-DD shows those of another trading day")
    return Exit.DONE


async def funds(desk: "Desk", client: str | None, as_json: bool) -> Exit:
    """Print balances of a client, of all where None is named."""
    found = desk.funds.all() if client is None else [desk.funds.of(desk.clients.find(client).id)]
    rows = [funds_shape(desk, entry) for entry in found]
    if as_json:
        document(rows)
        return Exit.DONE
    table(
        (
            "code",
            ">available",
            ">blocked",
            ">held",
            ">unsettled",
            ">due",
            ">MTF loan",
            ">MTF limit",
            ">short",
        ),
        [(row.code, *(rupees(getattr(row, f"{name}_paise")) for name in _FUNDS_COLUMNS)) for row in rows],
    )
    return Exit.DONE


_FUNDS_COLUMNS = (
    "available",
    "blocked",
    "held",
    "unsettled",
    "charges_due",
    "mtf_loan",
    "mtf_limit",
    "shortfall",
)


async def transactions(desk: "Desk", client: str | None, as_json: bool) -> Exit:
    """Print closed round trips of a client, of all where None is named."""
    client_id = None if client is None else desk.clients.find(client).id
    found = await desk.holdings.transactions(client_id)
    rows = [transaction_shape(desk, entry) for entry in found]
    if as_json:
        document(rows)
        return Exit.DONE
    line(clock_words(desk, "closed is market time"))
    table(
        (
            "closed",
            "code",
            "symbol",
            "prod",
            ">qty",
            ">bought",
            ">sold",
            ">P&L",
            ">charges",
            ">by note",
            ">net",
        ),
        [
            (
                market_time(desk, row.closed_at),
                row.code,
                row.symbol,
                row.product.value,
                quantity(row.quantity),
                price(row.buy_price_paise),
                price(row.sell_price_paise),
                signed(row.pnl_paise),
                amount(row.charges_paise),
                amount(row.note_charges_paise),
                signed(row.net_paise),
            )
            for row in rows
        ],
    )
    return Exit.DONE


async def certificate(desk: "Desk", wanted: int | None, as_json: bool) -> Exit:
    """Print the certificate of a halt, the latest where None is named."""
    made = desk.halt.latest() if wanted is None else desk.halt.certificate(wanted)
    if made is None:
        raise BadInput("halt", "" if wanted is None else wanted, "there is no certificate")
    if as_json:
        document(certificate_shape(made))
    else:
        print_certificate(desk, made)
    return Exit.DONE


async def clients(
    desk: "Desk", wanted: ClientStatus | None, group: str | None, search: str | None, as_json: bool
) -> Exit:
    """Print clients by code, of a status, a group or a word where those are named."""
    if group is not None and group not in desk.clients.groups():
        raise BadInput("group", group, f"known groups are {', '.join(desk.clients.groups()) or 'none'}")
    found = desk.clients.closed() if wanted is ClientStatus.CLOSED else desk.clients.all()
    if search is not None:
        found = found_among(found, search)
    found = [c for c in found if wanted is None or c.status is wanted]
    found = [c for c in found if group is None or group in c.groups]
    rows = [client_shape(desk, entry) for entry in found]
    if as_json:
        document(rows)
        return Exit.DONE
    table(
        (">id", "code", "client", "broker", "gate", ">capital", ">available", ">blocked", "groups"),
        [
            (
                str(row.client_id),
                row.code,
                row.name,
                row.broker,
                _gate_words(row),
                rupees(row.capital_paise),
                rupees(row.available_paise),
                rupees(row.blocked_paise),
                ", ".join(row.groups),
            )
            for row in rows
        ],
    )
    say(f"{len(rows)} of {counted(len(desk.clients.all()), 'client')}, {desk.clients.ready_count()} ready")
    return Exit.DONE


def _gate_words(row: ClientShape) -> str:
    from engine.words.trading.reasons import words

    if row.reason is None:
        return "ok"
    said = words(row.reason)
    return f"{said} ({row.status_reason})" if row.status_reason else said
