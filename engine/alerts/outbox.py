"""What carries alerts out of here: channels, and the outbox whose rows go out by them one by one.

A row is claimed for each try by one conditional statement, so that of several engines one sends it. It is
sent at least once: where the program dies between a send and its note, the claim runs out and it is sent
again. Nothing waits for it: an alert is raised whether or not it leaves.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput, StoreError
from data.records import replace
from data.repositories.alerting.alerts import alert_numbered
from data.repositories.alerting.outbox import (
    AlertChannel,
    AlertDelivery,
    add_channel,
    channels_on,
    claim_delivery,
    read_channels,
    read_deliveries,
    read_queued,
    remove_channel,
    save_delivery,
)
from data.secrets import Vault
from data.store import Unit
from data.vocabulary import DeliveryState
from engine.alerts.alerts import Alerts
from engine.book.kept import Kept
from engine.book.watched.alert_views import AlertView
from engine.events import AlertRaised, Event, OutboxChanged
from engine.instances import ThisEngine
from engine.quiet import QuietHours
from engine.timing import Timing

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""Seconds between two looks at what is due; what was raised just now is looked at at once."""

TRY_S = 20.0
"""How long a channel is waited for."""

AT_ONCE = 4
"""Deliveries under way together."""

AGAIN_S = (5, 15, 60, 300, 900, 1800, 3600)
"""How long after each try that failed the next one comes; after the last of them it has failed."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
_SERVICE = re.compile(r"([a-z][a-z0-9+.-]*)://.", re.IGNORECASE)


LOCKED_AGAIN = timedelta(seconds=60)
"""How long after the secrets did not open they are tried again."""

LONGEST_WAIT = timedelta(days=1)
"""How old an alert may become whose tries do not count: secrets locked, or a channel that asks to wait."""


class NotDelivered(Exception):  # noqa: N818 - what came of a try
    """A channel did not take an alert; says why, in words without a secret.

    One that takes no more for a while asks to be tried again after `wait_s`.
    """

    def __init__(self, why: str, wait_s: int = 0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class _Came(Struct, frozen=True):
    """What came of a try: why it was not taken, empty where it was.

    With `wait` the channel itself has not failed: it is tried again after that, and the try does not count.
    """

    problem: str = ""
    wait: timedelta | None = None


class Carrier(Protocol):
    """Takes messages out of here."""

    def check(self, address: str) -> None:
        """Whether an address can be one. Raises `BadInput`, without the address, which holds a secret."""
        ...

    def send(self, address: str, title: str, body: str, urgent: bool) -> None:
        """Send one message, in a thread. Raises `NotDelivered`."""
        ...


class NoCarrier:
    """Stands where nothing carries messages out."""

    def check(self, address: str) -> None:
        """Raises `BadInput`."""
        raise BadInput("channel", "(hidden)", "this desk was given nothing that carries alerts out")

    def send(self, address: str, title: str, body: str, urgent: bool) -> None:
        """Raises `NotDelivered`."""
        raise NotDelivered("this desk was given nothing that carries alerts out")


def secret_of(channel: str) -> str:
    """The name under which the vault keeps a channel's address."""
    return f"alerts/channel/{channel}"


Words = Callable[[AlertView], tuple[str, str]]
"""The title and the text of an alert, as they leave."""


class Outbox:
    """Sends what waits, for as long as the desk lives."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, alerts: Alerts, quiet: QuietHours, words: Words
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._alerts = alerts
        self._quiet = quiet
        self._words = words
        self.carrier: Carrier = NoCarrier()
        self._vault: Vault | None = None
        self._due = asyncio.Event()
        self._going: set[asyncio.Task[None]] = set()
        self._sending: set[int] = set()
        self._waits: dict[str, datetime] = {}
        """Until when a channel is left alone that has asked for it."""

    # --- channels ---

    async def channels(self) -> Sequence[AlertChannel]:
        """Every channel, without its address."""
        async with self._kept.store.reader() as reader:
            return await read_channels(reader)

    async def add_channel(self, name: str, address: str) -> AlertChannel:
        """Keep a channel, its address in the vault. Raises `BadInput`."""
        name, address, actor = name.strip().casefold(), address.strip(), self._engine.actor
        if _NAME.fullmatch(name) is None:
            raise BadInput("channel", name, "give a name of 1 to 20 small letters, digits and -")
        found = _SERVICE.match(address)
        if found is None:
            raise BadInput(
                "address", "(hidden)", "give one such as tgram://…, mailtos://… or jsons://host/way"
            )
        self.carrier.check(address)
        if name in {one.name for one in await self.channels()}:
            raise BadInput("channel", name, "there is one of this name: remove it first")
        await asyncio.to_thread(lambda: self._opened().put(secret_of(name), address))

        def unit_of_work(unit: Unit) -> AlertChannel:
            made = AlertChannel(name, found[1].casefold(), actor, unit.now)
            if name in {one.name for one in channels_on(unit)}:
                raise BadInput("channel", name, "there is one of this name: remove it first")
            add_channel(unit, made)
            details: dict[str, object] = {"channel": name, "service": made.service}
            unit.audit(AuditEntry(AuditAction.ALERT_CHANNEL_ADDED, actor, details=details))
            return made

        return await self._kept.store.write(unit_of_work)

    async def remove_channel(self, name: str) -> None:
        """Forget a channel and its address; what waits for it has failed. Raises `BadInput`."""
        actor = self._engine.actor

        def unit_of_work(unit: Unit) -> None:
            if not remove_channel(unit, name, "its channel was removed"):
                there = ", ".join(one.name for one in channels_on(unit)) or "none"
                raise BadInput("channel", name, f"there is no such channel; there are {there}")
            details: dict[str, object] = {"channel": name}
            unit.audit(AuditEntry(AuditAction.ALERT_CHANNEL_REMOVED, actor, details=details))

        await self._kept.store.write(unit_of_work)
        await asyncio.to_thread(lambda: self._opened().delete(secret_of(name)))
        self._kept.bus.publish([OutboxChanged()])

    def _opened(self) -> Vault:
        """The home's vault. Raises `BadInput` where it does not open."""
        if self._vault is None:
            self._vault = self._kept.open_vault()
        return self._vault

    # --- deliveries ---

    async def deliveries(self) -> Sequence[AlertDelivery]:
        """The latest deliveries, the newest first."""
        async with self._kept.store.reader() as reader:
            return await read_deliveries(reader)

    def waiting(self) -> int:
        """Deliveries under way now."""
        return len(self._going)

    def heard(self, event: Event) -> None:
        """Look at once at what was just raised."""
        if isinstance(event, AlertRaised):
            self._due.set()

    async def keep(self) -> None:
        """Send what is due, again and again."""
        while True:
            try:
                await self._look()
            except Exception as problem:  # whatever it was, the next look comes soon
                log.warning("the outbox of alerts could not be looked at: %r", problem)
            await self._wait()

    async def _wait(self) -> None:
        """Until something was raised, or for a while."""
        told = asyncio.create_task(self._due.wait())
        pause = asyncio.create_task(self._timing.wall.sleep(LOOK_S))
        try:
            await asyncio.wait({told, pause}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            pause.cancel()
        self._due.clear()

    async def _look(self) -> None:
        now = self._timing.wall.now()
        async with self._kept.store.reader() as reader:
            queued = await read_queued(reader)
        for one in queued:
            if one.next_at > now or len(self._going) >= AT_ONCE:
                break
            if one.number not in self._sending and self._waits.get(one.channel, now) <= now:
                task = asyncio.create_task(self._deliver(one))
                self._sending.add(one.number)
                self._going.add(task)
                task.add_done_callback(self._going.discard)

    async def _deliver(self, one: AlertDelivery) -> None:
        try:
            await self._tried(one)
        except StoreError as problem:
            log.warning("a delivery could not be noted: %s", problem)
        finally:
            self._sending.discard(one.number)
            self._due.set()

    async def _tried(self, one: AlertDelivery) -> None:
        """Try once, as the one engine that does."""
        async with self._kept.store.reader() as reader:
            stored = await reader.run_sync(lambda on: alert_numbered(on, one.alert))
        if stored is None:
            return
        if not stored.urgent and (until := self._quiet.until(self._timing.market.now())) is not None:
            held = self._timing.wall.now() + (until - self._timing.market.now())
            await self._kept.store.write(lambda unit: save_delivery(unit, replace(one, next_at=held)))
            return
        lease = timedelta(seconds=2 * TRY_S)
        claimed = await self._kept.store.write(lambda unit: claim_delivery(unit, one, unit.now + lease))
        if claimed is None:
            return
        came = await self._send(one.channel, *self._words(self._alerts.view_of(stored)), stored.urgent)
        await self._kept.store.write(lambda unit: self._note(unit, claimed, came))
        self._kept.bus.publish([OutboxChanged()])

    async def _send(self, channel: str, title: str, body: str, urgent: bool) -> _Came:
        """Send it; returns what came of it."""
        try:
            async with self._timing.wall.timeout(TRY_S):
                try:
                    address = await asyncio.to_thread(lambda: self._opened().get(secret_of(channel)))
                except BadInput as problem:
                    todo = f"{problem.expected}, or open the app anew, which asks for it"
                    return _Came(f"the secrets do not open: {todo}", LOCKED_AGAIN)
                if address is None:
                    return _Came("its address is not in the vault: add the channel again")
                await asyncio.to_thread(self.carrier.send, address, title, body, urgent)
        except TimeoutError:
            return _Came(f"no answer within {TRY_S:.0f} s")
        except NotDelivered as problem:
            if problem.wait_s <= 0:
                return _Came(str(problem))
            wait = timedelta(seconds=problem.wait_s)
            self._waits[channel] = self._timing.wall.now() + wait
            return _Came(str(problem), wait)
        except Exception as problem:  # a channel's own words may hold its address
            return _Came(f"it failed ({type(problem).__name__})")
        return _Came()

    def _note(self, unit: Unit, one: AlertDelivery, came: _Came) -> None:
        """Note what came of a try, and in the audit how it ended."""
        details: dict[str, object] = {"delivery": one.number, "number": one.alert, "channel": one.channel}
        actor, tries = self._engine.actor, one.tries
        if came.wait is not None:
            tries -= 1
        if not came.problem:
            save_delivery(unit, replace(one, state=DeliveryState.SENT, sent_at=unit.now, problem=""))
            unit.audit(AuditEntry(AuditAction.ALERT_DELIVERED, actor, details=details))
        elif tries > len(AGAIN_S) or (came.wait is not None and unit.now - one.at >= LONGEST_WAIT):
            save_delivery(unit, replace(one, state=DeliveryState.FAILED, tries=tries, problem=came.problem))
            details |= {"problem": came.problem, "tries": tries}
            unit.audit(AuditEntry(AuditAction.ALERT_NOT_DELIVERED, actor, details=details))
        else:
            wait = came.wait or timedelta(seconds=AGAIN_S[tries - 1])
            again = replace(one, tries=tries, next_at=unit.now + wait, problem=came.problem)
            save_delivery(unit, again)
