"""Who acts at a desk, and whether they may: asked before each thing that is done, and again in its commit.

Where the home has no people it is its one trader's, and all of this lets everything pass.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NoReturn, TypeAlias

from data.acting import Actor, acting_now
from data.audit import AuditAction, AuditEntry
from data.repositories.people import CLIENT, GROUP, is_as_told, is_sign_in_as_told, person, sign_in_of
from data.store import StoreError, Unit
from data.vocabulary import Right, Via
from engine.book.kept import Kept
from engine.book.people_views import PersonView
from engine.book.views import ClientView
from engine.instances import ThisEngine
from engine.people.rights import ANYBODY, may, roles_with, scope_ids
from engine.refusals import Forbidden, NobodySignedIn, NoLongerStands, NotOfRole, OutOfScope
from engine.timing import Timing

NO_SIGN_IN = "the sign-in was ended"
OVER = "the sign-in is past its time"
CHANGED = "what they may do was changed since they signed in"
DISABLED = "they may sign in no more"
NOT_RENEWED = "the token has run out, and the signing service has not renewed it"
EDITED = "what the books say of them is not as the audit left it"
"""Why somebody who had signed in no longer stands."""

SIGNED_OUT = "nobody signed in"
"""Who acts, for the audit, where nobody does by name."""


_Scoped: TypeAlias = tuple[PersonView | None, Mapping[int, ClientView], frozenset[int]]
"""The clients of the scope that was asked for last, with what they were made of."""


class WhoActs:
    """Who acts at one desk: whoever it is asked for, else who sits at it."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine) -> None:
        self._kept = kept
        self._timing = timing
        self._via = Via(engine.kind)
        self._trader = engine.trader
        self._scoped: _Scoped = (None, {}, frozenset())
        self.seat: Actor | None = None
        """Who has signed in here; None where nobody has, or the home is its one trader's."""

    @property
    def asked(self) -> bool:
        """Whether this home has people, so that whoever acts has to be signed in."""
        return self._kept.book.people.any

    @property
    def actor(self) -> Actor:
        """Who acts now, by name and way."""
        actor = acting_now() or self.seat
        if actor is not None:
            return actor
        return Actor(SIGNED_OUT if self.asked else self._trader, self._via)

    @property
    def is_seated(self) -> bool:
        """Whether whoever acts came by a sign-in, that stands or stood."""
        return bool(self.actor.sign_in)

    def is_desk_itself(self) -> bool:
        """Whether the desk does this by itself, on nobody's asking."""
        actor = acting_now()
        return actor is not None and actor.via is None

    def person(self) -> PersonView | None:
        """Who is signed in and may act; None where nobody is. Their sign-in is not looked at."""
        return self._kept.book.people.by_name.get(self.actor.name) if self.actor.sign_in else None

    def scope(self) -> frozenset[int] | None:
        """The clients that whoever acts may see; None for all of them."""
        return None if not self.asked or self.is_desk_itself() else self.scope_of(self.actor)

    def scope_of(self, actor: Actor | None) -> frozenset[int] | None:
        """The clients that somebody may see, none for who is not signed in; None for all of them."""
        book = self._kept.book
        if not self.asked:
            return None
        found = book.people.by_name.get(actor.name) if actor is not None and actor.sign_in else None
        if found is None:
            return frozenset()
        if found.scope is None:
            return None
        known, clients, ids = self._scoped
        if known is not found or clients is not book.clients:
            ids = scope_ids(found, book.clients.values())
            self._scoped = found, book.clients, ids
        return ids

    def scope_words(self, person: PersonView) -> tuple[list[str], list[str]]:
        """A scope as codes of clients and names of groups; both are empty where it is everybody."""
        words, clients = person.scope or (), self._kept.book.clients
        ids = [int(word.removeprefix(CLIENT)) for word in words if word.startswith(CLIENT)]
        codes = [clients[one].code if one in clients else str(one) for one in ids]
        return codes, [word.removeprefix(GROUP) for word in words if word.startswith(GROUP)]

    def until(self, actor: Actor) -> datetime | None:
        """When a sign-in is over; None for one that does not stand."""
        found = self._kept.book.people.sign_ins.get(actor.sign_in)
        return None if found is None else found[1]

    def require(self, right: Right) -> Actor:
        """Who acts, if their role does this and their sign-in stands. Raises a `Forbidden`."""
        actor = self.actor
        if not self.asked or self.is_desk_itself():
            return actor
        if not actor.sign_in:
            if right in ANYBODY:
                return actor
            raise NobodySignedIn("", right, "")
        try:
            found = self._standing(actor, right)
        except NoLongerStands:
            if right in ANYBODY:  # as anybody else who is not signed in
                return Actor(SIGNED_OUT, actor.via)
            raise
        if not may(found.role, right):
            raise NotOfRole(actor.name, right, found.role, roles_with(right))
        return actor

    def may(self, right: Right) -> bool:
        """Whether who acts may do this."""
        try:
            self.require(right)
        except Forbidden:
            return False
        return True

    def require_scope(self, right: Right, client_ids: Collection[int] | None, named: bool = False) -> None:
        """Have these clients, None for all there are, be of the scope; `named` says that they were named.

        Raises `OutOfScope`.
        """
        scope = self.scope()
        if scope is None:
            return
        if client_ids is None:
            raise OutOfScope(self.actor.name, right, ())
        outside = set(client_ids) - scope
        if outside:
            clients = self._kept.book.clients
            codes = [clients[one].code if one in clients else str(one) for one in sorted(outside)]
            raise OutOfScope(self.actor.name, right, tuple(codes), named)

    def stands(self, actor: Actor | None) -> bool:
        """Whether somebody may act at all: their sign-in stands, or this home asks nobody."""
        if not self.asked or (actor is not None and actor.via is None):
            return True
        try:
            return actor is not None and bool(self._standing(actor, Right.LOOK))
        except NoLongerStands:
            return False

    def trouble(self) -> str:
        """Why who sits here may do nothing; empty where they may, or nobody has to be signed in."""
        if not self.asked:
            return ""
        if self.seat is None:
            return SIGNED_OUT
        try:
            self._standing(self.seat, Right.LOOK)
        except NoLongerStands as found:
            return found.why
        return ""

    async def demand(self, what: str, right: Right, whole: bool = False) -> Actor:
        """The same for what no service does, of the `whole` desk or not; a refusal is kept in the audit."""
        try:
            actor = self.require(right)
            if whole:
                self.require_scope(right, None)
        except Forbidden as refusal:
            await self.refused(what, refusal)
        return actor

    def _standing(self, actor: Actor, right: Right) -> PersonView:
        people = self._kept.book.people
        found = people.by_name.get(actor.name)
        if found is None or found.disabled:
            raise NoLongerStands(actor.name, right, DISABLED)
        if found.version != actor.version:
            raise NoLongerStands(actor.name, right, CHANGED)
        whose, until = people.sign_ins.get(actor.sign_in, ("", self._timing.wall.now()))
        if whose != actor.name:
            raise NoLongerStands(actor.name, right, NO_SIGN_IN)
        now = self._timing.wall.now()
        if until <= now:
            raise NoLongerStands(actor.name, right, OVER)
        if actor.token_until is not None and actor.token_until <= now:
            raise NoLongerStands(actor.name, right, NOT_RENEWED)
        return found

    def asked_again(self, actor: Actor, right: Right, unit: Unit) -> None:
        """The same in the transaction that does it. Raises `NoLongerStands`; then nothing is written."""
        found = person(unit, actor.name)
        if found is None or found.disabled_at is not None:
            raise NoLongerStands(actor.name, right, DISABLED)
        if found.version != actor.version:
            raise NoLongerStands(actor.name, right, CHANGED)
        if not is_as_told(unit, found):
            raise NoLongerStands(actor.name, right, EDITED)
        stored = sign_in_of(unit, actor.sign_in)
        if stored is None or stored.person != actor.name or stored.ended_at is not None:
            raise NoLongerStands(actor.name, right, NO_SIGN_IN)
        if not is_sign_in_as_told(unit, stored):
            raise NoLongerStands(actor.name, right, EDITED)
        if stored.until <= unit.now:
            raise NoLongerStands(actor.name, right, OVER)

    async def refused(self, what: str, refusal: Forbidden) -> NoReturn:
        """Keep in the audit that this was refused, and raise it."""
        with suppress(StoreError):  # it is refused all the same
            await self._kept.store.write(partial(self._keep, what, refusal))
        raise refusal

    def refused_soon(self, what: str, refusal: Forbidden) -> NoReturn:
        """The same where nothing can be waited for: the row follows."""
        written = self._kept.store.submit(partial(self._keep, what, refusal))
        written.add_done_callback(lambda done: done.cancelled() or done.exception())
        raise refusal

    def _keep(self, what: str, refusal: Forbidden, unit: Unit) -> None:
        told: dict[str, object] = {"what": what, "right": refusal.right.value, "why": refusal.kind}
        if isinstance(refusal, OutOfScope) and refusal.clients:
            told["clients"] = list(refusal.clients)
        unit.audit(AuditEntry(AuditAction.REFUSED, refusal.person or SIGNED_OUT, details=told))
