"""What a trader is warned of about shares on margin. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from msgspec import Struct

from data.reference.mtf import MtfTerms
from data.repositories.mtf import ListedStock, StoredAction
from data.vocabulary import MtfLevel, MtfWarningKind
from engine.mtf.ladder import Rung
from engine.mtf.pledges import PledgeView
from engine.mtf.views import MtfStock, MtfView

NEAR_BPS = 100
"""A call that so small a fall would bring is warned of before it comes."""


class MtfWarning(Struct, frozen=True):
    """A warning about a client, or about one of its stocks.

    With the rung that is reached or near, the pledge, the company's action, since when the stock is off the
    broker's list, or how many stocks there are.
    """

    kind: MtfWarningKind
    client_id: int
    stock: MtfStock | None = None
    rung: Rung | None = None
    pledge: PledgeView | None = None
    action: StoredAction | None = None
    left_on: date | None = None
    days: int | None = None
    count: int = 0


def of_ladder(view: MtfView) -> list[MtfWarning]:
    """The floor once it is reached, and a call or sale that is reached or near."""
    found: list[MtfWarning] = []
    for rung in view.rungs:
        if rung.threshold.level is MtfLevel.FLOOR:
            if rung.reached:
                found.append(MtfWarning(MtfWarningKind.FLOOR, view.client_id, rung=rung))
        elif rung.reached or (rung.fall_bps is not None and rung.fall_bps <= NEAR_BPS):
            found.append(MtfWarning(MtfWarningKind.CALL, view.client_id, rung=rung))
    return found


def of_count(view: MtfView, most: int) -> list[MtfWarning]:
    """More stocks on margin than one keeps an eye on."""
    count = len(view.stocks)
    return [MtfWarning(MtfWarningKind.MANY, view.client_id, count=count)] if count > most else []


def of_list(
    view: MtfView, terms: MtfTerms, listed: Callable[[str, str], ListedStock | None]
) -> list[MtfWarning]:
    """Stocks held that the broker's list has no more, with how many days it then leaves."""
    found: list[MtfWarning] = []
    for stock in view.stocks:
        one = listed(view.broker, stock.key)
        if one is not None and one.left_on is not None:
            found.append(
                MtfWarning(
                    MtfWarningKind.LEFT_LIST,
                    view.client_id,
                    stock=stock,
                    left_on=one.left_on,
                    days=terms.left_list_days,
                )
            )
    return found


def of_actions(
    view: MtfView, terms: MtfTerms, actions: Sequence[StoredAction], until: date | None
) -> list[MtfWarning]:
    """Actions before which the broker ends positions, of stocks held, with an ex-date up to `until`."""
    return [
        MtfWarning(MtfWarningKind.ACTION, view.client_id, stock=stock, action=one)
        for stock in view.stocks
        for one in actions
        if until is not None
        and one.key == stock.key
        and one.ex_date <= until
        and one.kind in terms.ends_before
    ]


def of_pledges(pledges: Iterable[PledgeView]) -> list[MtfWarning]:
    """Pledges that somebody has to accept still."""
    return [MtfWarning(MtfWarningKind.PLEDGE, one.client_id, pledge=one) for one in pledges if one.open]
