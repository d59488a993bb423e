"""What a client that lacks money can pay of a basket: all its legs, smaller in the same measure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from data.money import BPS
from data.records import replace
from data.vocabulary import AlternativeKind, Reason, Side
from engine.planning.checks import ClientInput, PlanInputs
from engine.planning.context import PlanContext
from engine.planning.lines import limit_used_bps
from engine.planning.plan import Alternative, Plan, PlanLine
from engine.planning.sizing import BuyTerms, need, whole_lots

LACKS_MONEY = (Reason.INSUFFICIENT_FUNDS, Reason.MTF_LIMIT)
"""Reasons that smaller legs mend."""


class _Buy(Struct, frozen=True):
    """A client's line of one leg, with the terms under which it pays."""

    leg: int
    line: PlanLine
    terms: BuyTerms
    air_paise: int

    def quantity(self, measure_bps: int) -> int:
        return whole_lots(self.line.wanted * measure_bps // BPS, self.terms.lot_size)


def fitted(parts: Sequence[Plan], inputs: Sequence[PlanInputs]) -> list[Plan]:
    """The plans of all legs, with what each client that lacks money can pay of all of them together.

    It stands on each of its buys as the affordable way out. Who cannot go for another reason, or of whom no
    measure leaves something of every leg, has no such way out: its legs go all or none.
    """
    lines: dict[int, list[tuple[int, PlanLine]]] = defaultdict(list)
    for place, part in enumerate(parts):
        for line in part.lines:
            lines[line.client_id].append((place, line))
    short = {client_id for client_id, own in lines.items() if _is_short([line for _, line in own])}
    if not short:
        return list(parts)
    contexts = [PlanContext(part.intent, one, {}) for part, one in zip(parts, inputs, strict=True)]
    clients = {client.client_id: client for one in inputs for client in one.clients}
    ways = {
        client_id: dict(
            _ways(clients[client_id], _buys(parts, contexts, clients[client_id], lines[client_id]))
        )
        for client_id in short
    }
    return [
        replace(
            part,
            lines=tuple(
                _offered(line, ways[line.client_id].get(part.leg)) if line.client_id in short else line
                for line in part.lines
            ),
        )
        for part in parts
    ]


def _is_short(lines: Sequence[PlanLine]) -> bool:
    """Whether a client's legs would all go, were they small enough."""
    lost = [line for line in lines if not line.ok and not line.dropped]
    return bool(lost) and all(line.reason in LACKS_MONEY for line in lost)


def _buys(
    parts: Sequence[Plan],
    contexts: Sequence[PlanContext],
    client: ClientInput,
    lines: Sequence[tuple[int, PlanLine]],
) -> list[_Buy]:
    found: list[_Buy] = []
    for place, line in lines:
        if parts[place].intent.side is Side.BUY and not line.dropped:
            context = contexts[place]
            terms = context.terms(client, line.product, context.inputs.policy)
            found.append(_Buy(parts[place].leg, line, terms, context.air_paise))
    return found


def _ways(client: ClientInput, buys: Sequence[_Buy]) -> Iterator[tuple[int, Alternative]]:
    measure_bps = _measure_bps(client, buys)
    if not all(buy.quantity(measure_bps) for buy in buys):
        return
    for buy in buys:
        quantity = buy.quantity(measure_bps)
        takes = need(buy.terms, quantity)
        yield (
            buy.leg,
            Alternative(
                kind=AlternativeKind.AFFORDABLE,
                quantity=quantity,
                product=buy.line.product,
                own_paise=takes.own_paise,
                loan_paise=takes.loan_paise,
                charges_paise=takes.charges_paise,
                limit_used_before_bps=limit_used_bps(client, 0),
                limit_used_after_bps=limit_used_bps(client, takes.loan_paise),
                quantity_at_last=quantity,
            ),
        )


def _measure_bps(client: ClientInput, buys: Sequence[_Buy]) -> int:
    """The largest part of all quantities, in basis points, that the client's money and MTF limit carry.

    With two ticks of air, so that it still stands when the market has moved on a little.
    """
    low, high = 0, BPS
    while low < high:
        middle = (low + high + 1) // 2
        takes = [
            need(replace(buy.terms, price_paise=buy.terms.price_paise + buy.air_paise), buy.quantity(middle))
            for buy in buys
        ]
        money, loan = sum(one.total_paise for one in takes), sum(one.loan_paise for one in takes)
        if money <= client.available_paise and loan <= max(0, client.mtf_room_paise):
            low = middle
        else:
            high = middle - 1
    return low


def _offered(line: PlanLine, way: Alternative | None) -> PlanLine:
    """The line with this way out in place of what its leg alone could pay."""
    others = tuple(one for one in line.alternatives if one.kind is not AlternativeKind.AFFORDABLE)
    return replace(line, alternatives=others if way is None else (way, *others))
