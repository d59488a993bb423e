"""A frozen plan confirmed at the command line, carried out, and followed to its outcome."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from data.vocabulary import OrderState, Reason, RunCount
from engine.words.trading.baskets import basket_outcome_words, progress_words
from engine.words.trading.plans import outcome_words
from engine.words.trading.reasons import counts_words
from engine.words.trading.runs import paused_words
from tradedesk.cli.exits import Exit, explain
from tradedesk.cli.options import json_too
from tradedesk.cli.printing.output import document, say
from tradedesk.cli.printing.printed import print_plan, print_run, print_what_ifs
from tradedesk.cli.session import confirmed, until
from tradedesk.cli.views.orders import whole_run_shape
from tradedesk.cli.views.plans import plan_shape, what_if_shape

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.execution.views import RunView
    from engine.planning.plan import Plan
    from engine.planning.what_if import WhatIf


async def send_stored(desk: "Desk", digest: str, patience: float, as_json: bool) -> Exit:
    """Carry out the stored plan with this hash as it stands. Raises `BadInput` where there is none."""
    made = await desk.plans.by_digest(digest)
    return await _start(desk, made, digest, patience, as_json)


async def send(desk: "Desk", made: "Plan", yes: bool, patience: float, as_json: bool) -> Exit:
    """Confirm a frozen plan and carry it out."""
    from engine.planning.by_client import clients_of

    if not made.orders:
        return _nothing(made, as_json)
    if not as_json:
        print_plan(made)
    outcome = basket_outcome_words(made, clients_of(made)) if made.in_legs else outcome_words(made)
    what = f"{desk.mode}  {outcome}"
    then = [_command(made), "--confirm", made.digest, "--wait", f"{patience:g}", *json_too(as_json)]
    if not await confirmed(made.answer, what, yes, _how_to_confirm(made), then):
        if as_json:
            document({"plan": plan_shape(made), "run": None})
        return Exit.NOTHING_SENT
    return await _start(desk, made, made.digest, patience, as_json)


def show_plan(made: "Plan", as_json: bool, found: "Sequence[WhatIf]" = (), command: str = "") -> Exit:
    """Print a frozen plan with what it would leave of its clients, and how it is sent or why it cannot be.

    `command` is what confirms it, where that is not the one of its kind.
    """
    if as_json:
        after = {"what_if": [what_if_shape(one) for one in found]} if found else {}
        document({"plan": plan_shape(made), **after})
    else:
        print_plan(made)
        print_what_ifs(found)
    if not made.orders:
        return _none_to_send(made, "nothing can be sent")
    say(_how_to_confirm(made, command))
    return Exit.DONE


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
    async with _telling(desk, number, bool(made.further)):
        return await _followed(desk, number, made, longest_s, patience, as_json)


@asynccontextmanager
async def _telling(desk: "Desk", number: int, legs: bool) -> AsyncGenerator[None]:
    """Say meanwhile how far a run of several legs has come, every two seconds."""

    async def tell() -> None:
        from engine.execution.views import by_leg

        while True:
            await desk.clock.sleep(TELL_EVERY_S)
            orders = [desk.orders.get(order_id) for order_id in desk.runs.get(number).order_ids]
            say(f"run {number}: {progress_words(by_leg(orders))}")

    telling = asyncio.create_task(tell()) if legs else None
    try:
        yield
    finally:
        if telling is not None:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


TELL_EVERY_S = 2.0


async def _followed(
    desk: "Desk", number: int, made: "Plan", longest_s: float, patience: float, as_json: bool
) -> Exit:
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
        document({"plan": plan_shape(made), "run": whole_run_shape(desk, ended)})
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


def _how_to_confirm(made: "Plan", command: str = "") -> str:
    """Which command sends a frozen plan, and until when."""
    valid_s = (made.expires_at - made.frozen_at).total_seconds()
    command = command or f"{_command(made)} --confirm"
    how = f"`tradedesk {command} {made.short_digest}` sends this plan within {valid_s:g} s"
    return f"{how}, but first `tradedesk resume`: the desk is HALTED" if made.desk_halted else how


def _command(made: "Plan") -> str:
    return "basket" if made.in_legs else "bulk"
