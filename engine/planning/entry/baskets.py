"""Baskets under names: legs that a trader trades together again and again, saved for the next time."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.repositories.saved.baskets import (
    StoredBasket,
    StoredBasketLeg,
    basket_names,
    put_basket,
    read_baskets,
    remove_basket,
    rename_basket,
)
from data.store import GateMode, Unit
from data.vocabulary import PerClient, Product
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.labels import known_label, label_from, same_label
from engine.planning.entry.leg_checks import check_legs
from engine.planning.entry.leg_words import intent_of, words_of_legs
from engine.planning.intent import Leg, Sizing


class Basket(Struct, frozen=True):
    """Saved legs, how a client's go together, who saved them and when."""

    name: str
    legs: tuple[Leg, ...]
    per_client: PerClient
    saved_by: str
    saved_at: datetime


class Baskets:
    """Saves, lists, renames and removes baskets; a plan is made of one's legs, anew each time."""

    def __init__(self, kept: Kept, engine: ThisEngine) -> None:
        self._kept = kept
        self._engine = engine

    async def all(self) -> list[Basket]:
        """The saved baskets, by name."""
        async with self._kept.store.reader() as connection:
            return [_basket(stored, legs) for stored, legs in await read_baskets(connection)]

    async def get(self, name: str) -> Basket:
        """The basket of a name, in any letter case. Raises `BadInput` with the nearest names."""
        known = {one.name: one for one in await self.all()}
        return known[known_label(name, "basket", list(known))]

    async def save(self, name: str, legs: Sequence[Leg], per_client: PerClient = PerClient.ALL) -> bool:
        """Keep legs under a name; returns whether they replace those of before. Raises `BadInput`."""
        check_legs(intent_of(legs))
        wanted = label_from(name, "basket")

        def unit_of_work(unit: Unit) -> bool:
            known = same_label(wanted, basket_names(unit)) or wanted
            basket = StoredBasket(known, per_client, self._engine.actor, unit.now)
            replaced = put_basket(unit, basket, [_stored(known, *one) for one in enumerate(legs, start=1)])
            details = {"basket": known, "legs": [leg.key for leg in legs], "replaced": replaced}
            if not any(leg.trigger_paise for leg in legs):  # a trigger is no word of a leg
                details["words"] = words_of_legs(legs)
            unit.audit(AuditEntry(AuditAction.BASKET_SAVED, self._engine.actor, details=details))
            return replaced

        return await self._kept.store.write(unit_of_work, GateMode.ALONE)

    async def rename(self, name: str, to: str) -> None:
        """Give a basket another name. Raises `BadInput` where none has the name, or another has that one."""
        to = label_from(to, "basket")

        def unit_of_work(unit: Unit) -> None:
            names = basket_names(unit)
            before = known_label(name, "basket", names)
            taken = same_label(to, [one for one in names if one != before])
            if taken is not None:
                raise BadInput("basket", to, f"{taken} is saved already; choose another name")
            rename_basket(unit, before, to)
            details: dict[str, object] = {"basket": to, "before": before}
            unit.audit(AuditEntry(AuditAction.BASKET_RENAMED, self._engine.actor, details=details))

        await self._kept.store.write(unit_of_work, GateMode.ALONE)

    async def remove(self, name: str) -> None:
        """Forget a basket. Raises `BadInput` where none has the name."""

        def unit_of_work(unit: Unit) -> None:
            known = known_label(name, "basket", basket_names(unit))
            remove_basket(unit, known)
            details: dict[str, object] = {"basket": known}
            unit.audit(AuditEntry(AuditAction.BASKET_REMOVED, self._engine.actor, details=details))

        await self._kept.store.write(unit_of_work, GateMode.ALONE)


def _stored(name: str, number: int, leg: Leg) -> StoredBasketLeg:
    return StoredBasketLeg(
        basket=name,
        leg=number,
        key=leg.key,
        side=leg.side,
        product="" if leg.product is None else leg.product.value,
        sizing=leg.sizing.kind,
        sizing_value=leg.sizing.value,
        order_type=leg.order_type,
        limit_paise=leg.limit_paise,
        trigger_paise=leg.trigger_paise,
    )


def _basket(stored: StoredBasket, legs: Sequence[StoredBasketLeg]) -> Basket:
    return Basket(
        name=stored.name,
        legs=tuple(
            Leg(
                side=leg.side,
                key=leg.key,
                sizing=Sizing(leg.sizing, leg.sizing_value),
                order_type=leg.order_type,
                product=Product(leg.product) if leg.product else None,
                limit_paise=leg.limit_paise,
                trigger_paise=leg.trigger_paise,
            )
            for leg in legs
        ),
        per_client=stored.per_client,
        saved_by=stored.saved_by,
        saved_at=stored.saved_at,
    )
