"""Several legs planned together: what one takes of a client's money and shares is not there for the next."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from data.records import replace
from data.vocabulary import PerClient, Reason, Side, Verdict
from engine.planning.checks import ClientInput, PlanInputs
from engine.planning.fitting import fitted
from engine.planning.intent import Intent, check_legs
from engine.planning.lines import plan
from engine.planning.plan import Plan, PlanLine
from engine.planning.why import LegsLost, MoneyShort


def plan_legs(intent: Intent, inputs: Sequence[PlanInputs]) -> Plan:
    """The intent applied to the inputs of each of its legs. Pure, as `plan` is, and raises what that raises.

    Where a client's legs go all or none, one that cannot go keeps back the others, which say so; one that
    was dropped by hand does not. Who lacks money then is offered all its legs, smaller in the same measure.
    """
    check_legs(intent)
    if not intent.further:
        return plan(replace(intent, per_client=PerClient.ALL), inputs[0])
    taken = _Taken()
    parts: list[Plan] = []
    for number, (leg, one) in enumerate(zip(intent.legs, inputs, strict=True), 1):
        left = replace(
            one, clients=tuple(taken.left(client, one.instrument.security) for client in one.clients)
        )
        part = plan(intent.parts[number - 1], left)
        taken.take(part)
        parts.append(replace(part, leg=number, stage=leg.stage, per_client=intent.per_client))
    if intent.per_client is PerClient.ALL:
        parts = _all_or_none(fitted(parts, inputs), _available(inputs))
    return replace(parts[0], intent=intent, further=tuple(parts[1:]))


class _Taken:
    """What the legs planned so far take."""

    def __init__(self) -> None:
        self._money = Counter[int]()
        self._loans = Counter[int]()
        self._shares = Counter[tuple[int, str, str]]()

    def take(self, part: Plan) -> None:
        for line in part.ok_lines:
            if part.intent.side is Side.BUY:
                self._money[line.client_id] += line.reserve_paise
                self._loans[line.client_id] += line.loan_paise
            else:
                place = line.client_id, part.instrument.security, line.product.value
                self._shares[place] += line.quantity

    def left(self, client: ClientInput, security: str) -> ClientInput:
        """The client as the legs so far leave it."""
        return replace(
            client,
            available_paise=client.available_paise - self._money[client.client_id],
            sized_on_paise=client.available_paise,
            mtf_reserved_paise=client.mtf_reserved_paise + self._loans[client.client_id],
            holdings=tuple(
                replace(
                    held,
                    sellable=held.sellable - self._shares[client.client_id, security, held.product.value],
                )
                for held in client.holdings
            ),
        )


def _available(inputs: Sequence[PlanInputs]) -> dict[int, int]:
    return {client.client_id: client.available_paise for one in inputs for client in one.clients}


def _all_or_none(parts: Sequence[Plan], available: Mapping[int, int]) -> list[Plan]:
    lost: dict[int, set[int]] = defaultdict(set)
    wanted = Counter[int]()
    for part in parts:
        for line in part.lines:
            wanted[line.client_id] += line.reserve_paise if part.intent.side is Side.BUY else 0
            if not line.ok and not line.dropped:
                lost[line.client_id].add(part.leg)

    def kept(part: Plan, line: PlanLine) -> PlanLine:
        """The line, skipped where a leg of its client is lost; then the client keeps all that it has."""
        if not lost[line.client_id]:
            return line
        has = available[line.client_id]
        line = replace(line, available_before_paise=has, available_after_paise=has)
        if line.reason is Reason.INSUFFICIENT_FUNDS:
            short = wanted[line.client_id] - has
            return replace(line, short_paise=short, why=(MoneyShort(short),))
        if not line.ok:
            return line
        others = LegsLost(tuple(sorted(lost[line.client_id])))
        return replace(
            line,
            verdict=Verdict.SKIPPED,
            reason=Reason.OTHER_LEG,
            why=(others,),
            quantity=0,
            left_paise=0,
        )

    return [replace(part, lines=tuple(kept(part, line) for line in part.lines)) for part in parts]
