"""Baskets in words: their legs, how a client's legs go together, and how far each has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.vocabulary import OrderState, PerClient, RunCount, Side
from engine.execution.views import COUNTED
from engine.words import formats
from engine.words.formats import counted
from engine.words.trading.plans import problem, report_verdict, sizing_words

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.execution.views import LegCounts
    from engine.planning.by_client import PlanClient
    from engine.planning.intent import Leg
    from engine.planning.plan import Plan

PER_CLIENT_WORDS = {
    PerClient.ALL: "all legs of a client or none",
    PerClient.IN_ORDER: "each client's legs in their order while its cash lasts",
}
"""How a client's legs go together, as a plan says it."""

SHORT_PER_CLIENT = {PerClient.ALL: "all or none", PerClient.IN_ORDER: "in order"}
"""The same in few words."""


def size_words(leg: Leg, listed: bool = False) -> str:
    """How much of a leg each client trades; where the clients are listed, that each has its own quantity."""
    return "as listed" if listed else sizing_words(leg.sizing)


def leg_price_words(leg: Leg) -> str:
    """At which prices a leg's orders go: `MARKET`, `LIMIT 2,450.00`, `SL 2,450.00 trigger 2,440.00`."""
    prices = [] if leg.limit_paise is None else [formats.price(leg.limit_paise)]
    if leg.trigger_paise is not None:
        prices.append(f"trigger {formats.price(leg.trigger_paise)}")
    return " ".join((leg.order_type.value, *prices))


def leg_words(leg: Leg) -> str:
    """A leg in a few words, such as `BUY RELIANCE 15 % of capital`."""
    return f"{leg.side.value} {leg.key.partition(':')[2]} {sizing_words(leg.sizing)}"


def client_verdict(plan: Plan, client: PlanClient) -> str:
    """What a plan says of a client: ok, or what keeps all or some of its legs back and what could go."""
    lost = client.problem
    if lost is None:
        return "ok"
    part = next(part for part in plan.parts if any(line is lost for line in client.lines.get(part.leg, ())))
    symbol = part.instrument.tradingsymbol
    why = f"{symbol}: {report_verdict(lost, part.intent.side, ways=plan.per_client is PerClient.IN_ORDER)}"
    if client.going:
        return f"{client.going} of {len(client.lines)} legs · {why}"
    if plan.per_client is PerClient.ALL and (could := client.affordable):
        sizes = [
            f"{formats.quantity(could[part.leg])} {part.instrument.tradingsymbol}"
            for part in plan.parts
            if part.leg in could
        ]
        return f"{why} · affordable {', '.join(sizes)}"
    return why


def short_verdict(plan: Plan, client: PlanClient) -> str:
    """The same in few words: `short 2,51,688 · a 5, 6, 14`, the last what the key `a` makes of its legs."""
    if client.problem is None:
        return "ok"
    words = problem(client.problem)
    if client.going:
        return f"{client.going} of {len(client.lines)} legs · {words}"
    if plan.per_client is PerClient.ALL and (could := client.affordable):
        return f"{words} · a {', '.join(formats.quantity(could.get(part.leg, 0)) for part in plan.parts)}"
    return words


def kept_back_words(plan: Plan | None) -> dict[int, str]:
    """What a plan keeps back, by client; nothing of who goes whole."""
    from engine.planning.by_client import clients_of  # not before a plan is told: it loads the brokers

    clients = [] if plan is None else clients_of(plan)
    return {
        one.client_id: short_verdict(plan, one)
        for one in clients
        if plan is not None and one.problem is not None
    }


def basket_outcome_words(plan: Plan, clients: Sequence[PlanClient]) -> str:
    """`BUY TCS 5 % of capital and 2 legs more: 131 orders for 45 of 50 clients`, and who goes in part."""
    return f"{plan.title}: {orders_words(plan, clients)}"


def orders_words(plan: Plan, clients: Sequence[PlanClient]) -> str:
    """`131 orders for 45 of 50 clients`, and who of them goes in part."""
    whole = sum(client.problem is None and client.going > 0 for client in clients)
    partly = sum(client.problem is not None and client.going > 0 for client in clients)
    orders, of = counted(plan.orders, "order"), counted(len(clients), "client")
    words = f"{orders} for {whole + partly} of {of}"
    return f"{words}, {partly} of them in part" if partly else words


def fill_words(orders: Sequence[OrderView], wanted: int | None = None) -> str:
    """How far orders have come: `6/6`, with the state that the trader has to know of where one is not filled.

    `wanted` is what was planned, where not all of that became orders.
    """
    if not orders:
        return ""
    filled = sum(order.filled_quantity for order in orders)
    of = sum(order.quantity for order in orders) if wanted is None else wanted
    words = f"{formats.quantity(filled)}/{formats.quantity(of)}"
    states = {order.state for order in orders} - {OrderState.FILLED}
    return words if not states else f"{COUNTED[min(states, key=_RANK.index)].words} {words}"


_RANK = (OrderState.UNKNOWN, *sorted(set(OrderState) - {OrderState.UNKNOWN}))
"""Which state several orders tell first."""


def leg_progress_words(leg: LegCounts, brief: bool = False) -> str:
    """How far a leg has come: `RELIANCE 22/45`, with what is live, unsent, failed or unknown of it.

    In brief the last two alone are said.
    """
    counts = leg.counts
    failed = sum(counts[word] for word in (RunCount.REJECTED, RunCount.DENIED, RunCount.NOT_RECEIVED))
    live = 0 if brief else counts[RunCount.OPEN] + counts[RunCount.SENDING]
    unsent = 0 if brief else counts[RunCount.UNSENT]
    found = ((live, "live"), (unsent, "unsent"), (failed, "failed"), (counts[RunCount.UNKNOWN], "UNKNOWN"))
    said = [f"{count} {word}" for count, word in found if count]
    side = "" if leg.side is Side.BUY else "sell "
    words = f"{side}{leg.symbol} {counts[RunCount.FILLED]}/{counts[RunCount.TOTAL]}"
    return f"{words} ({', '.join(said)})" if said else words


def progress_words(legs: Sequence[LegCounts], brief: bool = False) -> str:
    """How far a run of several legs has come, in all and leg by leg; in brief as a narrow line has room."""
    filled = sum(leg.counts[RunCount.FILLED] for leg in legs)
    total = sum(leg.counts[RunCount.TOTAL] for leg in legs)
    each = " · ".join(leg_progress_words(leg, brief) for leg in legs)
    return f"filled {filled}/{total}{'' if brief else ' in all'} · {each}"
