"""One client from the command line: its page, its account as a message, its statement."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.formats import DASH, counted, rupees, signed, signed_percent
from engine.words.trading.client_terms import pause_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, ClientWord
from tradedesk.cli.printing.output import document, line, table
from tradedesk.cli.session import run
from tradedesk.cli.views.people.client_page import page_shape, statement_shape

if TYPE_CHECKING:
    from engine.desk import Desk


def client(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A client's code or id.")],
    as_text: Annotated[
        bool, typer.Option("--text", help="As a message to the client, at the prices of now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """One client: whether it may trade, its day and total, its money, shares, lots, notes."""

    async def work(desk: "Desk") -> Exit:
        client_id = desk.clients.find(code).id
        await desk.price((client_id,))
        if as_text:
            text = await _text(desk, client_id)
            if as_json:
                document({"text": text.splitlines()})
            else:
                for row in text.splitlines():
                    line(row)
            return Exit.DONE
        found = await page_shape(desk, client_id)
        if as_json:
            document(found)
            return Exit.DONE
        gate = found.client.reason.value if found.client.reason is not None else "ok"
        line(f"{found.client.code} {found.client.name} · {found.client.broker} · {gate}")
        percent = f" ({signed_percent(found.net_day_bps)} % of opening {rupees(found.opening_paise)})"
        line(
            f"day net {signed(found.net_day_pnl_paise)}{percent}  gross {signed(found.day_pnl_paise)}  "
            f"charges {rupees(found.charges_today_paise)}  realised {signed(found.realised_today_paise)}"
        )
        money = found.funds
        capital = f"capital {rupees(found.capital_paise)} of {found.capital_of}"
        of = f"{signed_percent(found.total_bps)} % of {capital}"
        total, realised = signed(found.total_net_paise), signed(found.realised_net_paise)
        line(f"total net {total} ({of})  realised net {realised}")
        line(
            f"portfolio {rupees(found.portfolio_paise)} = cash {rupees(found.cash_paise)} + shares "
            f"{rupees(found.shares_paise)} - lent {rupees(found.loans_paise)}  "
            f"free {rupees(money.available_paise)}  blocked {rupees(money.blocked_paise)}  "
            f"MTF {rupees(money.mtf_loan_paise)} of {rupees(money.mtf_limit_paise)}"
        )
        table(
            ("symbol", "prod", ">qty", ">value", ">day P&L", ">P&L", ">weight %"),
            [
                (
                    one.holding.symbol,
                    one.holding.product.value,
                    str(one.holding.quantity),
                    rupees(one.holding.value_paise),
                    signed(one.holding.day_pnl_paise),
                    signed(one.holding.unrealised_paise),
                    DASH if one.weight_bps is None else f"{one.weight_bps / 100:.2f}",
                )
                for one in found.holdings
            ],
        )
        if words := pause_words(desk.clients.get(client_id)):
            line(words)
        for note in found.notes[-5:]:
            line(f"note by {note.by}: {note.text}")
        line(f"{counted(found.live_orders, 'live order')}; tradedesk orders --client {found.client.code}")
        return Exit.DONE

    run(work, needs_secrets=False)


async def _text(desk: "Desk", client_id: int) -> str:
    """A client's account as a message."""
    from engine.accounts.statement import standing
    from engine.words.day.statements import account_text

    client, funds = desk.clients.get(client_id), desk.funds.of(client_id)
    value, brought = desk.valuation.client(client_id), await desk.statements.contributed(client_id)
    holdings = [(one, desk.valuation.holding(one)) for one in desk.holdings.of(client_id) if one.quantity]
    orders = desk.orders.all(client_id=client_id, today=True)
    stands = standing(client, funds, value, brought)
    return account_text(client, desk.market.now(), funds, value, stands, holdings, orders)


def statement(
    code: ClientWord,
    most: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="The newest so many.")] = 200,
    as_json: AsJson = False,
) -> None:
    """A client's money as a statement with its running balance, oldest first.

    The balance is all its cash, blocked and unsettled money among it, less charges and losses that it owes.
    """

    async def work(desk: "Desk") -> Exit:
        client = desk.clients.find(code)
        found = [statement_shape(one) for one in (await desk.statements.lines(client.id))[-most:]]
        if as_json:
            document(found)
            return Exit.DONE
        rows = [
            (
                one.trading_date.isoformat(),
                one.words,
                signed(one.amount_paise),
                rupees(one.balance_paise),
                rupees(one.loan_paise) if one.loan_paise else "",
                "" if one.order_id is None else str(one.order_id),
            )
            for one in found
        ]
        table(("day", "what", ">moved", ">balance", ">lent", ">order"), rows)
        return Exit.DONE

    run(work, needs_secrets=False)
