"""Groups of clients as they are stored: who was put into one, and the rules of the others."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete

from data.repositories.base import Change, On, Rows, among, given
from data.tables.books import ClientGroup, GroupRule


class RuleRow(Struct, frozen=True):
    """A group of whoever its rule is true of, and who made it so."""

    name: str
    rule: str
    made_by: str
    made_at: datetime


class Membership(Struct, frozen=True):
    """That a client was put into a group."""

    client_id: int
    name: str


_RULES = Rows(GroupRule, RuleRow)
_RULE = _RULES.query(_RULES.c.name == given("name"))
_NO_RULE = Change(delete(_RULES.table).where(_RULES.c.name == given("name")))
_MEMBERS = Rows(ClientGroup, Membership)
_OF_GROUP = _MEMBERS.query(_MEMBERS.c.name == given("name"))
_TAKE_OUT = Change(
    delete(_MEMBERS.table).where(_MEMBERS.c.name == given("name"), among(_MEMBERS.c.client_id, "clients"))
)


def rule_of(on: On, name: str) -> RuleRow | None:
    """The rule of a group; None for one that has none."""
    return _RULE.first(on, name=name)


def keep_rule(on: On, rule: RuleRow) -> None:
    """Keep a rule in place of what its group had."""
    forget_rule(on, rule.name)
    _RULES.insert(on, [rule])


def forget_rule(on: On, name: str) -> None:
    """Have a group no more that is by rule."""
    _NO_RULE.run(on, name=name)


def members(on: On, name: str) -> set[int]:
    """The clients that were put into a group."""
    return {one.client_id for one in _OF_GROUP.all(on, name=name)}


def put_in(on: On, name: str, client_ids: Collection[int]) -> None:
    """Put clients into a group that they are not in."""
    _MEMBERS.insert(on, [Membership(client_id, name) for client_id in sorted(client_ids)])


def take_out(on: On, name: str, client_ids: Collection[int]) -> None:
    """Take clients out of a group."""
    if client_ids:
        _TAKE_OUT.run(on, name=name, clients=sorted(client_ids))
