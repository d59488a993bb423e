"""What the words of a line can name: symbols, clients, saved baskets, runs, what is marked or in view."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

from msgspec import Struct, field

from data.reference.instrument_index import InstrumentIndex
from engine.accounts.clients import Clients
from engine.book.views import ClientView
from engine.planning.entry.baskets import Basket
from engine.planning.intent import Selection


class Names(Struct, frozen=True):
    """What has a name of its own: saved baskets, models, settings, and commands that take no word.

    `settings` are those of the screen, each with the words that it may be, where they are few. `commands` are
    by name, each with what it does.
    """

    baskets: Sequence[Basket] = ()
    settings: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    commands: Mapping[str, str] = field(default_factory=dict[str, str])
    models: Sequence[str] = ()


class Around(Struct, frozen=True):
    """What the line was opened over: clients marked there, and those that a group or filter left in view."""

    marked: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()


class Known(Struct, frozen=True):
    """The desk, as far as a line can name something of it. `runs` are the numbers of runs, newest first.

    `today` is the market's day, `connections` are their names, `alert_rules` the numbers of those.
    """

    index: InstrumentIndex
    clients: Clients
    select: Callable[[Selection], Sequence[ClientView]]
    holders: Callable[[str], Collection[int]]
    today: date
    runs: Sequence[int] = ()
    names: Names = Names()
    around: Around = Around()
    connections: Sequence[str] = ()
    alert_rules: Sequence[int] = ()
