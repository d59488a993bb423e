"""Several legs planned together: what one takes of a client's money and shares is not there for the next."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from data.errors import BadInput
from data.records import replace
from data.vocabulary import PerClient, Reason, Side, Verdict
from engine.planning.checks import ClientInput, PlanInputs
from engine.planning.entry.leg_checks import check_legs
from engine.planning.fitting import fitted
from engine.planning.intent import Intent, Leg
from engine.planning.limits.figures import ClientExposure, OppositeOrder
from engine.planning.limits.why import OF_THIS_PLAN
from engine.planning.lines import check_band, plan
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
    _check_bands(intent, inputs)
    taken, sells = _Taken(), _sells(intent, inputs)
    parts: list[Plan] = []
    for number, (leg, one) in enumerate(zip(intent.legs, inputs, strict=True), 1):
        met = sells.get(one.instrument.security, ()) if leg.side is Side.BUY and not leg.stage else ()
        left = replace(
            one,
            clients=tuple(
                taken.left(client, one.instrument.security, funded_later=leg.stage > 0)
                for client in one.clients
            ),
            around=replace(one.around, opposite=(*one.around.opposite, *met)),
        )
        part = plan(intent.parts[number - 1], left)
        taken.take(part, left, pays=not leg.stage)
        parts.append(replace(part, leg=number, stage=leg.stage, per_client=intent.per_client))
    if intent.per_client is PerClient.ALL:
        parts = _all_or_none(fitted(parts, inputs), _available(inputs))
    return replace(parts[0], intent=intent, further=tuple(parts[1:]))


def _check_bands(intent: Intent, inputs: Sequence[PlanInputs]) -> None:
    """Raise `BadInput` with every leg whose limit is outside its day's band, by its symbol.

    Orders that each have their own clients are named by them too: by these they are found in their file.
    """
    outside: list[tuple[str, str, BadInput]] = []
    for part, one in zip(intent.parts, inputs, strict=True):
        try:
            check_band(part, one)
        except BadInput as bad:
            symbol, codes = one.instrument.tradingsymbol, ", ".join(client.code for client in one.clients)
            outside.append((symbol, f"{bad.value} of {codes}" if intent.listed else str(bad.value), bad))
    if outside:
        values = ", ".join(f"{symbol} {value}" for symbol, value, _ in outside)
        expected = "; ".join(f"{symbol}: {bad.expected}" for symbol, _, bad in outside)
        raise BadInput("limit", values, expected)


def _sells(intent: Intent, inputs: Sequence[PlanInputs]) -> dict[str, list[OppositeOrder]]:
    """What the plan itself would sell of a security that another leg of it buys, which that would meet."""
    legs = zip(intent.legs, inputs, strict=True)
    bought = {one.instrument.security for leg, one in legs if _buys(leg) and not leg.stage}
    found: dict[str, list[OppositeOrder]] = defaultdict(list)
    for leg, part, one in zip(intent.legs, intent.parts, inputs, strict=True):
        if not _buys(leg) and one.instrument.security in bought:
            made = plan(part, one)
            found[one.instrument.security] += [
                OppositeOrder(
                    OF_THIS_PLAN, line.client_id, Side.SELL, line.quantity, made.reserve_price_paise
                )
                for line in made.ok_lines
            ]
    return found


def _buys(leg: Leg) -> bool:
    return leg.side is Side.BUY


class _Taken:
    """What the legs planned so far take."""

    def __init__(self) -> None:
        self._money = Counter[int]()
        self._loans = Counter[int]()
        self._shares = Counter[tuple[int, str, str]]()
        self._bought = Counter[tuple[int, str]]()
        self._sectors = Counter[tuple[int, str]]()
        self._orders = Counter[int]()

    def take(self, part: Plan, inputs: PlanInputs, *, pays: bool) -> None:
        """Count the lines of a leg that go, planned of these inputs; `pays`: of the cash there is now."""
        sector = next((one.exposure.sector for one in inputs.clients if one.exposure is not None), "")
        for line in part.ok_lines:
            self._orders[line.client_id] += len(part.slices(line))
            if part.intent.side is Side.BUY:
                self._bought[line.client_id, part.instrument.security] += line.quantity
                self._sectors[line.client_id, sector] += line.quantity * part.last_paise
                self._money[line.client_id] += line.reserve_paise if pays else 0
                self._loans[line.client_id] += line.loan_paise
            else:
                place = line.client_id, part.instrument.security, line.product.value
                self._shares[place] += line.quantity

    def left(self, client: ClientInput, security: str, *, funded_later: bool) -> ClientInput:
        """The client as the legs so far leave it."""
        return replace(
            client,
            funded_later=funded_later,
            available_paise=client.available_paise - self._money[client.client_id],
            sized_on_paise=client.available_paise,
            mtf_reserved_paise=client.mtf_reserved_paise + self._loans[client.client_id],
            exposure=self._exposed(client, security),
            holdings=tuple(
                replace(
                    held,
                    sellable=held.sellable - self._shares[client.client_id, security, held.product.value],
                )
                for held in client.holdings
            ),
        )

    def _exposed(self, client: ClientInput, security: str) -> ClientExposure | None:
        """What limits are held against for the client, with what the legs so far would add."""
        known, own = client.exposure, client.client_id
        if known is None:
            return None
        sector = known.sector_paise
        return replace(
            known,
            shares=known.shares + self._bought[own, security],
            sector_paise=None if sector is None else sector + self._sectors[own, known.sector],
            orders=known.orders + self._orders[own],
            totals={
                place: replace(total, orders=total.orders + self._orders.total())
                for place, total in known.totals.items()
            },
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
