"""How guards stand, as whoever asks sees them: what samples have shown, and what trips have begun."""

from collections import defaultdict
from collections.abc import Mapping

from data.records import replace
from data.repositories.trading.guards import StoredGuard
from data.vocabulary import FlattenState, HaltScope
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import covering
from engine.book.kept import Kept
from engine.book.watched.guard_views import GuardView
from engine.events import (
    ClientsChanged,
    Event,
    FundsChanged,
    GuardsChanged,
    InstrumentsRenamed,
    OwedChanged,
)
from engine.flatten.flattens import Flattens
from engine.flatten.views import FlattenView
from engine.guards.booked import Whose, client_of
from engine.guards.sampling import Sampler
from engine.guards.viewing import guard_view
from engine.market.market import Market
from engine.timing import Timing

TRIPPED = 2**31
"""Nearer than any figure."""


class Seeing:
    """The views of all guards; the sampler's figures follow the book."""

    def __init__(self, kept: Kept, timing: Timing, market: Market, flatten: Flattens) -> None:
        self._kept = kept
        self._timing = timing
        self._market = market
        self.flatten = flatten
        self.sampler = Sampler(kept.book, timing, market)
        self._indexed: Mapping[int, StoredGuard] | None = None
        self._of_client: dict[int | None, list[StoredGuard]] = {}
        self.flattens: dict[int, FlattenView] = {}
        """Those that standing trips have begun, as they were read last."""
        kept.bus.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        match event:
            case FundsChanged(client_ids=client_ids):
                self.sampler.forget(client_ids)
            case OwedChanged(client_id=client_id):
                self.sampler.forget((client_id,))
            case ClientsChanged() | InstrumentsRenamed() | GuardsChanged():
                self.sampler.forget()
            case _:
                pass

    def all(self) -> list[GuardView]:
        """Every guard that is set, as the last sample showed it: what needs the trader first."""
        views = [self.view(guard) for guard in self._kept.book.guards.values()]
        return sorted(views, key=lambda one: (not one.asks, one.of.casefold(), one.what.value))

    def of(self, client_id: int) -> list[GuardView]:
        """The guards of one client alone, that nearest to its limit first."""
        guards = self._kept.book.guards
        if self._indexed is not guards:
            self._indexed, self._of_client = guards, defaultdict(list)
            for one in guards.values():
                self._of_client[client_of(one)].append(one)
        mine = self._of_client.get(client_id, ())
        return sorted((self.view(one) for one in mine), key=nearness, reverse=True)

    def asking(self) -> list[GuardView]:
        """The guards that the trader must look at."""
        return [one for one in self.all() if one.asks]

    def named(self, scope: HaltScope, value: str) -> str:
        """Whose a guard is, as the trader calls it."""
        if scope is HaltScope.CLIENT:
            client = self._kept.book.clients.get(int(value))
            return value if client is None else client.code
        return value if scope is HaltScope.GROUP else "desk"

    def whose(self, guard: StoredGuard) -> Whose:
        """Whose a guard is: what the trader calls them, and their numbers."""
        members = frozenset(client.id for client in self.sampler.members(guard))
        return Whose(self.named(guard.scope, guard.value), members)

    def view(self, guard: StoredGuard) -> GuardView:
        """A guard as the last sample showed it."""
        trip = self._kept.book.trips.get(guard.number)
        taken = None if trip is None else self.flattens.get(trip.flatten_number or 0)
        watched = self.sampler.watched.get(guard.number)
        base = self.sampler.base_of(guard)
        named = self.named(guard.scope, guard.value)
        at = self._timing.wall.monotonic()
        view = guard_view(guard, named, base, watched, at, trip, taken)
        view = replace(view, age_s=None if watched is None else self.sampler.age_s)
        if trip is None or view.trip is None:
            return view
        halted = any(halt.number == trip.halt_number for halt in self._kept.book.halts)
        back = trip.flattens and trip.flatten_number is None and self.held_back(guard)
        return replace(view, trip=replace(view.trip, halted=halted, held_back=back))

    def held_back(self, guard: StoredGuard) -> bool:
        """Whether a halt stands under which nothing of a client may leave."""
        if halt_file_stands(self._kept.halt_file):
            return True
        book, client_id = self._kept.book, client_of(guard)
        client = None if client_id is None else book.clients.get(client_id)
        if client is None:
            return False
        return any(not halt.reduces for halt in covering(book.halts, client, ""))

    async def read(self) -> None:
        """Look once, with prices asked for: for a command that opens a desk of its own."""
        keys = self.sampler.keys()
        if old := self._market.old(keys):
            await self._market.fetch(sorted(old))
        self.sampler.sample()
        await self.look_at_flattens()

    async def look_at_flattens(self) -> None:
        """Know how far the flattens of standing trips are; one with its certificate changes no more."""
        numbers = {one.flatten_number for one in self._kept.book.trips.values() if one.flatten_number}
        self.flattens = {n: view for n, view in self.flattens.items() if n in numbers}
        for number in numbers:
            known = self.flattens.get(number)
            if known is None or known.state is not FlattenState.DONE:
                self.flattens[number] = await self.flatten.view(number)


def nearness(view: GuardView) -> int:
    """How near a guard is to its limit, in parts of ten thousand; one that has tripped comes before all."""
    if view.trip is not None:
        return TRIPPED
    net = view.net_paise or 0
    limit = view.loss_limit_paise if net < 0 else view.target_limit_paise
    return abs(net) * 10_000 // limit if limit else 0
