"""Groups of clients: those that clients are put into by hand, and those that a rule makes."""

from collections.abc import Callable, Collection

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.json_values import JsonObject
from data.repositories.accounts import groups as stored
from data.repositories.accounts.groups import RuleRow
from data.repositories.accounts.limits import limits_of_group, rename_group
from data.repositories.people import scoped_to_group
from data.store import Unit
from engine.accounts.client_edit import group_name
from engine.book.group_rules import RuleSubject, rule_from
from engine.book.kept import Kept
from engine.book.views import FundsView
from engine.instances import ThisEngine


class GroupView(Struct, frozen=True):
    """A group: its rule, empty where it is by hand, and who is in it now, by code."""

    name: str
    rule: str
    client_ids: tuple[int, ...]


class Groups:
    """The groups of the desk. Each change is in the audit as it was and as it is."""

    def __init__(self, kept: Kept, engine: ThisEngine) -> None:
        self._kept = kept
        self._engine = engine

    def all(self) -> list[GroupView]:
        """Every group, by name."""
        return [self._view(name) for name in self._kept.book.groups()]

    def find(self, name: str) -> GroupView:
        """A group in any letter case. Raises `BadInput`."""
        return self._view(self._known(name))

    def members_of_rule(self, rule: str) -> list[int]:
        """Whom a rule is true of now, by code, without keeping it. Raises `BadInput`."""
        made, book = rule_from(rule), self._kept.book
        return [
            client.id
            for client in book.open_clients()
            if made.holds(
                RuleSubject(
                    client,
                    book.funds.get(client.id) or FundsView(client.id),
                    book.holdings.get(client.id, ()),
                )
            )
        ]

    def _view(self, name: str) -> GroupView:
        book = self._kept.book
        rule = book.group_rules.get(name)
        inside = tuple(client.id for client in book.open_clients() if name in client.groups)
        return GroupView(name, "" if rule is None else rule.text, inside)

    def _known(self, name: str) -> str:
        groups = self._kept.book.groups()
        for one in groups:
            if one.casefold() == name.strip().casefold():
                return one
        raise BadInput("group", name, f"no such group; there are {', '.join(groups) or 'none'}")

    def _by_hand(self, name: str) -> str:
        """A group's name as it is known, else as typed. Raises `BadInput` for one by rule."""
        told = group_name(name)
        known = {one.casefold(): one for one in self._kept.book.groups()}
        found = known.get(told.casefold(), told)
        if found in self._kept.book.group_rules:
            raise BadInput("group", name, "this group is by rule: change its rule, or delete it")
        return found

    async def set_rule(self, name: str, rule: str) -> GroupView:
        """Make a group by rule, or give one another rule. Raises `BadInput`, also for a group by hand."""
        made, told = rule_from(rule), group_name(name)
        known = {one.casefold(): one for one in self._kept.book.groups()}
        told = known.get(told.casefold(), told)
        if told in known.values() and told not in self._kept.book.group_rules:
            raise BadInput("group", name, "clients were put into this group by hand; delete it first")

        def change(unit: Unit) -> None:
            before = stored.rule_of(unit, told)
            stored.keep_rule(unit, RuleRow(told, made.text, self._engine.actor, unit.now))
            self._tell(unit, told, _rule(before), {"rule": made.text})

        return await self._changed(told, change)

    async def add(self, name: str, client_ids: Collection[int]) -> GroupView:
        """Put clients into a group, which is made where there is none. Raises `BadInput`."""
        told, wanted = self._by_hand(name), self._clients(client_ids)
        return await self._set_members(told, lambda standing: standing | wanted)

    async def remove(self, name: str, client_ids: Collection[int]) -> GroupView:
        """Take clients out of a group; one without anybody is no more. Raises `BadInput`."""
        told, wanted = self._by_hand(self._known(name)), self._clients(client_ids)
        return await self._set_members(told, lambda standing: standing - wanted)

    def _clients(self, client_ids: Collection[int]) -> set[int]:
        """These clients. Raises `BadInput` for none, and for one that is closed."""
        if not client_ids:
            raise BadInput("clients", "", "name at least one")
        there = {client.id for client in self._kept.book.open_clients()}
        for client_id in client_ids:
            if client_id not in there:
                raise BadInput("client", client_id, "there is no such client, or it is closed")
        return set(client_ids)

    async def _set_members(self, name: str, of: Callable[[set[int]], set[int]]) -> GroupView:
        def change(unit: Unit) -> None:
            before = stored.members(unit, name)
            after = of(before)
            if before == after:
                return
            stored.put_in(unit, name, after - before)
            stored.take_out(unit, name, before - after)
            self._tell(unit, name, {"clients": self._codes(before)}, {"clients": self._codes(after)})

        return await self._changed(name, change)

    async def rename(self, name: str, new: str) -> GroupView:
        """Call a group otherwise. Raises `BadInput` for a name that another one has."""
        return await self.edit(name, new)

    async def edit(
        self,
        name: str,
        new: str,
        rule: str = "",
        added: Collection[int] = (),
        removed: Collection[int] = (),
    ) -> GroupView:
        """Change a group's name, its rule or who is in it by hand: one commit, told once in the audit.

        Without a `rule` one that stands stays. Raises `BadInput`, and then nothing of it was written.
        """
        known, told = self._known(name), group_name(new)
        taken = {one.casefold() for one in self._kept.book.groups()} - {known.casefold()}
        if told.casefold() in taken:
            raise BadInput("group", new, "another group has this name")
        made = rule_from(rule) if rule else None
        if made is not None and known not in self._kept.book.group_rules:
            raise BadInput("group", name, "clients were put into this group by hand; delete it first")
        if added or removed:
            self._by_hand(known)
            self._clients({*added, *removed})

        def change(unit: Unit) -> None:
            row, inside = stored.rule_of(unit, known), stored.members(unit, known)
            after = (inside | set(added)) - set(removed)
            stands = made.text if made is not None else None if row is None else row.rule
            was: JsonObject = {"name": known, "rule": row and row.rule, "clients": self._codes(inside)}
            now: JsonObject = {"name": told, "rule": stands, "clients": self._codes(after)}
            changed = [field for field in was if was[field] != now[field]]
            if not changed:
                return
            if stands is not None:
                stored.forget_rule(unit, known)
                same = row is not None and row.rule == stands
                by, at = (row.made_by, row.made_at) if row and same else (self._engine.actor, unit.now)
                stored.keep_rule(unit, RuleRow(told, stands, by, at))
            if known != told:
                _check_nobodys_scope(unit, known)
                rename_group(unit, known, told, self._engine.actor)
            stored.take_out(unit, known, inside - after if known == told else inside)
            stored.put_in(unit, told, after - inside if known == told else after)
            self._tell(unit, told, {one: was[one] for one in changed}, {one: now[one] for one in changed})

        return await self._changed(told, change)

    async def delete(self, name: str) -> GroupView:
        """Have a group no more; its clients stay. Returns it as it was. Raises `BadInput`."""
        before = self._view(self._known(name))

        def change(unit: Unit) -> None:
            standing = stored.members(unit, before.name)
            if limits_of_group(unit, before.name):
                raise BadInput("group", name, "limits are set for it: take them away first")
            _check_nobodys_scope(unit, before.name)
            told: JsonObject = {"rule": before.rule} if before.rule else {"clients": self._codes(standing)}
            stored.forget_rule(unit, before.name)
            stored.take_out(unit, before.name, standing)
            self._tell(unit, before.name, told, None)

        await self._changed(before.name, change)
        return before

    async def _changed(self, name: str, change: Callable[[Unit], None]) -> GroupView:
        await self._engine.write_signed_on(change)
        return self._view(name)

    def _codes(self, client_ids: Collection[int]) -> list[str]:
        return sorted(self._kept.book.clients[client_id].code for client_id in client_ids)

    def _tell(self, unit: Unit, name: str, before: JsonObject | None, after: JsonObject | None) -> None:
        details = {"group": name, "before": before, "after": after}
        unit.audit(AuditEntry(AuditAction.GROUP_CHANGED, self._engine.actor, details=details))
        unit.touched.roster = True


def _check_nobodys_scope(unit: Unit, name: str) -> None:
    """Raise `BadInput` where somebody's scope names the group: its clients would leave that unnoticed."""
    if whose := scoped_to_group(unit, name):
        raise BadInput("group", name, f"the scope of {', '.join(whose)} names it: give them another first")


def _rule(row: RuleRow | None) -> JsonObject | None:
    return None if row is None else {"rule": row.rule}
