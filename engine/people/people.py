"""Who the people of a home are: added, given a role and a scope, a password, disabled and recovered."""

import asyncio
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from functools import partial
from random import Random

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.records import replace
from data.repositories.people import (
    StoredLimit,
    StoredPerson,
    add_person,
    add_rule,
    end_sign_ins,
    every_person,
    save_person,
    secrets_mark,
)
from data.repositories.watchlists import hand_on
from data.sign_in.passwords import checked, hashed, is_right
from data.store import GateMode, Unit
from data.vocabulary import Right, Role
from engine.book.kept import Kept
from engine.book.people_views import ApprovalLimit, PersonView
from engine.people.rights import checked_scope, known_as, may
from engine.people.signing import SigningIn
from engine.people.who import SIGNED_OUT, WhoActs
from engine.refusals import SignInRefused
from engine.timing import Timing

NAME = re.compile(r"[^\W\d_][\w .-]{0,39}")
"""A name: a letter, then letters, digits, blanks, dots, hyphens and underscores, 40 characters at most."""

_NAME_EXPECTED = "begin with a letter; give at most 40 letters, digits, blanks, dots and hyphens"
_CODE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Signs of a recovery code, without those that are taken for others."""

CODE_SIGNS, LONGEST_CODE = 24, 64
"""Signs of a recovery code, 120 bits; how many of what is typed for one are looked at."""


class Added(Struct, frozen=True):
    """Somebody who was added; an admin has a recovery code, which is told this once and kept nowhere."""

    person: PersonView
    recovery: str


class PeopleService:
    """Keeps the people of a home. The first one is an admin, and from then on whoever acts signs in."""

    def __init__(self, kept: Kept, timing: Timing, who: WhoActs, signing: SigningIn, rng: Random) -> None:
        self._kept = kept
        self._signing = signing
        self._timing = timing
        self._who = who
        self._rng = rng

    def all(self) -> list[PersonView]:
        """Everybody, by name."""
        return sorted(self._kept.book.people.by_name.values(), key=lambda one: one.name.casefold())

    def find(self, name: str) -> PersonView:
        """The person of a name, in any letter case. Raises `BadInput`."""
        if (found := self._named(name)) is not None:
            return found
        known = ", ".join(one.name for one in self.all()) or "nobody yet"
        raise BadInput("person", name, f"people of this home: {known}")

    def _named(self, name: str) -> PersonView | None:
        people = self._kept.book.people.by_name.values()
        return next((one for one in people if known_as(one.name) == known_as(name)), None)

    def scope_codes(self, person: PersonView) -> tuple[list[str], list[str]]:
        """A scope as codes of clients and names of groups."""
        return self._who.scope_words(person)

    def sign_ins_of(self, name: str) -> int:
        """How many sign-ins of a person stand."""
        now = self._timing.wall.now()
        standing = self._kept.book.people.sign_ins.values()
        return sum(whose == name and until > now for whose, until in standing)

    @property
    def limit(self) -> ApprovalLimit | None:
        """From which value on plans need others to confirm them; None where none do."""
        return self._kept.book.people.limit

    async def add(
        self,
        name: str,
        role: Role,
        password: str,
        codes: Collection[str] = (),
        groups: Collection[str] = (),
    ) -> Added:
        """Add somebody with a password of their own. Raises `BadInput`; then nobody was added.

        The first is added only where the vault opens: else nobody could sign in to this home from then on.
        """
        name = unicodedata.normalize("NFC", name).strip()
        if NAME.fullmatch(name) is None:
            raise BadInput("name", name, _NAME_EXPECTED)
        if not self._who.asked and role is not Role.ADMIN:
            raise BadInput("role", role.value, "the first person is the admin, who then adds the others")
        scope = checked_scope(role, codes, groups, self._kept.book.clients)
        password, recovery = checked(password), self._code() if role is Role.ADMIN else ""
        if not self._who.asked:
            await self._signing.make_ready()
        stored = await asyncio.to_thread(hashed, password)
        recovery_hash = await asyncio.to_thread(hashed, recovery) if recovery else ""

        def unit_of_work(unit: Unit) -> StoredPerson:
            people = every_person(unit)
            if any(known_as(one.name) == known_as(name) for one in people):
                raise BadInput("name", name, "somebody has this name already")
            if not people and role is not Role.ADMIN:
                raise BadInput("role", role.value, "the first person is the admin, who then adds the others")
            by, words = self._who.actor.name, None if scope is None else list(scope)
            row = StoredPerson(name, role, words, stored, recovery_hash, 1, unit.now, by)
            add_person(unit, row)
            if not people:  # the home was one trader's, and so were its lists
                hand_on(unit, trader=by, heir=name)
                unit.touched.market = True
            details = {"person": name, "role": role.value, "scope": self._words(scope)}
            details["secrets"] = secrets_mark(row)
            unit.audit(AuditEntry(AuditAction.PERSON_ADDED, by, details=details))
            unit.touched.people = True
            return row

        await self._kept.store.write(unit_of_work, GateMode.ALONE)
        return Added(self.find(name), recovery)

    async def set_role(
        self, name: str, role: Role, codes: Collection[str] = (), groups: Collection[str] = ()
    ) -> PersonView:
        """Give somebody another role, with its scope. It ends their sign-ins. Raises `BadInput`."""
        scope = checked_scope(role, codes, groups, self._kept.book.clients)
        words = None if scope is None else list(scope)
        return await self._change(name, lambda one: replace(one, role=role, scope=words))

    async def set_scope(
        self, name: str, codes: Collection[str] = (), groups: Collection[str] = ()
    ) -> PersonView:
        """Give somebody other clients, all without any name. It ends their sign-ins. Raises `BadInput`."""
        scope = checked_scope(self.find(name).role, codes, groups, self._kept.book.clients)
        words = None if scope is None else list(scope)
        return await self._change(name, lambda one: replace(one, scope=words))

    async def disable(self, name: str) -> PersonView:
        """Let somebody sign in no more; what they have done stays. Raises `BadInput`."""
        at = self._timing.wall.now()
        return await self._change(name, lambda one: replace(one, disabled_at=one.disabled_at or at))

    async def enable(self, name: str) -> PersonView:
        """Let somebody sign in again. Raises `BadInput`."""
        return await self._change(name, lambda one: replace(one, disabled_at=None))

    async def set_password(self, name: str, password: str) -> PersonView:
        """Give somebody another password. It ends their sign-ins. Raises `BadInput`."""
        stored = await asyncio.to_thread(hashed, checked(password))
        return await self._change(name, lambda one: replace(one, password=stored), "password")

    async def change_password(self, password: str, to: str, place: str) -> PersonView:
        """Change the password of who has signed in, who gives the one they have.

        It ends their sign-ins. Raises `BadInput`, and `SignInRefused` for a wrong one.
        """
        actor, checked_to = self._who.actor, checked(to)
        if not await self._signing.is_password_of(actor, password, place):
            raise SignInRefused
        stored = await asyncio.to_thread(hashed, checked_to)
        return await self._change(actor.name, lambda one: replace(one, password=stored), "password")

    async def recover(self, name: str, code: str, password: str) -> Added:
        """Give an admin who has lost the password another one, by the recovery code.

        It ends their sign-ins and makes another code. Raises `BadInput`, `SignInRefused`.
        """
        password, recovery = checked(password), self._code()
        given, found = "".join(code.upper().split()).replace("-", "")[:LONGEST_CODE], self._named(name)
        people = await self._kept.store.read_aside(every_person)
        known = next((one.recovery for one in people if found is not None and one.name == found.name), "")
        if not await asyncio.to_thread(is_right, known, given):
            told = SIGNED_OUT if found is None else found.name  # what is nobody's name may be a password
            entry = AuditEntry(AuditAction.SIGN_IN_REFUSED, told, details={"place": "recovery"})
            await self._kept.store.write(lambda unit: unit.audit(entry))
            raise SignInRefused
        stored, made = await asyncio.to_thread(lambda: (hashed(password), hashed(recovery)))

        def changed(one: StoredPerson) -> StoredPerson:
            if one.recovery != known:  # it was used meanwhile
                raise SignInRefused
            return replace(one, password=stored, recovery=made)

        person = await self._change(name, changed, "password", AuditAction.PERSON_RECOVERED)
        return Added(person, recovery)

    async def set_limit(self, above_paise: int, needed: int) -> ApprovalLimit | None:
        """Have plans worth more than this be confirmed by one or two others; by none with 0.

        Raises `BadInput`.
        """
        if needed not in (0, 1, 2):
            raise BadInput("needed", needed, "give 1 or 2, or 0 for no limit")
        if needed and above_paise < 0:
            raise BadInput("above", above_paise, "give rupees from 0 on")

        def unit_of_work(unit: Unit) -> None:
            able = [
                one for one in every_person(unit) if one.disabled_at is None and may(one.role, Right.APPROVE)
            ]
            if needed and len(able) <= needed:
                who = ", ".join(one.name for one in able) or "nobody"
                raise BadInput("needed", needed, f"beside the maker nobody else could confirm: {who} may")
            by, number = self._who.actor.name, unit.take_ids("approval_rule", 1)[0]
            add_rule(unit, [StoredLimit(number, above_paise, needed, by, unit.now)])
            details = {"above_paise": above_paise, "needed": needed}
            unit.audit(AuditEntry(AuditAction.APPROVAL_RULE, by, details=details))
            unit.touched.people = True

        await self._kept.store.write(unit_of_work, GateMode.ALONE)
        return self.limit

    async def _change(
        self,
        name: str,
        changed: Callable[[StoredPerson], StoredPerson],
        what: str = "",
        action: AuditAction = AuditAction.PERSON_CHANGED,
    ) -> PersonView:
        found = self.find(name)
        await self._kept.store.write(partial(self._store, found.name, changed, what, action), GateMode.ALONE)
        return self.find(found.name)

    def _store(
        self,
        name: str,
        changed: Callable[[StoredPerson], StoredPerson],
        what: str,
        action: AuditAction,
        unit: Unit,
    ) -> None:
        people = {one.name: one for one in every_person(unit)}
        before = people[name]
        after = replace(changed(before), version=before.version + 1)
        if after == replace(before, version=after.version):
            raise BadInput("person", name, "that is how it is already")
        people[name] = after
        if not any(one.role is Role.ADMIN and one.disabled_at is None for one in people.values()):
            raise BadInput("person", name, "they are the last admin: make somebody else one first")
        save_person(unit, after)
        by = self._who.actor.name
        end_sign_ins(unit, name, by, unit.now)
        told = {"person": name, "before": self._told(before), "after": self._told(after)}
        told["secrets"] = secrets_mark(after)
        unit.audit(AuditEntry(action, by, details={**told, "what": what} if what else told))
        unit.touched.people = True

    def _told(self, one: StoredPerson) -> dict[str, object]:
        scope = None if one.scope is None else tuple(one.scope)
        return {"role": one.role.value, "scope": self._words(scope), "disabled": one.disabled_at is not None}

    def _words(self, scope: Sequence[str] | None) -> list[str]:
        return ["all"] if scope is None else list(scope)

    def _code(self) -> str:
        return "".join(self._rng.choice(_CODE_SIGNS) for _ in range(CODE_SIGNS))
