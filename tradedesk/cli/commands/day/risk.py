"""Risk and dispersion from the command line."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.day.history import dispersion_lines, late_words, ratio, risk_lines, run_line
from engine.words.formats import DASH, percent, price, quantity, rupees, signed
from tradedesk.cli.commands.day.whom import Whom, clients_of
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, day_from
from tradedesk.cli.printing.output import document, line, table
from tradedesk.cli.session import run
from tradedesk.cli.views.risk.figures import code_of

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.risk.views import DispersionView, RiskView, RunDispersion


def risk(whom: Whom = "desk", as_json: AsJson = False) -> None:
    """What positions of now could lose: value at risk, beta, concentration, drawdown, and days beyond it.

    Value at risk of a day is by the moves of up to 250 days before, 100 at least: the 13th (95 %) and 3rd
    (99 %) worst of 250, no figure between two days.
    """

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.views.risk.figures import risk_shape

        name, ids = clients_of(desk, whom)
        await desk.price(ids)
        view = await desk.risk.of(ids)
        if as_json:
            document(risk_shape(desk, name, view))
        else:
            _print_risk(desk, view)
        return Exit.DONE

    run(work, needs_secrets=False)


def _print_risk(desk: "Desk", view: "RiskView") -> None:
    for words in risk_lines(view, partial(code_of, desk)):
        line(words)
    table(
        ("code", ">value", ">net today", ">VaR 95", ">VaR 99", ">beta", "largest", ">%", ">top 5 %"),
        [
            (
                code_of(desk, one.client_id),
                rupees(one.value_paise),
                signed(one.todays_pnl_paise),
                rupees(one.var95_paise),
                rupees(one.var99_paise),
                ratio(one.beta_bps),
                one.concentration.top_key.partition(":")[2] or DASH,
                percent(one.concentration.top_bps),
                percent(one.concentration.top_five_bps),
            )
            for one in view.clients
        ],
    )


def dispersion(
    number: Annotated[
        int | None, typer.Argument(metavar="[RUN]", help="One run; without it the day's and the month's.")
    ] = None,
    day: Annotated[
        str | None, typer.Option("--day", metavar="DATE", help="Which day; without it today.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What clients of the same run got beside each other, and how that adds up over the month.

    Against the run's own average price; what is not filled counts at the close; slippage is against the price
    planned at. A cost is above zero.
    """
    wanted = None if day is None else day_from("day", day)

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.views.risk.figures import dispersion_shape, run_shape

        if number is not None:
            found = await desk.dispersion.of_run(number)
            if as_json:
                document(run_shape(desk, found))
            else:
                _print_run(desk, found)
            return Exit.DONE
        view = await desk.dispersion.of_day(wanted)
        if as_json:
            document(dispersion_shape(desk, view))
        else:
            _print_day(desk, view)
        return Exit.DONE

    run(work, needs_secrets=False)


def _print_run(desk: "Desk", found: "RunDispersion") -> None:
    line(run_line(found, partial(code_of, desk)))
    places = {one.client_id: one.place for one in found.places}
    table(
        (
            *("code", ">place", "symbol", ">asked", ">filled", ">average", ">dispersion", ">bps"),
            *(">unfilled", ">slippage"),
        ),
        [
            (
                code_of(desk, one.client_id),
                str(places[one.client_id]),
                one.key.partition(":")[2],
                quantity(one.quantity),
                quantity(one.filled),
                price(one.average_paise),
                signed(one.dispersion_paise),
                DASH if one.dispersion_bps is None else str(one.dispersion_bps),
                signed(one.unfilled_paise),
                signed(one.slippage_paise),
            )
            for one in found.parts
        ],
    )


def _print_day(desk: "Desk", view: "DispersionView") -> None:
    late = [late_words(one, partial(code_of, desk)) for one in view.always_late]
    for words in dispersion_lines(view, partial(code_of, desk))[: -len(late) or None]:
        line(words)
    line(f"since {view.since:%d %b %Y}, the costliest first")
    table(
        ("code", ">runs", ">late", ">traded", ">dispersion", ">bps", ">unfilled", ">slippage"),
        [
            (
                code_of(desk, one.client_id),
                str(one.runs),
                str(one.late_runs),
                rupees(one.notional_paise),
                signed(one.dispersion_paise),
                DASH if one.dispersion_bps is None else str(one.dispersion_bps),
                signed(one.unfilled_paise),
                signed(one.slippage_paise),
            )
            for one in view.month
        ],
    )
    for words in late:
        line(words)
