"""A sign-in revoked between what a person asked for and its first commit: nothing of it is written.

Every call of the facade's walk is made by an admin whose sign-in somebody ends just before the first unit of
the call begins, behind the desk's back, so that only what is asked in the transaction can know of it.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from data.engines.driver import run
from data.errors import TradedeskError
from data.records import replace
from data.store import Unit
from data.vocabulary import FlattenWhat, HaltScope, LimitTo, Product, Right, SizingKind, Via
from engine.desk import Desk
from engine.execution.changes.new_limits import NewLimit
from engine.people.facade import FACADE
from engine.people.guard import guarded
from engine.refusals import NoLongerStands
from tests.desks import buy, carry_out, in_time, there
from tests.people.home_of_many import HERE, desk_of_many, password, seated
from tests.people.test_facade_scope import NAMED, WHOLE, Of, desk_of_two, done
from tradedesk.testing import seam

Call = Callable[[Desk, Of], Any]
QTY, MIS_CNC = SizingKind.FIXED_QUANTITY, (Product.MIS, Product.CNC)
RICH = 8
"""A client of nobody's scope."""

OF_NOBODY: Mapping[str, Call] = {
    "market_halts.halt": lambda desk, of: desk.market_halts.halt(10),
    "watchlists.make": lambda desk, of: desk.watchlists.make("Tried"),
    "alert_rules.add_usual": lambda desk, of: desk.alert_rules.add_usual(),
    "people.set_limit": lambda desk, of: desk.people.set_limit(1_00, 1),
    "people.disable": lambda desk, of: desk.people.disable("ravi"),
    "people.set_role": lambda desk, of: desk.people.set_role("tara", desk.people.find("anil").role),
    "people.change_password": lambda desk, of: desk.people.change_password(
        password("asha"), "another word", HERE
    ),
    "signing.revoke": lambda desk, of: desk.signing.revoke(person="tara"),
}
"""What is of no client and writes."""

CALLS: Mapping[str, Call] = {
    **NAMED,
    **{part: lambda desk, of, call=call: call(desk) for part, call in WHOLE.items()},
    **OF_NOBODY,
    "conversions.convert a share": lambda desk, of: desk.conversions.convert(RICH, "NSE:INFY", MIS_CNC, 1),
    "flatten.start of all": lambda desk, of: desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS),
    "plans.freeze again": lambda desk, of: desk.plans.freeze(buy("WIPRO", QTY, 1, of.client)),
}

READS_AT_BROKERS = {"reconcile.check", "close.look"}
"""Parts that have the desk read what a broker says: it books that by itself, whoever has asked for it."""

DOORS = {
    *("runs.start", "runs.go_on", "runs.pause", "plans.freeze", "orders.modify", "orders.cancel"),
    *("reconcile.adopt", "halt.resume", "flatten.start"),
    *("conversions.convert", "guards.set", "limits.set", "clients.edit", "routes.set", "chases.start"),
    *("approvals.approve", "people.disable", "signing.revoke"),
}
"""Parts that write, of which it would be a fault of this test to find no try to."""

asking: ContextVar[str] = ContextVar("asking", default="")


class Writes:
    """What a desk's store is given by one call and whatever it begins, and what of it is kept."""

    def __init__(self, revoke: Callable[[Unit], None]) -> None:
        self._revoke = revoke
        self.tried, self.kept = set[str](), list[tuple[str, str]]()

    @contextmanager
    def watching(self, desk: Desk) -> Generator[None]:
        """While it is open, the first unit of a call is preceded by the revocation."""
        store = seam(desk).store
        submit = store.submit

        def watched(unit: Any, *gate: Any) -> Any:
            part = asking.get()
            refusal = isinstance(unit, partial) and unit.func.__name__ == "_keep"
            if not part or refusal:
                return submit(unit, *gate)
            if part not in self.tried:
                self.tried.add(part)
                submit(self._revoke)
            future = submit(unit, *gate)
            future.add_done_callback(partial(self._done, part, getattr(unit, "__qualname__", str(unit))))
            return future

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "submit", watched)
            yield

    def _done(self, part: str, unit: str, future: Any) -> None:
        if not future.cancelled() and future.exception() is None:
            self.kept.append((part, unit))


class Asked:
    """An admin whose sign-in is revoked behind the desk's back before the first unit of each call."""

    def __init__(self, desk: Desk, sign_in: str) -> None:
        self._desk, self._sign_in = desk, sign_in
        self.writes = Writes(lambda unit: self._set("at", unit))
        self.went_on = set[str]()

    def _set(self, at: str, unit: Unit) -> None:
        """Change the row, and tell nobody."""
        run(unit.connection, f"UPDATE sign_in SET ended_at = {at} WHERE id = '{self._sign_in}'")

    async def of(self, part: str, call: Callable[[], Any]) -> None:
        """Make a call, and have the sign-in stand again after it."""
        told = asking.set(part)
        try:
            await in_time(self._desk, done_with(call))
            problem = None
        except (TradedeskError, ValueError, LookupError, AttributeError, OSError, RuntimeError) as found:
            problem = found
        finally:
            asking.reset(told)
        if part in self.writes.tried:
            if not isinstance(problem, NoLongerStands):
                self.went_on.add(part)
            await seam(self._desk).store.write(partial(self._set, "NULL"))


async def done_with(call: Callable[[], Any]) -> Any:
    return await done(call())


@asynccontextmanager
async def revoking(desk: Desk) -> AsyncGenerator[Asked]:
    """An admin at the desk who is revoked so; at the end nobody has told the desk of it."""
    made = await desk.signing.sign_in("asha", password("asha"), HERE, Via.API)
    desk.who.seat = desk.signing.actor(made.token, Via.API)
    await desk.settle()
    asked = Asked(desk, made.claims.sign_in)
    with asked.writes.watching(desk):
        yield asked
        await desk.settle()
    assert desk.who.trouble() == "", "in memory the sign-in stood all the time"


def right_of(part: str) -> Right | None:
    service, name = part.split()[0].split(".")
    return FACADE[service][name].right


@pytest.mark.proof
async def test_a_revocation_between_plan_and_commit_ends_every_write_at_its_commit(tmp_path: Path) -> None:
    async with desk_of_two(tmp_path / "home") as (desk, of, _):
        await carry_out(desk, buy("INFY", QTY, 1, RICH, product=Product.MIS))
        await desk.people.set_limit(1_00_000_00, 1)
        with seated(desk, await _seat(desk, "tara")):
            hers = await desk.plans.freeze(buy("HDFCBANK", QTY, 200, RICH))
        number, plan = there(hers.number), await desk.plans.freeze(buy("WIPRO", QTY, 1, RICH))
        modifies = await desk.modifies.look([of.order], NewLimit(LimitTo.CHASE, 2410_00))
        async with revoking(desk) as asked:
            await asked.of("runs.start", lambda: desk.runs.start(plan, plan.digest))
            await asked.of("approvals.approve", lambda: desk.approvals.approve(number, hers.digest))
            await asked.of("chases.start", lambda: desk.chases.start(modifies, modifies.digest))
            for part, call in CALLS.items():
                if right_of(part) not in (None, Right.HALT) and part not in asked.writes.tried:
                    await asked.of(part, partial(call, desk, of))
        assert asked.went_on == READS_AT_BROKERS
        assert {part for part, _ in asked.writes.kept} == READS_AT_BROKERS
        assert {unit.split(".")[0] for _, unit in asked.writes.kept} == {"Reconciler"}
        assert {part.split()[0] for part in asked.writes.tried} >= DOORS


async def _seat(desk: Desk, name: str) -> Any:
    made = await desk.signing.sign_in(name, password(name), HERE, Via.API)
    return desk.signing.actor(made.token, Via.API)


@pytest.mark.proof
async def test_whatever_a_part_of_the_facade_writes_is_held_to_the_sign_in(tmp_path: Path) -> None:
    """Every part by its name, and in place of what it does one unit: waived, adopted and leased alike."""
    async with desk_of_many(tmp_path / "home") as desk:
        store, seen = seam(desk).store, set[str]()

        async def waited_for(*given: object) -> None:
            await store.write(lambda unit: seen.add("written"))

        async with revoking(desk) as asked:
            for service, rules in FACADE.items():
                for name, rule in rules.items():
                    part = f"{service}.{name}"
                    stub = SimpleNamespace(**{name: waited_for})
                    rules_of_it = {name: replace(rule, goes_on_by=None, also=None)}
                    made = guarded(stub, service, rules_of_it, desk.who, seam(desk).book)
                    if rule.right not in (None, Right.HALT):
                        await asked.of(part, getattr(made, name))
                        seen.add(part)
        assert asked.writes.tried == seen
        assert (asked.went_on, asked.writes.kept) == (set(), [])


async def test_a_stop_waits_for_no_sign_in(tmp_path: Path) -> None:
    async with desk_of_many(tmp_path / "home") as desk, revoking(desk) as asked:
        await asked.of("halt.fire", lambda: desk.halt.fire("asha"))
        assert asked.went_on == {"halt.fire"}
        assert desk.halt_stands()
