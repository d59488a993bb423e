"""Maker and checker: a plan above the limit is confirmed by others, by its digest, before it is sent."""

from collections.abc import Collection

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.repositories.base import On, Reader
from data.repositories.people import (
    StoredApproval,
    StoredPerson,
    add_approval,
    approvals_of,
    approvers_told,
    every_person,
)
from data.repositories.trading.plans import maker_of
from data.store import Unit
from data.vocabulary import Right
from engine.book.kept import Kept
from engine.book.people_views import ApprovalLimit, person_view
from engine.events import PlanApproved, TapeLine
from engine.news import PlanConfirmed
from engine.people.rights import may, scope_ids
from engine.people.who import WhoActs
from engine.planning.confirming import Weighed, check_rule, weighed
from engine.planning.plan import Plan
from engine.planning.service import Plans, clients_of
from engine.refusals import NeedsApproval, NotConfirmed, OwnPlan, PlanTooOld
from engine.rules import SHOWN_DIGITS
from engine.timing import Timing


class ApprovalState(Struct, frozen=True):
    """How far a plan is confirmed: who has frozen it, what it is worth, who of others has confirmed it.

    `before_paise` is what its maker has bought of one of its securities before, which counts with it; `limit`
    is None where it needs nobody else.
    """

    plan: Plan
    maker: str
    worth_paise: int
    before_paise: int
    limit: ApprovalLimit | None
    given: tuple[StoredApproval, ...]

    @property
    def missing(self) -> int:
        """How many others have still to confirm it."""
        return 0 if self.limit is None else max(0, self.limit.needed - len(self.given))


class Approvals:
    """Keeps who has confirmed which plan, and lets no plan be sent that lacks it."""

    def __init__(self, kept: Kept, timing: Timing, who: WhoActs, plans: Plans) -> None:
        self._kept = kept
        self._timing = timing
        self._who = who
        self._plans = plans

    async def of(self, number: int) -> ApprovalState:
        """How far a plan is confirmed. Raises `BadInput` for a number that was never given."""
        made = await self._plans.get(number)

        def found(on: Reader) -> tuple[str, list[StoredApproval], Weighed]:
            maker = maker_of(on, number)
            return maker, approvals_of(on, number), self._weighed(on, made, maker)

        maker, given, weight = await self._kept.store.read_aside(found)
        return ApprovalState(made, maker, weight.worth_paise, weight.before_paise, weight.limit, tuple(given))

    def _weighed(self, on: On, made: Plan, *persons: str) -> Weighed:
        return weighed(on, self._kept.book.people, made, persons, self._timing.wall.now())

    async def approve(self, number: int, digest: str) -> ApprovalState:
        """Confirm somebody else's plan by its digest, eight hex digits or more, while it may be started.

        Raises `BadInput` for a plan that needs no confirming or has this one, `OwnPlan`, `NotConfirmed` for
        another digest, `PlanTooOld`, `OutOfScope`; then nothing was written.
        """
        made = await self._plans.get(number)
        digest = digest.strip().lower()
        if len(digest) < SHOWN_DIGITS or not made.digest.startswith(digest):
            raise NotConfirmed(number)
        if not await self._plans.is_as_stored(made):
            raise NotConfirmed(number)
        self._who.require_scope(Right.APPROVE, clients_of(made))
        if self._plans.expired(made):
            raise PlanTooOld(number, (made.expires_at - made.frozen_at).total_seconds())
        name = self._who.actor.name

        def unit_of_work(unit: Unit) -> None:
            check_rule(unit)
            maker = maker_of(unit, number)
            if (weight := self._weighed(unit, made, maker)).limit is None:
                raise BadInput("plan", number, "it needs nobody's confirmation")
            if maker == name:
                raise OwnPlan(number)
            if any(one.person == name for one in approvals_of(unit, number)):
                raise BadInput("plan", number, "you have confirmed it already")
            add_approval(unit, StoredApproval(number, name, made.digest, unit.now))
            details = {"digest": made.digest, "worth_paise": weight.worth_paise}
            unit.audit(AuditEntry(AuditAction.PLAN_APPROVED, name, plan_number=number, details=details))
            unit.touched.people = True
            unit.publish(PlanApproved(number))
            unit.publish(TapeLine(unit.now, PlanConfirmed(number, made.title, name), clients_of(made)))

        await self._kept.store.write(unit_of_work)
        return await self.of(number)

    def require(self, unit: Unit, made: Plan) -> None:
        """Have a plan be confirmed as it has to be, in the transaction that starts it.

        A confirmation counts as long as whoever gave it may give one. Raises `NeedsApproval`.
        """
        if made.number is None or not self._kept.book.people.any:
            return
        check_rule(unit)
        maker = maker_of(unit, made.number)
        weight = self._weighed(unit, made, maker, self._who.actor.name)
        if (limit := weight.limit) is None:
            return
        everybody = {one.name: one for one in every_person(unit)}
        clients = clients_of(made)
        told = approvers_told(unit, made.number)  # a row that the audit knows nothing of is nobody's word
        given = [
            one
            for one in approvals_of(unit, made.number)
            if one.person != maker
            and one.person in told
            and one.digest == made.digest
            and self._may(everybody.get(one.person), clients)
        ]
        if len(given) < limit.needed:
            worth, before = weight.worth_paise, weight.before_paise
            raise NeedsApproval(made.number, worth, limit.above_paise, limit.needed, len(given), before)

    def _may(self, person: StoredPerson | None, clients: Collection[int]) -> bool:
        if person is None or person.disabled_at is not None or not may(person.role, Right.APPROVE):
            return False
        if person.scope is None:
            return True
        return scope_ids(person_view(person), self._kept.book.clients.values()).issuperset(clients)
