"""The one root of every error that a caller can meet, and the error of a value from outside.

TradedeskError
├── BadInput                 a value from outside: its field, itself, and what would be right
│   └── FileProblem, UnknownSymbol, CalendarNotLoaded, RatesNotLoaded
├── Refusal                  what the desk will not do, each with a stable word and its figures
│   └── PlanExpired, PlanDrifted, AlreadyRun, DuplicateIntent, CannotGoOn, Halted, NotConfirmed,
│       TradingStopped, Forbidden, SignInRefused, NeedsApproval, OwnPlan, and kinds of these;
│       `refusal_words` has the sentence of each
├── DamagedZip               an archive that cannot be unpacked, told in words
├── BadToken                 a token that says nothing of who is signed in
├── CommandRefused           a command that an order's state does not take
├── CommandKnown             a command asked for under an id that stands already
├── AppAlreadyRuns           another app has this home open
├── StoreError               the database: StoreBusy, StoreUnwritable, StoreUnreadable, StoreFailed,
│                            StoreUnread, StoreUnsure, StoreClosed, StoreAway, LeaseLost,
│                            NoLease, RowsMoved
├── Unbalanced               a transfer that does not add up: a fault of the program
└── BrokerError              a read that failed at a broker: NotAsked, SessionExpired, ExchangeBusy
"""

from collections.abc import Sequence

_LONGEST_SHOWN = 160
"""Characters of a value that are echoed; of a longer one its beginning and its length."""


def shortened(text: str) -> str:
    """Text that came from outside, cut where it is too long to be read in a message."""
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{text[: _LONGEST_SHOWN - 20]}… ({len(text):,} characters)"


def quoted(value: object) -> str:
    """A value as messages name it; one that is too long is not echoed whole."""
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        return f"{value[: _LONGEST_SHOWN - 20]!r}… ({len(value):,} characters)"
    return shortened(repr(value))


class TradedeskError(Exception):
    """Anything that tradedesk raises for its caller to meet."""


class BadInput(TradedeskError, ValueError):  # noqa: N818 - it is the trader's word, shown as a message
    """A value from outside that cannot be taken.

    Carries the field's name, the value as given and what would be right, so that every edge of the
    program (form, CLI, file) words the message alike.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__(f"{field}: {quoted(value)} is not valid; {expected}")
        self.field = field
        self.value = value
        self.expected = expected


class StoreError(TradedeskError):
    """The database could not do what was asked; nothing of it was kept unless the kind says otherwise."""


class StoreBusy(StoreError):  # noqa: N818 - reads as a state
    """Others held the database for longer than the writer waits, or came between each time that it tried."""


class RowsMoved(StoreBusy):
    """A row was not as whoever changes it had read it: the work is done again on what stands."""


class StoreAway(StoreBusy):
    """The server of the books does not answer, or has no time: what was to be read is read once it does."""


class StoreUnwritable(StoreError):  # noqa: N818 - reads as a state
    """The disk is full, the file read-only or damaged, the server away: trading stops, cancels still go."""


class StoreUnreadable(StoreError):  # noqa: N818 - reads as a state
    """The books hold what cannot be read: trading stops, cancels still go."""


class StoreFailed(StoreError):  # noqa: N818 - reads as a state
    """The database failed inside the unit, which is no fault of the unit's own: it may be tried again."""


class StoreUnread(StoreError):  # noqa: N818 - reads as a state
    """The unit was kept, but what it changed could not be read back; the next commit reads everything."""


class StoreUnsure(StoreError):  # noqa: N818 - reads as a state
    """The server was lost at the commit: whether the unit was kept is known once it answers again."""


class StoreClosed(StoreError):  # noqa: N818 - reads as a state
    """The store is closed, or its writer has ended; nothing was written."""


class LeaseLost(StoreError):  # noqa: N818 - reads as a state
    """Another desk has these clients, or nobody: what was to be written for them was not kept."""

    def __init__(self, client_ids: frozenset[int]) -> None:
        super().__init__(f"{len(client_ids)} clients are no longer this desk's; nothing was written for them")
        self.client_ids = client_ids


class NoLease(StoreError):  # noqa: N818 - reads as a state
    """A process that has nobody's lease would have changed what only a desk may; nothing of it was kept."""

    def __init__(self, topics: Sequence[str]) -> None:
        super().__init__(f"a worker may not change {', '.join(topics)}: whoever has the clients does")
