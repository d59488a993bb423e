"""Chases on the screen: how many go on or wait, and the key that lets one stand, or has it go on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from engine.execution.changes.chases import GO_ON
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from engine.words.trading.modify_words import chase_words
from screens.frame.cards.confirm import WordsCard
from screens.orders.cancel import order_words

if TYPE_CHECKING:
    from engine.desk import Desk
    from screens.frame.dock import DockHost

SHOWN = 5
"""Orders that the question names."""


def chasing_words(desk: Desk) -> str:
    """How many orders follow their market, and how many of them wait; empty where none does."""
    going, asking = len(desk.chases.going), len(desk.chases.asking)
    if not going:
        return ""
    return f"chasing {going}, {f'{asking} WAIT for p' if asking else 'p lets one stand'}"


def let_stand_or_go_on(screen: DockHost[Any], order_ids: Collection[int]) -> None:
    """Let orders follow their market no further; where some wait for the trader, have those go on.

    That asks for the typed word.
    """
    chases = screen.desk.chases
    if waiting := sorted(set(order_ids).intersection(chases.asking)):
        _ask(screen, waiting)
        return
    stopped = chases.stop(order_ids)
    screen.shell.say(f"chase ended: {counted(stopped, 'order', 'stay')} at the last limit")


def _ask(screen: DockHost[Any], order_ids: Sequence[int]) -> None:
    desk, shell = screen.desk, screen.shell

    async def go_on() -> None:
        try:
            count = await desk.chases.go_on(order_ids, GO_ON)
        except Exception as problem:
            shell.say(f"chase: {refusal_words(problem)}", "warning")
        else:
            shell.say(f"{counted(count, 'order', 'follow')} the market again; p lets one stand")

    def answered(yes: bool | None) -> None:
        if yes:
            screen.carry_out(go_on())

    going = [chase for one in order_ids if (chase := desk.chases.of(one))]
    lines: list[str] = []
    for chase in going[:SHOWN]:
        order = desk.orders.get(chase.order_id)
        lines += [order_words(desk, order, shell.privacy), f"  {chase_words(chase)}"]
    if len(going) > SHOWN:
        lines.append(f"and {counted(len(going) - SHOWN, 'more order')}")
    screen.open_card(WordsCard(f"GO ON chasing {counted(len(going), 'order')}", lines, GO_ON), answered)
