"""Limits before the order as the book shows them, and the lists of shares that they name.

Every limit that is over a client is held against its orders: its own, those of its groups and the desk's.
Of those of one kind and strength the strictest therefore decides, wherever it was set, so that a limit nearer
to the client can only tighten. The desk makes three checks by itself; a limit of the desk of the same kind
stands in the place of one, `off` among them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from data.reference.instruments import Instrument
from data.repositories.accounts.limits import StoredOrderLimit, StoredShareList
from data.vocabulary import LimitKind, LimitScope, LimitStrength
from engine.book.views import ClientView

T2T = "t2t"
"""The list of shares that settle trade by trade; an instrument's own series says so too."""

RESTRICTED = "restricted"
"""The desk's own list of what it does not buy."""


class LimitView(Struct, frozen=True):
    """A limit: for whom, of what, how strict; nobody set those that the desk holds by itself.

    `whose` is a client's number or a group's name. `figure` is in paise, basis points or a count, None where
    the kind has none.
    """

    scope: LimitScope
    whose: str
    kind: LimitKind
    strength: LimitStrength
    figure: int | None = None
    list_name: str = ""
    by: str = ""
    at: datetime | None = None

    @property
    def place(self) -> tuple[LimitScope, str, LimitKind, str, LimitStrength]:
        """What there is one limit of."""
        return self.scope, self.whose, self.kind, self.list_name, self.strength


def _built_in(kind: LimitKind, strength: LimitStrength, list_name: str = "") -> LimitView:
    return LimitView(LimitScope.DESK, "", kind, strength, list_name=list_name)


BUILT_IN = (
    _built_in(LimitKind.DECIMAL_SLIP, LimitStrength.HARD),
    _built_in(LimitKind.SWAPPED, LimitStrength.SOFT),
    _built_in(LimitKind.CROSS, LimitStrength.SOFT),
    _built_in(LimitKind.LIST, LimitStrength.HARD, RESTRICTED),
)
"""What the desk holds by itself; the last one once there is such a list."""


class ShareList(Struct, frozen=True):
    """A list of shares as of a day: what it says of each, by NSE symbol and by ISIN where that was told."""

    name: str
    as_of: date
    file: str
    by: str
    at: datetime
    by_symbol: Mapping[str, str]
    by_isin: Mapping[str, str]

    def told_of(self, instrument: Instrument) -> str | None:
        """What the list says of an instrument, maybe nothing; None where it does not have it."""
        if instrument.isin and instrument.isin in self.by_isin:
            return self.by_isin[instrument.isin]
        return self.by_symbol.get(instrument.tradingsymbol) if instrument.exchange == "NSE" else None


class Limits:
    """All limits that stand, with the lists. Nothing of it changes: after a commit there is another one."""

    def __init__(
        self,
        limits: Sequence[LimitView] = (),
        lists: Mapping[str, ShareList] | None = None,
        version: tuple[int, int] = (0, 0),
    ) -> None:
        self.lists = dict(lists or {})
        self.version = version
        set_at_desk = {(one.kind, one.list_name) for one in limits if one.scope is LimitScope.DESK}
        missing = () if RESTRICTED in self.lists else (RESTRICTED,)
        own = [one for one in BUILT_IN if (one.kind, one.list_name) not in set_at_desk]
        self.all = (*(one for one in own if one.list_name not in missing), *limits)
        self._of: defaultdict[tuple[LimitScope, str], list[LimitView]] = defaultdict(list)
        for one in self.all:
            if one.strength is not LimitStrength.OFF:
                self._of[one.scope, one.whose].append(one)
        self._of_desk = tuple(self._of[LimitScope.DESK, ""])
        self._of_all = len(self._of) == 1

    @property
    def own(self) -> bool:
        """Whether there is any beside those that the desk holds by itself."""
        return any(one not in BUILT_IN or one.list_name for one in self.all)

    def over(self, client: ClientView) -> tuple[LimitView, ...]:
        """The limits over a client, the nearest first."""
        if self._of_all:
            return self._of_desk
        found = list(self._of.get((LimitScope.CLIENT, str(client.id)), ()))
        for name in client.groups:
            found += self._of.get((LimitScope.GROUP, name), ())
        return (*found, *self._of_desk)

    def sector_of(self, instrument: Instrument) -> str:
        """The sector that the newest index file tells, else the instrument's own; empty where none does."""
        listed = self.lists.get(SECTORS)
        return (None if listed is None else listed.told_of(instrument)) or instrument.sector


SECTORS = "sectors"
"""The list that says of each share which sector it is of."""

NO_LIMITS = Limits()


def limits_of(
    limits: Sequence[StoredOrderLimit], lists: Sequence[StoredShareList], version: tuple[int, int]
) -> Limits:
    """What is stored of limits as the book shows it."""
    views = [
        LimitView(one.scope, one.whose, one.kind, one.strength, one.figure, one.list_name, one.by, one.at)
        for one in limits
    ]
    return Limits(views, {one.name: _list_view(one) for one in lists}, version)


def _list_view(stored: StoredShareList) -> ShareList:
    return ShareList(
        stored.name,
        stored.as_of,
        stored.file,
        stored.by,
        stored.at,
        {symbol: told for symbol, _, told in stored.shares if symbol},
        {isin: told for _, isin, told in stored.shares if isin},
    )
