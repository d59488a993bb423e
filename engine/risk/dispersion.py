"""What a run's clients got beside each other: against the run's own average and the price planned at.

Everything is a cost in paise, so that a figure below zero is a client's advantage:

* dispersion = what a client traded at, less what as many shares cost at the average of all of the run's
  trades in that leg and side; the sum over all clients is 0, but for roundings;
* unfilled = what the shares that a client had asked for and did not get cost more at the close than at that
  average, or than at the price planned at where nobody got any;
* slippage = what a client traded at, less what as many shares cost at the price planned at.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from data.money import BPS, half_up
from data.vocabulary import Side

LATE_RUNS = 5
"""A client that was late in each of so many runs or more is named."""


class Sent(Struct, frozen=True):
    """What of a run was sent for a client in a leg: shares asked for and got, and what those came to.

    `arrival_paise` is the price at the plan; `close_paise` that at the close of its day, None before it.
    """

    client_id: int
    leg: int
    key: str
    side: Side
    quantity: int
    filled: int
    notional_paise: int
    arrival_paise: int
    close_paise: int | None


class RunPart(Struct, frozen=True):
    """A client's part of a leg. Costs are in paise, `bps` of what it traded; None where nothing is known."""

    client_id: int
    leg: int
    key: str
    side: Side
    quantity: int
    filled: int
    average_paise: int | None
    dispersion_paise: int
    dispersion_bps: int | None
    unfilled_paise: int | None
    slippage_paise: int
    slippage_bps: int | None
    notional_paise: int


class Place(Struct, frozen=True):
    """At which place of how many a client of a run was sent to, from 1."""

    client_id: int
    place: int
    of: int

    @property
    def late(self) -> bool:
        """Whether it was in the last third; of less than three clients nobody is."""
        return self.of >= 3 and 3 * (self.place - 1) >= 2 * self.of


def parts_of(sent: Iterable[Sent]) -> list[RunPart]:
    """What each client's part of a run cost beside the run's own average, in the order given."""
    rows = list(sent)
    filled: dict[tuple[int, Side], int] = defaultdict(int)
    traded: dict[tuple[int, Side], int] = defaultdict(int)
    for one in rows:
        filled[one.leg, one.side] += one.filled
        traded[one.leg, one.side] += one.notional_paise
    return [_part(one, traded[one.leg, one.side], filled[one.leg, one.side]) for one in rows]


def _part(one: Sent, traded_paise: int, filled: int) -> RunPart:
    sign = 1 if one.side is Side.BUY else -1
    off = half_up(sign * (one.notional_paise * filled - one.filled * traded_paise), filled) if filled else 0
    slipped = sign * (one.notional_paise - one.filled * one.arrival_paise) if one.arrival_paise else 0
    return RunPart(
        one.client_id,
        one.leg,
        one.key,
        one.side,
        one.quantity,
        one.filled,
        half_up(one.notional_paise, one.filled) if one.filled else None,
        off,
        half_up(off * BPS, one.notional_paise) if one.notional_paise else None,
        _unfilled(one, sign, traded_paise, filled),
        slipped,
        half_up(slipped * BPS, one.filled * one.arrival_paise) if one.filled and one.arrival_paise else None,
        one.notional_paise,
    )


def _unfilled(one: Sent, sign: int, traded_paise: int, filled: int) -> int | None:
    missed = max(0, one.quantity - one.filled)
    if not missed:
        return 0
    if one.close_paise is None or not (filled or one.arrival_paise):
        return None
    if filled:
        return half_up(sign * missed * (one.close_paise * filled - traded_paise), filled)
    return sign * missed * (one.close_paise - one.arrival_paise)


def places_of(clients: Sequence[int]) -> list[Place]:
    """The places of clients that orders were sent for, one a client, given in the order of sending."""
    order = list(dict.fromkeys(clients))
    return [Place(client_id, number, len(order)) for number, client_id in enumerate(order, start=1)]


class RunCost(Struct, frozen=True):
    """What a client's runs of a time cost beside the runs' own averages, in paise."""

    client_id: int
    runs: int = 0
    late_runs: int = 0
    notional_paise: int = 0
    dispersion_paise: int = 0
    unfilled_paise: int = 0
    slippage_paise: int = 0

    @property
    def dispersion_bps(self) -> int | None:
        """Of what it traded in them; None where that is nothing."""
        return half_up(self.dispersion_paise * BPS, self.notional_paise) if self.notional_paise else None

    @property
    def always_late(self) -> bool:
        """Whether it was late in every run, `LATE_RUNS` of them at least."""
        return self.runs >= LATE_RUNS and self.late_runs == self.runs


def costs_of(runs: Iterable[tuple[Sequence[RunPart], Sequence[Place]]]) -> dict[int, RunCost]:
    """What some runs cost each client, by client."""
    found: dict[int, RunCost] = {}
    for parts, places in runs:
        for place in places:
            one = RunCost(place.client_id, 1, int(place.late))
            found[place.client_id] = together(found.get(place.client_id), one)
        for part in parts:
            one = RunCost(
                part.client_id,
                notional_paise=part.notional_paise,
                dispersion_paise=part.dispersion_paise,
                unfilled_paise=part.unfilled_paise or 0,
                slippage_paise=part.slippage_paise,
            )
            found[part.client_id] = together(found.get(part.client_id), one)
    return found


def together(one: RunCost | None, other: RunCost) -> RunCost:
    """Two times of one client."""
    if one is None:
        return other
    return RunCost(
        one.client_id,
        one.runs + other.runs,
        one.late_runs + other.late_runs,
        one.notional_paise + other.notional_paise,
        one.dispersion_paise + other.dispersion_paise,
        one.unfilled_paise + other.unfilled_paise,
        one.slippage_paise + other.slippage_paise,
    )


def month_to_date(before: Iterable[RunCost], today: Mapping[int, RunCost]) -> dict[int, RunCost]:
    """What was closed of a month's days before, and today's."""
    found = dict(today)
    for one in before:
        found[one.client_id] = together(found.get(one.client_id), one)
    return found
