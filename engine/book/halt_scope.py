"""Which orders a halt is over, and what halts let leave."""

from collections.abc import Collection, Iterable
from datetime import datetime

from msgspec import Struct

from data.records import replace
from data.vocabulary import HaltScope, HaltStrength
from engine.book.views import ClientView


class HaltView(Struct, frozen=True):
    """A halt that has not been resumed. `members` are the clients of a halted group or desk as of the halt.

    `home` is the id of the home that fired it, where several share the books, and `here` whether it is of
    this very desk, so that it stops whoever has come to it since too.
    Under one of strength `reduce` orders may leave that make their client's position smaller.
    """

    number: int
    scope: HaltScope
    value: str
    at: datetime
    by: str
    members: frozenset[int] = frozenset()
    strength: HaltStrength = HaltStrength.ALL
    home: str = ""
    here: bool = False

    @property
    def reduces(self) -> bool:
        """Whether orders that reduce may leave; a strength that is not known stops all."""
        return self.strength is HaltStrength.REDUCE

    @property
    def whole(self) -> bool:
        """Whether it is over every client of this desk."""
        return self.scope is HaltScope.EVERYTHING or self.here

    @property
    def stops_desk(self) -> bool:
        """Whether nothing of any client may leave this desk."""
        return self.whole and not self.reduces


class Passes(Struct, frozen=True):
    """Which halts an order of a flatten passes: those that stood when the flatten was confirmed.

    `file` is the stamp of the HALT file then, empty where there was none, `at` the moment. A halt that lets
    orders reduce is passed in any case, since such an order does.
    """

    halts: frozenset[int]
    file: str
    at: datetime

    def stopped_by(self, over: Iterable[HaltView], lifted_over: Iterable[HaltView] = ()) -> bool:
        """Whether one of the halts that are over the order stops it, or of those that were: `lifted_over`."""
        since = [halt for halt in lifted_over if halt.at > self.at]
        return any(not halt.reduces and halt.number not in self.halts for halt in (*over, *since))


def covers(halt: HaltView, client: ClientView, key: str) -> bool:
    """Whether orders of this client in this instrument are in a halt's scope."""
    match halt.scope:
        case HaltScope.EVERYTHING:
            return True
        case HaltScope.BROKER:
            return client.broker == halt.value
        case HaltScope.GROUP:
            return client.id in halt.members
        case HaltScope.DESK:  # whom it had then, wherever they are by now; and whoever has come to it since
            return halt.here or client.id in halt.members
        case HaltScope.CLIENT:
            return str(client.id) == halt.value
        case HaltScope.SYMBOL:
            return key == halt.value


def seen_from(home: str, halts: Iterable[HaltView]) -> list[HaltView]:
    """The same halts, those of the desk of this home known as its own."""
    return [
        replace(halt, here=True) if halt.scope is HaltScope.DESK and halt.home == home else halt
        for halt in halts
    ]


def covering(halts: Iterable[HaltView], client: ClientView, key: str) -> list[HaltView]:
    """The halts that have orders of this client in this instrument in their scope."""
    return [halt for halt in halts if covers(halt, client, key)]


def covered(halts: Iterable[HaltView], client: ClientView, key: str) -> bool:
    """Whether any halt is over orders of this client in this instrument."""
    return any(covers(halt, client, key) for halt in halts)


def strength_of(halts: Collection[HaltView]) -> HaltStrength | None:
    """What these halts let leave together, the strongest deciding; None where there is none."""
    if not halts:
        return None
    return HaltStrength.REDUCE if all(halt.reduces for halt in halts) else HaltStrength.ALL
