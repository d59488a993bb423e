"""A plan of several legs as one row a client: what it trades in each leg, and what keeps it back."""

from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct

from data.money import BPS
from data.records import replace
from data.vocabulary import AlternativeKind, Reason, Side
from engine.planning.intent import Intent, LineChange
from engine.planning.lines import place_of
from engine.planning.plan import Plan, PlanLine


class PlanClient(Struct, frozen=True):
    """One client in a plan: its lines by leg, which are several of one leg where it sells as held.

    `problem` is the line that says what keeps it, or one of its legs, back. Money is in paise, before and
    behind all its legs.
    """

    client_id: int
    code: str
    name: str
    lines: Mapping[int, tuple[PlanLine, ...]]
    reserve_paise: int
    available_before_paise: int
    available_after_paise: int
    problem: PlanLine | None

    def quantity(self, leg: int) -> int:
        """What would be sent of a leg."""
        return sum(line.quantity for line in self.lines.get(leg, ()))

    def worth_paise(self, part: Plan) -> int:
        """What would be sent of a leg, at its limit, else at its last price."""
        return self.quantity(part.leg) * (part.intent.limit_paise or part.last_paise)

    def weight_bps(self, part: Plan) -> int | None:
        """That in basis points of what the leg is sized on; None where that is no money."""
        base = next((line.base_paise for line in self.lines.get(part.leg, ())), 0)
        return self.worth_paise(part) * BPS // base if base else None

    @property
    def going(self) -> int:
        """How many of its legs would be sent."""
        return sum(any(line.ok for line in lines) for lines in self.lines.values())

    @property
    def affordable(self) -> dict[int, int]:
        """What it could pay, by leg; empty where nothing is short or nothing can be paid."""
        return {
            leg: way.quantity
            for leg, lines in self.lines.items()
            for line in lines
            for way in line.alternatives
            if way.kind is AlternativeKind.AFFORDABLE
        }


def clients_of(plan: Plan) -> list[PlanClient]:
    """The clients of a plan, problems first, as its lines stand."""
    lines: dict[int, dict[int, list[PlanLine]]] = defaultdict(lambda: defaultdict(list))
    taken: dict[int, int] = defaultdict(int)
    for part in plan.parts:
        for line in part.lines:
            lines[line.client_id][part.leg].append(line)
            if line.ok and part.intent.side is Side.BUY:
                taken[line.client_id] += line.reserve_paise
    clients = [_client(client_id, legs, taken[client_id]) for client_id, legs in lines.items()]
    return sorted(clients, key=_place)


def _client(client_id: int, legs: Mapping[int, list[PlanLine]], taken: int) -> PlanClient:
    every = [line for own in legs.values() for line in own]
    lost = [line for line in every if not line.ok and not line.dropped]
    own = [line for line in lost if line.reason is not Reason.OTHER_LEG]
    before = every[0].available_before_paise
    return PlanClient(
        client_id=client_id,
        code=every[0].code,
        name=every[0].name,
        lines={leg: tuple(lines) for leg, lines in legs.items()},
        reserve_paise=taken,
        available_before_paise=before,
        available_after_paise=before - taken,
        problem=min(own or lost, key=place_of, default=None),
    )


def _place(client: PlanClient) -> tuple[object, ...]:
    every = [line for lines in client.lines.values() for line in lines]
    return place_of(client.problem or min(every, key=place_of))


def with_affordable(plan: Plan) -> Intent:
    """The plan's intent with every line that lacks money or shares at what could be paid or sold of it."""
    kept = {(one.leg, one.client_id): one for one in plan.intent.line_changes}
    for part in plan.parts:
        for line in part.lines:
            for way in line.alternatives:
                if way.kind is AlternativeKind.AFFORDABLE:
                    product = line.product if part.intent.product is None else None
                    kept[part.leg, line.client_id] = LineChange(
                        line.client_id, way.quantity, product, part.leg
                    )
    return replace(plan.intent, line_changes=tuple(kept.values()))
