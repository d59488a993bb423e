"""One life of a desk at simulated brokers, as a process: recover, be compared, trade, perhaps die."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import aiohttp

from brokers.simulators.serving.homes import own_address
from data.errors import BadInput
from data.home import books_file
from data.money import tick_down
from data.reference.seed import universe
from data.store import StoreError
from data.vocabulary import (
    LIVE_STATES,
    Demat,
    OrderState,
    OrderType,
    Product,
    RouteKind,
    Side,
    SizingKind,
)
from engine.access.routes import NewRoute
from engine.book.views import ClientView, OrderView
from engine.desk import Desk
from engine.planning.intent import Intent, Selection, Sizing
from engine.refusals import Refusal
from engine.rules import Waits
from tests.faults.actions import act, free_unsent, patience, resume_all
from tests.faults.at_brokers import PLACES, AtBroker, connections_of, secrets_of
from tests.faults.broker_house import NAP_S, clients_at, own_app
from tests.faults.clock import FastClock, monotonic
from tests.faults.engine_child import Fuse, Life
from tests.faults.remote import RULES
from tests.faults.scenery import opening_price, stocks
from tradedesk.compose import foundation
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

WAITS = Waits(
    send_timeout_s=40.0,
    read_timeout_s=120.0,
    live_poll_s=10.0,
    heartbeat_s=20.0,
    halt_readback_s=2.0,
    claim_valid_s=3600.0,
    modify_valid_s=3600.0,
)
"""The desk's own waits but for those of calls, since the machine is no faster than it is."""

LONGEST_S = 60.0
"""Real seconds within which whatever is waited for must have happened."""

PASSPHRASE = "rehearsal"
QUANTITY, LESS = 5, 3

UNSEEN = ("did not answer", "did not look at it")
"""What is said of a sign-in that the broker never saw, which may be tried again."""


@dataclass(frozen=True, slots=True)
class BrokerLifetime:
    """What one engine process shall do; `script` is what it does once its books were compared.

    `clients` are at each broker. It kills itself when it comes to `point` for the `count`-th time, from its
    start on if `while_booting`.
    """

    market: str
    home: Path
    urls: tuple[str, ...]
    clock: FastClock
    clients: int
    seed: int
    script: str = ""
    point: str = ""
    count: int = 1
    while_booting: bool = False


@dataclass(slots=True)
class Story:
    """What a script saw: the end of each client's order by the fault that met it, and what was wrong."""

    ends: dict[str, str] = field(default_factory=dict[str, str])
    doubted: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])


def run(pipe: Connection, life: BrokerLifetime) -> None:
    """Live one life in a forked process; what it tells is in `_live`."""
    logging.basicConfig(level=logging.WARNING, format="%(created).3f %(levelname)s %(name)s %(message)s")
    asyncio.run(_live(pipe, life))


async def _live(pipe: Connection, life: BrokerLifetime) -> None:
    """Be compared, go through the script and tell its story, be compared again; end on a word."""
    fuse = Fuse(
        Life(
            life.home, 0, life.clock, "", point=life.point, count=life.count, while_booting=life.while_booting
        )
    )
    _prepare_process(fuse)
    places = PLACES[life.market]
    for at in places:
        at.wait_less()
    settings = places[0].settings(life.urls[0])
    if not books_file(life.home).exists():
        await _connect(life, settings, zip(places, life.urls, strict=True))
    async with compose_desk(
        life.home,
        clock=life.clock.napping(NAP_S),
        settings=settings,
        rules=RULES,
        waits=WAITS,
        seed=life.seed,
        passphrase=lambda: PASSPHRASE,
    ) as desk:
        assert isinstance(desk, Desk)
        if not desk.clients.all():
            await move_in(desk, places, life.clients)
        await sign_in_due(desk)
        await _be_compared(pipe, desk)
        fuse.armed = True
        story = await SCRIPTS[life.script](desk, random.Random(f"acts:{life.seed}"))
        pipe.send(story)
        await _be_compared(pipe, desk)
        await word_from(pipe)


def _prepare_process(fuse: Fuse) -> None:
    """Let the desk of this process pass its points by the fuse."""
    desk_of = foundation.Foundation.desk

    def desk(*args: Any) -> Any:
        made = desk_of(*args)
        seam(made).reached = fuse
        return made

    cast(Any, foundation.Foundation).desk = desk


async def _connect(life: BrokerLifetime, settings: Settings, places: Iterable[tuple[AtBroker, str]]) -> None:
    """Give an empty home its connections; the settings give it the first."""
    async with compose_desk(life.home, settings=settings, passphrase=lambda: PASSPHRASE) as desk:
        for at, url in list(places)[1:]:
            await desk.connecting.add(at.row(url))


async def move_in(desk: Desk, places: Sequence[AtBroker], clients: int) -> None:
    """Lay market, clients and their routes into an empty home; their shares are read from the broker."""
    await desk.market.store_instruments([row.instrument for row in universe()], "test")
    await desk.clients.add(clients_at(places, clients))
    for number, client in enumerate(desk.clients.all(), 1):
        api_key, secret = own_app(client.broker_user_id)
        secrets_of(desk, client.broker).keep_secret(api_key, secret)
        address = own_address(number)
        route = NewRoute(
            RouteKind.OWN, api_key, bind_address=address, consent="test", demat=Demat.DDPI, mtf_enabled=True
        )
        await desk.routes.set(client.id, route)


async def sign_in_due(desk: Desk) -> int:
    """Sign everybody in who is not; returns how many those were."""
    due = desk.sessions.due()
    for client in due:
        await _sign_in(desk, client)
    return len(due)


async def _sign_in(desk: Desk, client: ClientView, tries: int = 5) -> None:
    """Sign a client in; faults that strike any read, and a clock that runs fast, may leave it unanswered."""
    try:
        await desk.sessions.sign_in(client.id, await _signed_in_by_hand(desk, client))
    except BadInput as bad:
        if tries == 1 or not any(words in bad.expected for words in UNSEEN):
            raise
        await patience(0.05)
        await _sign_in(desk, client, tries - 1)


async def _signed_in_by_hand(desk: Desk, client: ClientView) -> str:
    """What the broker's sign-in page would hand this client's browser."""
    wanted = {"user_id": client.broker_user_id, "api_key": own_app(client.broker_user_id)[0]}
    (told,) = await control(desk, "request_token", at=client.broker, **wanted)
    return str(told["request_token"])


# --- compared ---------------------------------------------------------------------------------------------


async def _be_compared(pipe: Connection, desk: Desk) -> None:
    await free_unsent(desk)
    while True:
        await settled(desk)
        pipe.send("rest")
        await word_from(pipe)  # the broker has come to rest
        await settled(desk)
        await read_all(desk)
        wrong = [f"doctor: {one.name}: {one.detail}" for one in await desk.doctor.run() if not one.ok]
        wrong += [f"break: {one}" for one in desk.reconcile.breaks()]
        pipe.send(wrong)
        if await word_from(pipe) == "well":
            return


async def settled(desk: Desk) -> None:
    """Wait until nothing is in doubt or on its way, signing in whoever has lost the session."""
    end = monotonic() + LONGEST_S
    while _in_doubt(desk) and monotonic() < end:
        await sign_in_due(desk)
        await patience(0.02)
    await sign_in_due(desk)
    await resume_all(desk)


def _in_doubt(desk: Desk) -> bool:
    doubtful = (OrderState.RESERVED, OrderState.SENDING, OrderState.UNKNOWN)
    return any(one.state in doubtful or one.modifying for one in desk.orders.all(live=True))


async def read_all(desk: Desk) -> None:
    await asyncio.gather(*(seam(desk).workers.watcher.read(client.id) for client in desk.clients.all()))
    await desk.reconcile.ensure([client.id for client in desk.clients.all()])
    await desk.settle()


async def word_from(pipe: Connection) -> Any:
    """What the driver says next."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(pipe.fileno(), told.set)
    await told.wait()
    loop.remove_reader(pipe.fileno())
    return pipe.recv()


async def until(happened: Callable[[], object], what: str, story: Story) -> None:
    """Wait until something has happened; that it has not is a fault of the story."""
    end = monotonic() + LONGEST_S
    while not happened():
        if monotonic() > end:
            story.wrong.append(f"it has not happened: {what}")
            return
        await patience(0.01)


# --- scripts ----------------------------------------------------------------------------------------------


async def control(desk: Desk, path: str, at: str = "", **body: object) -> list[Any]:
    """Drive the simulated broker of this word, or all of them, by its own endpoints; what each answers."""
    told: list[Any] = []
    for word, connection in connections_of(desk).items():
        if at in ("", word):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session,
                session.post(f"{connection.address}/control/{path}", json=body) as answer,
            ):
                assert answer.status == 200, await answer.text()
                told.append(await answer.json())
    return told


async def faults_waiting(desk: Desk) -> int:
    """How many faults of single clients have not met all the calls they were meant for."""
    rules: list[dict[str, Any]] = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session:
        for connection in connections_of(desk).values():
            async with session.get(f"{connection.address}/control/faults") as answer:
                rules += await answer.json()
    return sum(rule["user"] is not None and rule["count"] is not None for rule in rules)


def by_broker(desk: Desk) -> list[list[ClientView]]:
    """The clients, those of each broker by themselves."""
    every = desk.clients.all()
    return [[one for one in every if one.broker == word] for word in connections_of(desk)]


def met_by(desk: Desk, faults: Sequence[str]) -> list[tuple[ClientView, str]]:
    """Which client of each broker meets which of these faults."""
    return [pair for clients in by_broker(desk) for pair in zip(clients, faults, strict=False)]


async def bulk(
    desk: Desk, symbol: str, quantity: int, away_bps: int | None = None, side: Side = Side.BUY
) -> list[OrderView]:
    """One order of every client who may trade, so far from the opening price; without that a market order."""
    limit = None
    if away_bps is not None:
        limit = tick_down(opening_price(symbol) * (10_000 + away_bps) // 10_000, stocks()[symbol].tick_paise)
    intent = Intent(
        side=side,
        key=f"NSE:{symbol}",
        sizing=Sizing(SizingKind.FIXED_QUANTITY, quantity),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        product=Product.CNC,
        limit_paise=limit,
        selection=Selection(),
        again=True,
    )
    plan = await desk.plans.freeze(intent)
    started = await desk.runs.start(plan, plan.digest)
    return [desk.orders.get(order_id) for order_id in started.order_ids]


CHANGING = (
    "drop_connection",
    "late_answer",
    "timed_out_done",
    "unavailable",
    "unavailable_done",
    "gateway_timeout",
    "gateway_timeout_done",
    "rate_limited",
    "null_data",
    "no_content_type",
)
"""Faults that meet one modify and one cancel each."""

PLACING = (
    *CHANGING,
    "empty_order_id",
    "late_in_book",
    "stuck",
    "rms_reject",
    "partial_fill",
    "wrong_ip",
    "token_expired",
)
"""Faults that meet one placement each, the first client's and so on."""

NEVER_CHANGED = ("unavailable", "gateway_timeout", "rate_limited")
"""Those after which the order is as it was."""


async def place_through_faults(desk: Desk, dice: random.Random) -> Story:
    """One market order of every client meets its own fault; then each modifies and cancels through one."""
    story = Story()
    for client, fault in met_by(desk, PLACING):
        await meet(desk, client, fault, "place")
    orders = await bulk(desk, "RELIANCE", QUANTITY)
    by_client = {one.client_id: one.id for one in orders}
    seen: set[int] = set()

    def all_known() -> bool:
        now = [desk.orders.get(order_id) for order_id in by_client.values()]
        seen.update(one.id for one in now if one.state is OrderState.UNKNOWN)
        return not _in_doubt(desk) and all(one.state is not OrderState.OPEN for one in now)

    await until(all_known, "every placement has an end", story)
    for client, fault in met_by(desk, (*PLACING, *["none"] * len(by_client))):
        order = desk.orders.get(by_client[client.id])
        if story.ends.setdefault(fault, order.state.value) != order.state.value:
            story.wrong.append(f"after {fault} {client.broker} ends in {order.state}, another one otherwise")
        if order.id in seen:
            story.doubted.append(fault)
    await sign_in_due(desk)
    await _change_through_faults(desk, story)
    return story


async def meet(desk: Desk, client: ClientView, fault: str, route: str = "", count: int = 1) -> None:
    """Have a client's next calls, those of a route or any, meet a fault at its broker."""
    wanted = {"fault": fault, "user": client.broker_user_id, "count": count, "delay_s": 60}
    await control(desk, "faults", client.broker, **wanted, **({"route": route} if route else {}))


async def _change_through_faults(desk: Desk, story: Story) -> None:
    orders = await bulk(desk, "TCS", QUANTITY, away_bps=-300)
    ids = [one.id for one in orders]
    states = lambda: [desk.orders.get(order_id).state for order_id in ids]  # noqa: E731
    await until(lambda: all(one is OrderState.OPEN for one in states()), "every limit order rests", story)
    for route in ("modify", "cancel"):
        for client, fault in met_by(desk, CHANGING):
            await meet(desk, client, fault, route)
        if route == "cancel":
            await desk.orders.cancel(ids)
            await until(lambda: not set(states()) & LIVE_STATES, "every order is cancelled", story)
            continue
        for order_id in ids:
            with suppress(Refusal, BadInput, StoreError):
                await desk.orders.modify(order_id, LESS, None)
        await until(lambda: not _in_doubt(desk), "every modify has an end", story)
        met = {client.id: fault for client, fault in met_by(desk, CHANGING)}
        for order in map(desk.orders.get, ids):
            fault = met.get(order.client_id, "none")
            if order.quantity != (QUANTITY if fault in NEVER_CHANGED else LESS):
                story.wrong.append(f"after {fault} a modify left {order.quantity} shares")
    story.wrong += [
        f"order {one} ended {state}"
        for one, state in zip(ids, states(), strict=True)
        if state is not OrderState.CANCELLED
    ]


async def trade_through_a_bad_line(desk: Desk, dice: random.Random) -> Story:
    """Updates go missing, sockets stall and drop, calls come too fast, sessions end: dozens of orders."""
    story = Story()
    people = by_broker(desk)
    for client, fault in met_by(desk, ("lost_update", "duplicate_update", "reordered_update")):
        user = client.broker_user_id
        await control(desk, "faults", client.broker, fault=fault, user=user, route="update")
    await control(desk, "faults", fault="lost_update", share=0.3, route="update")
    for clients in people:
        await meet(desk, clients[2], "unavailable_done", "place", count=2)
    for share, fault in ((0.1, "rate_limited"), (0.05, "drop_connection"), (0.05, "unavailable_done")):
        await control(desk, "faults", fault=fault, share=share)
    for step in range(14):
        match step:
            case 2:
                await control(desk, "sockets", do="stall")
            case 5:
                await control(desk, "sockets", do="resume")
            case 6:
                await control(desk, "sockets", do="drop")
            case 8:
                for clients in people:
                    await meet(desk, clients[0], "token_expired")
            case 9:
                for clients in people:
                    await meet(desk, clients[1], "token_expired", "place")
            case 11:
                await control(desk, "faults", fault="rate_limited", seconds=20)
            case _:
                pass
        with suppress(Refusal, BadInput, StoreError):
            await bulk(
                desk,
                "SBIN",
                1 + step % 3,
                None if step % 2 else -20,
                Side.SELL if step % 5 == 4 else Side.BUY,
            )
        await act(desk, dice, 0.05)
        await sign_in_due(desk)
        await patience(0.05)
    end = monotonic() + LONGEST_S
    while (
        await faults_waiting(desk) and monotonic() < end
    ):  # how soon a call meets its own is up to the machine
        with suppress(Refusal, BadInput, StoreError):
            await bulk(desk, "SBIN", 1)
        await sign_in_due(desk)
        await patience(0.05)
    return story


async def trade(desk: Desk, dice: random.Random) -> Story:
    """Do what a trader might until the point is reached, for as long as that may take."""
    for fault in ("late_in_book", "drop_connection", "timed_out_done"):
        await control(desk, "faults", fault=fault, share=0.1, delay_s=20, route="place")
    end = monotonic() + LONGEST_S
    while monotonic() < end:
        await asyncio.gather(*(act(desk, dice, 0.05) for _ in range(2)))
        await patience(0.01)
    return Story()


async def rest(desk: Desk, dice: random.Random) -> Story:
    """Do nothing."""
    return Story()


SCRIPTS = {
    "placing": place_through_faults,
    "line": trade_through_a_bad_line,
    "trade": trade,
    "": rest,
}
