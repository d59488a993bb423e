"""Modifying many live orders from the command line: the list, its typed answer or hash, and its outcome."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from data.errors import BadInput
from data.records import replace
from data.vocabulary import ChaseEnd, LimitTo, OrderState, RequestState
from engine.words.formats import amount, counted, price, quantity
from engine.words.trading.modify_words import (
    beyond_soft,
    chase_end_words,
    ended_words,
    line_words,
    plan_words,
    wait_words,
)
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import json_too
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import confirmed
from tradedesk.cli.views.many import chase_shape, modify_ends_shape, modify_plan_shape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.events import Event
    from engine.execution.changes.bulk import ModifyEnd
    from engine.execution.changes.chases import Chase
    from engine.execution.changes.new_limits import ModifyPlan, NewLimit


class Confirmation(Struct, frozen=True):
    """How a list is confirmed: by its hash, by `--yes`, or typed; `words` are the command as it was given."""

    digest: str | None
    yes: bool
    words: Sequence[str]


WISHES = "--to, --ticks, --to-last, --chase"


def wish_from(
    to: str | None, ticks: str | None, to_last: bool, chase: str | None, override: str
) -> "NewLimit | None":
    """The one wish for many orders that was given; None where none was. Raises `BadInput` for several.

    `override` is the reason for which it goes beyond soft limits.
    """
    typed = {
        LimitTo.PRICE: to,
        LimitTo.TICKS: ticks,
        LimitTo.LAST: "" if to_last else None,
        LimitTo.CHASE: chase,
    }
    given = {where: text for where, text in typed.items() if text is not None}
    if not given:
        return None
    if len(given) > 1:
        raise BadInput("modify", ", ".join(given), f"give one of {WISHES}")
    from engine.execution.changes.new_limits import new_limit_from

    ((where, text),) = given.items()
    return replace(new_limit_from(where, text), override=override)


async def modify_many(
    desk: "Desk",
    order_ids: Collection[int],
    wish: "NewLimit",
    given: Confirmation,
    patience: float,
    as_json: bool,
) -> Exit:
    """Show what the wish would do, and do it once it is confirmed."""
    plan = await desk.modifies.look(order_ids, wish)
    if not as_json:
        _print(desk, plan)
    if not plan.going:
        say("nothing can be modified")
        return _untouched(desk, plan, as_json)
    confirm = given.digest
    if confirm is None:
        what = f"{desk.mode}  {plan_words(plan)}"
        how = f"add --yes, or --confirm {plan.short_digest} for just this list"
        then = [*given.words, "--confirm", plan.digest, *json_too(as_json)]
        if not await confirmed(plan.answer, what, given.yes, how, then):
            return _untouched(desk, plan, as_json)
        confirm = plan.digest
    await desk.hear({one.order.client_id for one in plan.going})
    if wish.to is LimitTo.CHASE:
        return await _chase(desk, plan, confirm, as_json)
    ends = await desk.modifies.ended(await desk.modifies.start(plan, confirm), patience)
    if as_json:
        document({"plan": modify_plan_shape(desk, plan), "results": modify_ends_shape(desk, ends)})
    else:
        _print_ends(desk, ends)
        if beyond := beyond_soft(ends):
            which = " ".join(map(str, sorted(beyond)))
            say(f"beyond a soft limit, which --override REASON passes: {which}")
    return _exit_of(ends)


def _untouched(desk: "Desk", plan: "ModifyPlan", as_json: bool) -> Exit:
    if as_json:
        document({"plan": modify_plan_shape(desk, plan), "results": None})
    return Exit.NOTHING_SENT


def _print(desk: "Desk", plan: "ModifyPlan") -> None:
    rows = [
        (
            str(one.order.id),
            desk.clients.get(one.order.client_id).code,
            f"{one.order.side.value} {one.order.tradingsymbol}",
            quantity(one.order.quantity - one.order.filled_quantity),
            price(one.order.limit_paise),
            price(one.limit_paise),
            amount(one.needs.money_paise) if one.needs else "",
            line_words(one),
        )
        for one in plan.lines
    ]
    table((">order", "code", "", ">open", ">limit", ">new", ">blocks more", "verdict (problems first)"), rows)
    line(plan_words(plan))


def _print_ends(desk: "Desk", ends: "Sequence[ModifyEnd]") -> None:
    line(ended_words(ends))
    for end, told in zip(ends, modify_ends_shape(desk, ends), strict=True):
        if end.state is not RequestState.CONFIRMED:
            line(
                f"order {told.order_id}  {told.code}  {told.result}{': ' if told.detail else ''}{told.detail}"
            )


async def _chase(desk: "Desk", plan: "ModifyPlan", confirm: str, as_json: bool) -> Exit:
    """Follow the market until every chase has ended; ctrl+c lets the orders stand where they are."""
    chases = await desk.chases.start(plan, confirm)
    say(f"{counted(len(chases), 'order', 'follow')} the market; ctrl+c leaves each at its limit")
    heard = desk.events.subscribe(_waits_said)
    await desk.chases.ended(chases)
    heard()
    desk.chases.stop([one.order_id for one in chases])  # nobody is here whose word would have them go on
    for chase in chases:
        await chase.over.wait()
    if as_json:
        told = [chase_shape(desk, chase) for chase in chases]
        document({"plan": modify_plan_shape(desk, plan), "chases": told})
    else:
        for chase in chases:
            _print_chase(desk, chase)
    orders = [desk.orders.get(chase.order_id) for chase in chases]
    if any(order.state is OrderState.UNKNOWN for order in orders):
        return Exit.UNKNOWN
    return Exit.DONE if all(order.state is OrderState.FILLED for order in orders) else Exit.PARTLY


def _waits_said(event: "Event") -> None:
    """Say of each chase that it waits and why, or that it goes on."""
    from engine.events import TapeLine
    from engine.execution.changes.chase_news import ChaseWaits
    from engine.words.tape import news_words

    if isinstance(event, TapeLine) and isinstance(event.news, ChaseWaits):
        say(news_words(event.news))


def _print_chase(desk: "Desk", chase: "Chase") -> None:
    order = desk.orders.get(chase.order_id)
    why, pause = chase_end_words(chase.end, chase.detail) if chase.end else "", chase.pause
    if chase.end is ChaseEnd.STOPPED and pause is not None and pause.asks:
        why = f"{wait_words(pause.why, pause.phase, pause.until, pause.detail)}: chase it again after that"
    code = desk.clients.get(order.client_id).code
    line(
        f"order {order.id}  {code}  {order.side.value} {order.tradingsymbol}  {order.state.value}  "
        f"limit {price(order.limit_paise)} after {counted(chase.pricing.moved, 'change')}: {why}"
    )


def _exit_of(ends: "Sequence[ModifyEnd]") -> Exit:
    states = {end.state for end in ends}
    if RequestState.UNKNOWN in states:
        return Exit.UNKNOWN
    return Exit.DONE if states == {RequestState.CONFIRMED} else Exit.PARTLY
