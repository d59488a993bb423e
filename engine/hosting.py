"""What a desk lets each of its connections ask of it."""

import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from brokers.connection import Connection
from brokers.life import Guest, GuestLot
from data.reference.instruments import BrokerListing
from data.repositories.accounts.statement import lots_left
from data.repositories.base import DatabaseError
from data.repositories.meta import keep_facts, read_facts
from data.store import Unit
from data.vocabulary import Bucket, SessionProblem
from engine.access.lost import LostSessions
from engine.access.sessions import Sessions
from engine.book.kept import Kept
from engine.events import TapeLine
from engine.instances import POLICIES, ThisEngine
from engine.market.instruments import InstrumentDump
from engine.market.market import Market
from engine.news import BrokerSaid, FeedMoved, News
from engine.timing import Timing

log = logging.getLogger(__name__)


class Offered(Struct, frozen=True):
    """The services of a desk that its connections reach; `begin` begins a task of that desk."""

    market: Market
    instruments: InstrumentDump
    sessions: Sessions
    lost_sessions: LostSessions
    begin: Callable[[Callable[[], Coroutine[Any, Any, None]]], object]


class Hosting:
    """Implements `brokers.life.Host` for one connection of a desk."""

    def __init__(
        self, connection: Connection, kept: Kept, timing: Timing, engine: ThisEngine, offered: Offered
    ) -> None:
        self._connection = connection
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._offered = offered
        policy = POLICIES[engine.kind]
        self.alone, self.keeps_up, self.bears_trouble = policy.alone, policy.keeps_up, policy.bears_trouble

    @property
    def polls_every_s(self) -> tuple[float, float]:
        """How often order books are read that no stream tells of: while orders live there, and else."""
        return self._timing.waits.live_poll_s, self._timing.waits.idle_poll_s

    def guests(self) -> list[Guest]:
        """The clients that this connection carries, by code."""
        book, found = self._kept.book, list[Guest]()
        for client in book.clients.values():
            if book.carrier_of(client.id) is not self._connection:
                continue
            funds, session = book.funds.get(client.id), book.access.sessions.get(client.id)
            route = book.access.routes.get(client.id)
            found.append(
                Guest(
                    account=self._connection.account(client),
                    code=client.code,
                    broker=client.broker,
                    login_at=session.login_at if session is not None and session.ok else None,
                    api_key="" if route is None else route.api_key,
                    available_paise=0 if funds is None else funds.available_paise,
                    held_paise=0 if funds is None else funds.held_paise,
                    mtf_limit_paise=client.mtf_limit_paise,
                )
            )
        return found

    def lots(self, code: str) -> list[GuestLot]:
        """What the books have of a client's shares, to be told to a venue that knows nothing of it."""
        client_id = next(one.id for one in self._kept.book.clients.values() if one.code == code)
        try:
            found = self._kept.store.glance(lambda reader: lots_left(reader, client_id))
        except (DatabaseError, ValueError):  # an odd value is the doctor's to name
            log.exception("what client %s holds cannot be read: no venue is told", code)
            found = []
        return [
            GuestLot(
                one.key,
                one.product,
                one.quantity,
                one.cost_paise,
                one.loan_paise,
                None if one.bucket is Bucket.FREE else one.opened_on,
            )
            for one in found
        ]

    def listings(self, keys: Collection[str]) -> Sequence[BrokerListing]:
        """How the broker of this connection lists these of the desk's instruments."""
        return self._offered.market.listings(self._connection.broker.name, keys)

    def listed_under(self, tokens: Collection[str]) -> Sequence[BrokerListing]:
        """What the broker of this connection lists under these tokens of its own."""
        return self._offered.market.listed_under(self._connection.broker.name, tokens)

    def listed_otherwise(self) -> Sequence[BrokerListing]:
        """What the broker of this connection lists under another symbol than the desk's."""
        return self._offered.market.listed_otherwise(self._connection.broker.name)

    def renames(self) -> Iterable[tuple[str, str, str]]:
        """Each security that has another name now: its name before, its name now, its identity."""
        return ((one.key_before, one.key, one.security) for one in self._offered.market.renames())

    async def keep(self, facts: Mapping[str, str]) -> None:
        """Keep facts of the home in place of those of the same names. Raises `StoreError`."""
        await self._kept.store.write(lambda unit: keep_facts(unit, facts))

    async def kept(self, prefix: str) -> dict[str, str]:
        """The facts of the home whose names begin so, by the rest of their names."""
        async with self._kept.store.reader() as connection:
            return await read_facts(connection, prefix)

    async def sign_out(self, client_ids: Collection[int], words: str, problem: SessionProblem) -> None:
        """Take clients for signed out. Raises `StoreError`."""
        await self._offered.sessions.expire_all(client_ids, words, problem)

    def session_lost(self, client_id: int, words: str) -> None:
        """Say that a broker no longer takes a client's session."""
        self._offered.lost_sessions.note(client_id, words)

    async def read_instruments(self) -> bool:
        """Read the day's instruments of this connection's broker; whether they are at hand then."""
        report = await self._offered.instruments.refresh(of=self._connection)
        return report is None or not report.problem

    async def follow_again(self) -> None:
        """Ask the feed once more for all prices that are followed. Raises `BrokerError`."""
        await self._offered.market.follow_again()

    async def judge_again(self) -> None:
        """Have the gate judge every client anew, since what bars one has changed. Raises `StoreError`."""

        def touch(unit: Unit) -> None:
            unit.touched.roster = True

        await self._kept.store.write(touch)

    def begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> object:
        """Begin work that ends with the desk at the latest."""
        return self._offered.begin(work)

    def tell(self, words: str) -> None:
        """Put a warning on the tape."""
        self._tell(BrokerSaid(words))

    def tell_feed(self, lost: str, by: str) -> None:
        """Say on the tape that a client's key brings no prices and whose does now, by their codes."""
        self._tell(FeedMoved(lost, by))

    def _tell(self, news: News) -> None:
        self._kept.bus.publish([TapeLine(self._timing.wall.now(), news)])
