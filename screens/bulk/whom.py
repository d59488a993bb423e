"""Whom a bulk intent may be for: marked clients, holders, groups, brokers, all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import Side
from engine.planning.intent import Selection
from engine.planning.titles import MARKED, broker_title, group_title, marked_title, shown_title
from engine.words.formats import counted
from engine.words.trading.plans import run_named_by

if TYPE_CHECKING:
    from engine.desk import Desk


class Whom(Struct, frozen=True):
    """The selections offered by their words, None for whoever holds it; `first` is the one chosen at first.

    `marked` and `shown` are the clients that were marked, or that a group or filter left in view, where the
    form was begun.
    """

    options: dict[str, Selection | None]
    first: str
    marked: tuple[int, ...]
    shown: tuple[int, ...]


NOBODY_YET = Whom({}, "", (), ())
"""Before a form was begun."""


def whom(
    desk: Desk, side: Side, marked: Sequence[int], shown: Sequence[int], given: Selection | None
) -> Whom:
    """What was given, is marked or alone shown stands first and says so in words."""
    clients = desk.clients.all()
    everyone = f"all ({len(clients)})"
    options: dict[str, Selection | None] = {}
    narrow = given is not None and bool(given.client_ids or given.groups or given.brokers)
    if given is not None and narrow:
        # Whom it is for, which stays true once another size has made it an ordinary plan.
        run = run_named_by(given.title)
        options[f"{len(given.client_ids)} of {run}" if run else given.title] = given
    if marked:
        title = marked_title(len(marked), len(clients))
        options[title] = Selection(client_ids=tuple(marked), title=title)
    if shown:
        title = shown_title(len(shown), len(clients))
        options[title] = Selection(client_ids=tuple(shown), title=title)
    if side is Side.SELL:
        options["holders"] = None
    options[everyone] = Selection()
    for group in desk.clients.groups():
        title = group_title(group, clients)
        options[title] = Selection(groups=(group,), title=title)
    brokers = sorted({client.broker for client in clients})
    for broker in brokers if len(brokers) > 1 else []:
        title = broker_title(broker, clients)
        options[title] = Selection(brokers=(broker,), title=title)
    if given is not None and MARKED in given.title:
        marked = given.client_ids
    if given is not None and given.title == shown_title(len(given.client_ids), len(clients)):
        shown = given.client_ids
    first = everyone if given is not None and not narrow else next(iter(options))
    return Whom(options, first, tuple(marked), tuple(shown))


def holders_of(desk: Desk, key: str | None) -> tuple[int, ...]:
    """Clients with anything of the symbol, in the order of their codes."""
    return desk.holdings.holders(key) if key else ()


def whom_words(desk: Desk, among: Whom, chosen: str, key: str | None) -> tuple[str, bool]:
    """What stands beside the choice, and whether it says that not everybody is meant."""
    if chosen == "holders":
        return f"{counted(len(holders_of(desk, key)), 'client', 'hold')} it", False
    if MARKED in chosen:
        return "only the marked clients; ← → for all or a group", True
    if among.shown and chosen == shown_title(len(among.shown), len(desk.clients.all())):
        return "only the clients that were in view; ← → for all or a group", True
    return "← → marked, groups, brokers", False
