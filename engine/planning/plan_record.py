"""A plan as it is stored and proved: its JSON form, and the digest over it.

The digest covers the whole JSON record but itself, so whatever was shown can be checked a year later
from the stored record alone.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from data.json_values import JsonObject, json_texts, read_as
from data.money import BPS
from data.records import is_record, replace, values_of
from data.reference.instruments import Instrument
from data.repositories.trading.plans import StoredLeg, StoredPlan
from data.vocabulary import (
    AlternativeKind,
    ConsentKind,
    Drift,
    LimitKind,
    LimitScope,
    LimitStrength,
    OrderType,
    PerClient,
    PhaseKind,
    Policy,
    Product,
    Reason,
    RouteKind,
    Side,
    SizingKind,
    Validity,
    Verdict,
)
from engine.book.gate_views import ConsentFigures, GateFinding, RouteFigures
from engine.planning.intent import Intent, Leg, LineChange, Selection, Sizing
from engine.planning.limits.broker_why import BROKER_KINDS
from engine.planning.limits.why import LIMIT_KINDS, HeldLimit
from engine.planning.plan import FORMAT, Alternative, Plan, PlanLine
from engine.planning.why import KINDS, Why

WHY_KINDS: Mapping[str, type[Why]] = KINDS | LIMIT_KINDS | BROKER_KINDS
"""The word under which each thing that is said of a line stands in a record."""

VALID_FOR = timedelta(seconds=60)
"""How long a frozen plan may be confirmed."""


def freeze(plan: Plan, number: int, now: datetime, valid_for: timedelta = VALID_FOR) -> Plan:
    """The plan numbered and sealed, to be confirmed within `valid_for` of `now` (wall time)."""
    numbered = replace(plan, number=number, frozen_at=now, expires_at=now + valid_for, digest="")
    return replace(numbered, digest=record_digest(to_json(numbered)))


def record_digest(record: Mapping[str, Any]) -> str:
    """SHA-256 in hex over the canonical form of a plan's record, its own `digest` left out."""
    content = {key: value for key, value in record.items() if key != "digest"}
    (canonical,) = json_texts([content], is_sorted=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def verify_record(record: Mapping[str, Any]) -> bool:
    """Whether a stored record still is what was confirmed."""
    return record.get("digest") == record_digest(record)


def stored_legs(frozen: Plan) -> list[StoredLeg]:
    """The legs of a numbered plan as they stand beside its record."""
    assert frozen.number is not None
    return [
        StoredLeg(
            plan_number=frozen.number,
            leg=part.leg,
            stage=part.stage,
            key=part.instrument.key,
            security=part.instrument.security,
            side=part.intent.side,
            product="" if part.intent.product is None else part.intent.product.value,
            sizing=part.intent.sizing.kind,
            sizing_value=part.intent.sizing.value,
            order_type=part.intent.order_type,
            limit_paise=part.intent.limit_paise,
            trigger_paise=part.intent.trigger_paise,
            reserve_price_paise=part.reserve_price_paise,
            drift_limit_bps=part.drift_limit_bps,
        )
        for part in frozen.parts
    ]


def plan_stored(frozen: Plan, actor: str) -> StoredPlan:
    """A numbered plan as its row has it."""
    assert frozen.number is not None
    assert frozen.frozen_at is not None
    assert frozen.expires_at is not None
    intent = frozen.intent
    return StoredPlan(
        number=frozen.number,
        digest=frozen.digest,
        frozen_at=frozen.frozen_at,
        expires_at=frozen.expires_at,
        actor=actor,
        title=frozen.title,
        side=intent.side,
        key=intent.key,
        sizing=intent.sizing.kind,
        sizing_value=intent.sizing.value,
        body=to_json(frozen),
    )


# --- to JSON and back ---------------------------------------------------------------------------------

_SIZING_UNITS = {
    SizingKind.PERCENT_OF_CAPITAL: "value_bps",
    SizingKind.PERCENT_OF_AVAILABLE: "value_bps",
    SizingKind.PERCENT_OF_POSITION: "value_bps",
    SizingKind.PERCENT_OF_PORTFOLIO: "value_bps",
    SizingKind.TARGET_WEIGHT: "value_bps",
    SizingKind.FIXED_AMOUNT: "value_paise",
    SizingKind.FIXED_QUANTITY: "value_shares",
}


_LATER = ("sending_s", "send_within_s", "late_orders", "late_at", "priced_by")
"""Fields that plans of earlier versions do not have, or that say nothing of most."""


_OF_LEGS = ("format", "per_client", "leg", "stage", "further")
"""Fields that say how a plan's legs hang together; its record tells them in `legs`."""


def to_json(plan: Plan) -> JsonObject:
    """The plan as JSON values: whole numbers, words, UTC times in ISO form; money in `_paise` keys.

    Its first leg stands in the record itself; each further one has a record of its own in `legs`.
    """
    record = _alone(plan)
    if plan.format >= FORMAT:
        record |= {"format": plan.format, "per_client": plan.per_client.value}
        record["legs"] = [
            leg_in_short(part) | ({"plan": _alone(part)} if part.leg > 1 else {}) for part in plan.parts
        ]
    return record


def _alone(plan: Plan) -> JsonObject:
    """The record of one leg, or of a plan of before there were legs."""
    record: JsonObject = _plain(replace(plan, further=()))
    for name in _LATER:  # what a plan does not say is no part of what was confirmed
        if record[name] is None:
            del record[name]
    for name in _OF_LEGS:
        del record[name]
    record["intent"] = intent_to_json(plan.intent.parts[0])
    return record


def intent_to_json(intent: Intent) -> JsonObject:
    """An intent of one leg as plans keep it."""
    record: JsonObject = _plain(intent)
    record["sizing"] = _plain_sizing(intent.sizing)
    del record["further"], record["per_client"]
    if intent.drift is Drift.DESK:  # nothing is said of it, as in records of before it could be
        del record["drift"]
    for name in ("listed", "ref", "multiplied", "disclosed_quantity", "override", "model"):
        if not record[name]:
            del record[name]
    for change in record["line_changes"]:  # whose leg is that of the record
        del change["leg"]
        if not change["later"]:
            del change["later"]
    return record


def _plain_sizing(sizing: Sizing) -> JsonObject:
    return {"kind": sizing.kind.value, _SIZING_UNITS[sizing.kind]: sizing.value}


def leg_in_short(part: Plan) -> JsonObject:
    """One leg as its plan's record names it, without its lines."""
    return {
        "leg": part.leg,
        "stage": part.stage,
        **plain_leg(replace(part.intent.legs[0], key=part.instrument.key)),
        "last_paise": part.last_paise,
        "reserve_price_paise": part.reserve_price_paise,
        "drift_limit_bps": part.drift_limit_bps,
        "orders": part.orders,
    }


def plain_leg(leg: Leg) -> JsonObject:
    """What a leg wants, as JSON values."""
    return {
        "key": leg.key,
        "side": leg.side.value,
        "product": None if leg.product is None else leg.product.value,
        "sizing": _plain_sizing(leg.sizing),
        "order_type": leg.order_type.value,
        "limit_paise": leg.limit_paise,
        "trigger_paise": leg.trigger_paise,
    }


def _plain(value: Any) -> Any:
    if value is None or type(value) in (int, str, bool):
        return value
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Why):
        return {"kind": _WORD_OF[type(value)]} | _plain_fields(value)
    if isinstance(value, PlanLine):
        return line_to_json(value)
    if is_record(value):
        return _plain_fields(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a plan holds whole numbers and words only, not {value!r}")


def line_to_json(line: PlanLine) -> JsonObject:
    """One line as JSON values; of what is said of it either the figures or an earlier version's words."""
    record = _plain_fields(line)
    del record["why" if line.detail else "detail"]
    if not line.ref:  # nothing is said of it, as in records of before it could be
        del record["ref"]
    if line.multiplier_bps == BPS:
        del record["multiplier_bps"]
    if not line.later:
        del record["later"]
    return record


def _plain_fields(value: Any) -> JsonObject:
    return {name: _plain(one) for name, one in values_of(value).items()}


def from_json(record: Mapping[str, Any]) -> Plan:
    """The plan of a stored record of any format. `from_json(to_json(plan))` is the plan again."""
    told = {**record}
    legs: list[JsonObject] = told.pop("legs", [])
    per_client = PerClient(told.pop("per_client", PerClient.ALL))
    made = _of_one_leg(told | {"format": told.get("format", 1)})
    further = tuple(
        replace(_of_one_leg(leg["plan"]), leg=leg["leg"], stage=leg["stage"], per_client=per_client)
        for leg in legs[1:]
    )
    if not further:
        return replace(made, per_client=per_client)
    intent = replace(
        made.intent,
        per_client=per_client,
        further=tuple(replace(part.intent.legs[0], stage=part.stage) for part in further),
        line_changes=tuple(
            replace(change, leg=part.leg) for part in (made, *further) for change in part.intent.line_changes
        ),
    )
    return replace(made, intent=intent, per_client=per_client, further=further)


def _of_one_leg(record: Mapping[str, Any]) -> Plan:
    values = read_as(
        {"late_at": None, **record},
        intent=intent_from_json,
        instrument=_instrument,
        frozen_at=datetime.fromisoformat,
        expires_at=datetime.fromisoformat,
        trading_day=date.fromisoformat,
        market_at=datetime.fromisoformat,
        late_at=lambda at: at and datetime.fromisoformat(at),
        phase=PhaseKind,
        policy=Policy,
        lines=lambda rows: tuple(line_from_json(row) for row in rows),
    )
    return Plan(**values)


def _instrument(record: Mapping[str, Any]) -> Instrument:
    """Records of earlier versions say by which token a broker had it too."""
    return Instrument(**{name: value for name, value in record.items() if name != "token"})


def intent_from_json(record: Mapping[str, Any]) -> Intent:
    """An intent of one leg as plans keep it."""
    values = read_as(
        {"validity": Validity.DAY, "drift": Drift.DESK, **record},
        side=Side,
        sizing=_sizing,
        order_type=OrderType,
        product=_product,
        validity=Validity,
        drift=Drift,
        selection=lambda it: Selection(**read_as(it, client_ids=tuple, groups=tuple, brokers=tuple)),
        line_changes=lambda rows: tuple(LineChange(**read_as(row, product=_product)) for row in rows),
    )
    return Intent(**values)


def _sizing(record: Mapping[str, Any]) -> Sizing:
    kind = SizingKind(record["kind"])
    return Sizing(kind, record[_SIZING_UNITS[kind]])


def line_from_json(record: Mapping[str, Any]) -> PlanLine:
    """A line of a stored plan."""
    values = read_as(
        {"why": (), **record},
        product=Product,
        verdict=Verdict,
        reason=lambda word: None if word is None else Reason(word),
        alternatives=lambda rows: tuple(_alternative(row) for row in rows),
        why=lambda rows: tuple(_why(row) for row in rows),
    )
    return PlanLine(**values)


def _why(record: Mapping[str, Any]) -> Why:
    figures = {**record}
    kind = WHY_KINDS[figures.pop("kind")]
    return kind(**read_as(figures, **{name: read for name, read in _FIGURES.items() if name in figures}))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _at_gate(record: Mapping[str, Any] | None) -> RouteFigures | ConsentFigures | None:
    """The figures of a route, which has a way out, or of a consent."""
    if record is None:
        return None
    if "way_out" in record:
        told = {"registered": (), **record}
        lists = {"shared_with": tuple, "registered": tuple}
        return RouteFigures(**read_as(told, kind=RouteKind, refused_at=_moment, **lists))
    told = {"kind": ConsentKind.TRADING.value, "begins": None, **record}
    return ConsentFigures(**read_as(told, until=_day, begins=_day, kind=ConsentKind))


def _held(record: Mapping[str, Any] | None) -> HeldLimit | None:
    if record is None:
        return None
    return HeldLimit(**read_as(record, scope=LimitScope, strength=LimitStrength))


_FIGURES: Mapping[str, Callable[[Any], Any]] = {
    "since": _day,
    "awaited": _day,
    "until": _moment,
    "at": _moment,
    "as_of": _day,
    "held": _held,
    "limit": LimitKind,
    "phase": PhaseKind,
    "product": Product,
    "sizing": SizingKind,
    "others": lambda words: tuple(Product(word) for word in words),
    "legs": tuple,
    "symbols": tuple,
    "finding": GateFinding,
    "figures": _at_gate,
}
"""How figures of `Why` that are no numbers or texts are read back, by name."""

_WORD_OF = {kind: word for word, kind in WHY_KINDS.items()}


def _alternative(record: Mapping[str, Any]) -> Alternative:
    return Alternative(**read_as(record, kind=AlternativeKind, product=Product))


def _product(word: str | None) -> Product | None:
    return None if word is None else Product(word)
