"""How a connection lives beside the desk that it is part of, and what it may ask of that desk."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from brokers.contract import BrokerAccount, KillSwitch
from data.reference.instruments import BrokerListing
from data.vocabulary import Product, SessionProblem


class OrdersBarred(StrEnum):
    """What bars a client's orders at its broker though its session holds and its route stands."""

    NO_ALGO_NAME = "no_algo_name"
    KILL_SWITCH = "kill_switch"


class Guest(Struct, frozen=True):
    """A client as the connection that carries it sees it; money in paise.

    `login_at` is since when it is signed in, None where it is not; `api_key` is that of its route, or empty.
    """

    account: BrokerAccount
    code: str
    broker: str
    login_at: datetime | None
    api_key: str
    available_paise: int
    held_paise: int
    mtf_limit_paise: int

    @property
    def signed_in(self) -> bool:
        """Whether its broker took calls when it was last heard."""
        return self.login_at is not None


class GuestLot(Struct, frozen=True):
    """Shares of a client as the books have them; of their cost `loan_paise` is lent. Money in paise.

    `bought_on` is the trading date of shares that have not settled.
    """

    key: str
    product: Product
    quantity: int
    cost_paise: int
    loan_paise: int
    bought_on: date | None


class Host(Protocol):
    """What a connection may ask of its desk. What writes raises `StoreError` where that cannot be done."""

    @property
    def alone(self) -> bool:
        """Whether it is the app of its home, of which there is one."""
        ...

    @property
    def keeps_up(self) -> bool:
        """Whether it hears of every client while it is open, and not only of whom a command asks."""
        ...

    @property
    def bears_trouble(self) -> bool:
        """Whether it goes on for reading and for cancels where something cannot be had."""
        ...

    @property
    def polls_every_s(self) -> tuple[float, float]:
        """How often order books are read that no stream tells of: while orders live there, and else."""
        ...

    def guests(self) -> list[Guest]:
        """The clients that this connection carries, by code."""
        ...

    def lots(self, code: str, /) -> list[GuestLot]:
        """What the books have of a client's shares, to be told to a venue that knows nothing of it."""
        ...

    def listings(self, keys: Collection[str], /) -> Sequence[BrokerListing]:
        """How the broker of this connection lists these of the desk's instruments."""
        ...

    def listed_under(self, tokens: Collection[str], /) -> Sequence[BrokerListing]:
        """What the broker of this connection lists under these tokens of its own."""
        ...

    def listed_otherwise(self) -> Sequence[BrokerListing]:
        """What the broker of this connection lists under another symbol than the desk's."""
        ...

    def renames(self) -> Iterable[tuple[str, str, str]]:
        """Each security that has another name now: its name before, its name now, its identity."""
        ...

    async def keep(self, facts: Mapping[str, str]) -> None:
        """Keep facts of the home in place of those of the same names."""
        ...

    async def kept(self, prefix: str) -> dict[str, str]:
        """The facts of the home whose names begin so, by the rest of their names."""
        ...

    async def sign_out(self, client_ids: Collection[int], words: str, problem: SessionProblem) -> None:
        """Take clients for signed out."""
        ...

    def session_lost(self, client_id: int, words: str) -> None:
        """Say that a broker no longer takes a client's session."""
        ...

    async def read_instruments(self) -> bool:
        """Read the day's instruments of this connection's broker; whether they are at hand then."""
        ...

    async def follow_again(self) -> None:
        """Ask the feed once more for all prices that are followed. Raises `BrokerError`."""
        ...

    def tell(self, words: str) -> None:
        """Put a warning on the tape."""
        ...

    def tell_feed(self, lost: str, by: str) -> None:
        """Say on the tape that a client's key brings no prices and whose does now, by their codes."""
        ...

    async def judge_again(self) -> None:
        """Have the gate judge every client anew, since what bars one has changed."""
        ...

    def begin(self, work: Callable[[], Coroutine[Any, Any, None]], /) -> object:
        """Begin work that ends with the desk at the latest."""
        ...


class Life:
    """A connection that has nothing to do beside its calls; others do more at the same moments.

    `trouble` says why the venue cannot be reached or its secrets not be read, empty where nothing is wrong.
    """

    trouble = ""

    def attach(self, host: Host) -> None:
        """Learn which desk it is part of, before that is opened."""

    async def meet(self) -> None:
        """Get to know the clients, before the adapter is first asked for anything of theirs."""

    async def opened(self) -> None:
        """Do what waits for a desk that is open. Raises `BrokerError` or `StoreError`."""

    def clients_changed(self) -> None:
        """Clients were added or changed."""

    def trading_day(self) -> date | None:
        """The day that the venue trades on now; None where it has none of its own. Asked by any thread."""
        return None

    def sessions_changed(self) -> None:
        """Clients signed in or out."""

    def instruments_renamed(self) -> None:
        """Securities have other names now."""

    def margins_told(self, margins: Mapping[str, int | None]) -> None:
        """A broker's list has other margins of these keys now, in basis points; None: it lends no more."""

    def tells_instruments(self) -> bool:
        """Whether the broker has made the day's list of instruments by now, and somebody may ask for it."""
        return False

    async def keep_day(self) -> None:
        """Run while the desk is open: follow the venue's time and its days."""

    async def hear(self, client_ids: Collection[int]) -> None:
        """Hear the order updates of these clients while a command waits; where all are heard, nothing."""

    async def believes(self, client_id: int) -> bool:
        """Whether a broker's word that a session is over counts here."""
        return not self.trouble

    def polls(self, client_id: int) -> bool:
        """Whether a client's order book is read since no stream tells of it."""
        return False

    def kill_switches_told(self, client_id: int, switches: Sequence[KillSwitch]) -> None:
        """A client's kill switches were read."""

    def barred(self, client_id: int, api_key: str) -> OrdersBarred | None:
        """What bars the orders of a client with this api key at the broker, as far as is known."""
        return None

    def close(self) -> None:
        """Give back what is held beside the adapter, which is closed before."""
