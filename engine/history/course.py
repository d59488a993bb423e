"""Days of clients put in order, and those of several together, purely."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from data.records import replace
from data.vocabulary.history import CAPITAL
from engine.history.returns import Day
from engine.history.views import FlowView


def with_classes(days: Iterable[Day], flows: Iterable[FlowView]) -> list[Day]:
    """Days whose flows are what the client brought and took; what else they were the day has brought.

    A day that was closed after its flows were classed has brought it already.
    """
    earned: dict[date, int] = defaultdict(int)
    for one in flows:
        if one.kind is not None and one.kind not in CAPITAL:
            earned[one.day] += one.amount_paise
    return [_with_earned(one, earned.get(one.day, 0)) for one in days]


def _with_earned(day: Day, earned: int) -> Day:
    more = earned - day.earned_paise
    if not more:
        return day
    return replace(
        day,
        flow_paise=day.flow_paise - more,
        net_pnl_paise=day.net_pnl_paise + more,
        earned_paise=earned,
    )


def course_of(days: Mapping[int, Mapping[date, Day]], flows: Iterable[FlowView]) -> list[Day]:
    """The days of clients together, given by client and date, behind what they began with."""
    of_client: dict[int, list[FlowView]] = defaultdict(list)
    for one in flows:
        of_client[one.client_id].append(one)
    courses = {
        client_id: with_classes([own[day] for day in sorted(own)], of_client[client_id])
        for client_id, own in days.items()
    }
    return begun(next(iter(courses.values())) if len(courses) == 1 else together(courses))


def begun(days: Sequence[Day]) -> list[Day]:
    """Days behind what they began with, as of the day before the first."""
    if not days:
        return []
    first = days[0]
    began = first.portfolio_paise - first.net_pnl_paise - first.flow_paise
    return [Day(first.day - timedelta(days=1), began, 0, 0), *days]


def together(courses: Mapping[int, Sequence[Day]]) -> list[Day]:
    """The days of several clients by date; what a client comes with flows in on its first day.

    One without a row of a day, such as one that was left open at a close, stands as it stood before.
    """
    by_date: dict[date, list[tuple[int, Day]]] = defaultdict(list)
    for client_id, days in courses.items():
        for one in days:
            by_date[one.day].append((client_id, one))
    standing: dict[int, int] = {}
    found: list[Day] = []
    before = 0
    for day in sorted(by_date):
        rows = by_date[day]
        standing.update({client_id: one.portfolio_paise for client_id, one in rows})
        value, net = sum(standing.values()), sum(one.net_pnl_paise for _, one in rows)
        flow = value - net - before if found else 0
        found.append(Day(day, value, flow, net, any(one.provisional for _, one in rows)))
        before = value
    return found
