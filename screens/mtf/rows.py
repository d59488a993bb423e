"""The columns of clients on margin and of what is to be watched of them. Cells read when painted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from data.vocabulary import MtfWarningKind
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.mtf import list_words, near_words, warning_words
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.mtf.views import MtfView
    from engine.mtf.warnings import MtfWarning

KIND_WORDS = {
    MtfWarningKind.FLOOR: "floor",
    MtfWarningKind.CALL: "call",
    MtfWarningKind.PLEDGE: "pledge",
    MtfWarningKind.LEFT_LIST: "off the list",
    MtfWarningKind.ACTION: "ex-date",
    MtfWarningKind.MANY: "many",
}
"""What a warning is of, in its column."""

FARTHEST = 1 << 31
"""Where a client without a ladder sorts."""


def client_columns(desk: Desk, views: Mapping[int, MtfView], masked: Callable[[], bool]) -> list[Column]:
    """Clients on margin, by id."""

    def fall(client: int) -> int:
        near = views[client].nearest
        return FARTHEST if near is None or near.fall_bps is None else -1 if near.reached else near.fall_bps

    def money(of: Callable[[MtfView], int]) -> Callable[[int], str]:
        return lambda client: MASK if masked() else formats.rupees(of(views[client]))

    def style(client: int) -> str | None:
        near = views[client].nearest
        return "down" if near is not None and near.reached else None

    def used(client: int) -> str:
        funds = desk.funds.of(client)
        return formats.whole_percent(funds.mtf_used_bps)

    def name(client: int) -> str:
        return MASK if masked() else desk.clients.get(client).name

    return [
        Column("code", "code", 6, lambda client: desk.clients.get(client).code),
        Column("near", "nearest", 18, lambda client: near_words(views[client]), style=style, sort=fall),
        Column("name", "client", 10, name, flex=True, priority=1),
        Column("lent", "lent", 10, money(lambda one: one.loan_paise), "right"),
        Column("used", "lim %", 5, used, "right", priority=2),
        Column("own", "own", 9, money(lambda one: one.own_paise), "right"),
        Column("value", "value", 10, money(lambda one: one.value_paise), "right", priority=3),
        Column("free", "free", 9, money(lambda one: one.cash_paise), "right"),
        Column("interest", "int/day", 7, money(lambda one: one.interest_a_day_paise), "right"),
        Column("stocks", "st", 2, lambda client: str(len(views[client].stocks)), "right", priority=4),
        Column("list", "its broker's list", 22, lambda client: list_words(views[client]), priority=5),
    ]


def warning_columns(desk: Desk) -> list[Column]:
    """What is to be watched, a row a warning."""
    return [
        Column("code", "code", 6, lambda one: desk.clients.get(one.client_id).code),
        Column("kind", "of", 12, lambda one: KIND_WORDS[one.kind]),
        Column("words", "what", 20, warning_words, flex=True, most=LINE_CELLS),
    ]


def warning_record(desk: Desk, one: MtfWarning) -> dict[str, str]:
    """The warning as a row of a file."""
    return {
        "code": desk.clients.get(one.client_id).code,
        "of": KIND_WORDS[one.kind],
        "what": warning_words(one),
    }


def client_row(desk: Desk, view: MtfView) -> dict[str, str]:
    """The client as a row of a file."""
    return {
        "code": desk.clients.get(view.client_id).code,
        "nearest": near_words(view),
        "lent": formats.rupees(view.loan_paise),
        "own": formats.rupees(view.own_paise),
        "value": formats.rupees(view.value_paise),
        "free": formats.rupees(view.cash_paise),
        "interest a day": formats.price(view.interest_a_day_paise),
        "stocks": str(len(view.stocks)),
    }
