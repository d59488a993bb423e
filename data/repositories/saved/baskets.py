"""Saved baskets as stored: each with its legs, under its name."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Rows, given
from data.tables.market import BasketLegRecord, BasketRecord
from data.vocabulary import OrderType, PerClient, Side, SizingKind


class StoredBasket(Struct, frozen=True):
    """A saved basket: how a client's legs go together, who saved it and when."""

    name: str
    per_client: PerClient
    saved_by: str
    saved_at: datetime


class StoredBasketLeg(Struct, frozen=True):
    """What a saved basket does in one security; `product` is empty for a sale as held."""

    basket: str
    leg: int
    key: str
    side: Side
    product: str
    sizing: SizingKind
    sizing_value: int
    order_type: OrderType
    limit_paise: int | None
    trigger_paise: int | None


_BASKETS, _LEGS = Rows(BasketRecord, StoredBasket), Rows(BasketLegRecord, StoredBasketLeg)
_EVERY = _BASKETS.query(order_by=[_BASKETS.c.name])
_EVERY_LEG = _LEGS.query(order_by=[_LEGS.c.basket, _LEGS.c.leg])
_REMOVE = Change(delete(_BASKETS.table).where(_BASKETS.c.name == given("name")))
_REMOVE_LEGS = Change(delete(_LEGS.table).where(_LEGS.c.basket == given("name")))
_RENAMED = Change(update(_BASKETS.table).where(_BASKETS.c.name == given("name")).values(name=given("to")))
_RENAMED_LEGS = Change(update(_LEGS.table).where(_LEGS.c.basket == given("name")).values(basket=given("to")))
_RENAME = Change(update(_LEGS.table).where(_LEGS.c.key == given("before")).values(key=given("now")))


async def read_baskets(reader: AsyncConnection) -> list[tuple[StoredBasket, list[StoredBasketLeg]]]:
    """All baskets by name, each with its legs in their order."""
    legs: dict[str, list[StoredBasketLeg]] = {}
    for leg in await _EVERY_LEG.read(reader):
        legs.setdefault(leg.basket, []).append(leg)
    return [(basket, legs.get(basket.name, [])) for basket in await _EVERY.read(reader)]


def basket_names(on: On) -> list[str]:
    """The names of all baskets."""
    return [one.name for one in _EVERY.all(on)]


def rename_basket(on: On, name: str, to: str) -> bool:
    """Give a basket another name, which none has; returns whether it was there."""
    if _RENAMED.run(on, name=name, to=to) == 0:
        return False
    _RENAMED_LEGS.run(on, name=name, to=to)
    return True


def put_basket(on: On, basket: StoredBasket, legs: Sequence[StoredBasketLeg]) -> bool:
    """Keep a basket in place of one of its name; returns whether there was one."""
    replaced = remove_basket(on, basket.name)
    _BASKETS.insert(on, [basket])
    _LEGS.insert(on, legs)
    return replaced


def remove_basket(on: On, name: str) -> bool:
    """Take a basket away; returns whether it was there."""
    _REMOVE_LEGS.run(on, name=name)
    return _REMOVE.run(on, name=name) > 0


def rename_keys(on: On, moved: Mapping[str, str]) -> None:
    """Let legs have the new names of their securities."""
    for before, now in moved.items():
        _RENAME.run(on, before=before, now=now)
