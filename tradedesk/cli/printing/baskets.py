"""Plans and runs of several legs printed for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.vocabulary import Side
from engine.words.formats import DASH, amount, counted, quantity, rupees
from engine.words.trading.baskets import (
    PER_CLIENT_WORDS,
    basket_outcome_words,
    client_verdict,
    leg_price_words,
    leg_words,
    size_words,
)
from engine.words.trading.plans import late_words, report_verdict
from tradedesk.cli.printing.output import line, table

if TYPE_CHECKING:
    from engine.planning.by_client import PlanClient
    from engine.planning.entry.baskets import Basket
    from engine.planning.intent import Leg
    from engine.planning.plan import Plan

MOST_COLUMNS = 6
"""More legs than that stand below each other, since they do not fit beside each other."""


def print_basket(plan: "Plan") -> None:
    """Print a plan of several legs: its legs, then its clients, problems first."""
    from engine.planning.by_client import clients_of

    clients = clients_of(plan)
    line(
        f"plan {plan.number}  {counted(len(plan.parts), 'leg')}  {PER_CLIENT_WORDS[plan.per_client]}"
        f"  clients {plan.intent.selection.title} ({len(clients)})"
    )
    line(
        f"{counted(plan.orders, 'order')}  {counted(plan.shares, 'share')}"
        f"  reserve ₹{rupees(plan.reserve_paise)}  about {plan.eta_s} s,"
        f" may leave within {plan.send_within_s} s  hash {plan.short_digest}"
    )
    if late := late_words(plan):
        line(f"{late}: they will wait for typed words")
    if plan.desk_halted:
        line("the desk is HALTED: plans may be made, nothing is sent before `tradedesk resume`")
    _print_parts(plan)
    if plan.intent.listed or len(plan.parts) > MOST_COLUMNS:
        _print_lines(plan)
    else:
        _print_clients(plan, clients)
    line(basket_outcome_words(plan, clients))


def _print_parts(plan: "Plan") -> None:
    table(
        (">leg", "side", "symbol", "size", "prod", "price", ">LTP", ">age", ">orders", ">shares", ">reserve"),
        [
            (
                str(part.leg),
                part.intent.side.value,
                part.instrument.tradingsymbol,
                size_words(part.intent.legs[0], plan.intent.listed),
                _product(part.intent.legs[0]),
                leg_price_words(part.intent.legs[0]),
                amount(part.last_paise or None),
                DASH if part.age_s is None else f"{part.age_s:.1f}s",
                quantity(part.orders),
                quantity(part.shares),
                rupees(part.reserve_paise) if part.intent.side is Side.BUY else "",
            )
            for part in plan.parts
        ],
    )


def print_legs(legs: "Sequence[Leg]") -> None:
    """Print the legs of a basket that is planned for nobody yet."""
    table(
        (">leg", "side", "symbol", "size", "prod", "price"),
        [
            (
                str(number),
                leg.side.value,
                leg.key,
                size_words(leg),
                _product(leg),
                leg_price_words(leg),
            )
            for number, leg in enumerate(legs, start=1)
        ],
    )


def _product(leg: "Leg") -> str:
    return leg.product.value if leg.product else "as held"


def _print_clients(plan: "Plan", clients: "Sequence[PlanClient]") -> None:
    symbols = [f">{part.instrument.tradingsymbol}" for part in plan.parts]
    table(
        ("code", "client", *symbols, ">reserve", ">cash after", "verdict (problems first)"),
        [
            (
                client.code,
                client.name,
                *(quantity(client.quantity(part.leg)) for part in plan.parts),
                rupees(client.reserve_paise) if client.going else DASH,
                rupees(client.available_after_paise),
                client_verdict(plan, client),
            )
            for client in clients
        ],
    )


def _print_lines(plan: "Plan") -> None:
    table(
        ("code", "client", "side", "symbol", "prod", ">qty", "price", ">reserve", "verdict (problems first)"),
        [
            (
                entry.code,
                entry.name,
                part.intent.side.value,
                part.instrument.tradingsymbol,
                entry.product.value,
                quantity(entry.quantity),
                leg_price_words(part.intent.legs[0]),
                rupees(entry.reserve_paise) if entry.ok and part.intent.side is Side.BUY else DASH,
                report_verdict(entry, part.intent.side),
            )
            for part, entry in sorted(
                ((part, entry) for part in plan.parts for entry in part.lines),
                key=lambda one: (one[1].ok, one[1].code, one[0].leg),
            )
        ],
    )


def saved_words(basket: "Basket") -> tuple[str, str, str]:
    """A saved basket's legs, how they go together, and who saved it."""
    legs = ", ".join(leg_words(leg) for leg in basket.legs)
    return legs, basket.per_client.value, basket.saved_by
