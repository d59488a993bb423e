"""Sixty clients signed in one after another in workspace 7 at a local Kite, some of them with faults.

`tests/bench/bench_sign_in.py` does the same with 300 and measures it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from textual.events import Paste

from brokers.simulators.kite.apps import own_app
from brokers.wire.listener import RedirectListener
from data.vocabulary import SessionProblem, SessionState
from engine.access.sign_in_queue import SignInState
from engine.desk import Desk
from screens.clients.page import ClientScreen
from screens.clients.screen import ClientsScreen
from screens.clients.sign_in import SignInScreen
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tests.scenarios.sign_in_hand import Hand, address
from tradedesk.app.application import TradedeskApp
from tradedesk.compose.brokers.kite import secrets_of
from tradedesk.testing import toasts_shown
from widgets.livegrid import LiveGrid
from widgets.tokenfield import TokenField

PEOPLE = [Person(number) for number in range(1, 61)]
BY_NUMBER = {one.number: one for one in PEOPLE}

STRANGER, PASTED_AGAIN, LINK, FAILED, USED, WRONG, SLOW, DOWN, LOST, SKIPPED = (
    7,
    12,
    14,
    17,
    20,
    25,
    30,
    35,
    40,
    60,
)
RED = (STRANGER, USED, WRONG, DOWN, LOST)


@asynccontextmanager
async def opened(home: Path, listener: RedirectListener | None = None) -> AsyncIterator[tuple[Hand, Morning]]:
    """The app over a desk at a local Kite, in the sign-in with the first client's link copied."""
    mornings: list[Morning] = []

    @asynccontextmanager
    async def factory() -> AsyncIterator[Desk]:
        async with kite_morning(home, PEOPLE) as morning:
            mornings.append(morning)
            app.clock = morning.clock
            morning.desk.sessions.redirects = None if listener is None else lambda one=listener: one
            yield morning.desk

    app = TradedeskApp(factory)
    async with app.run_test(size=(120, 40)):
        hand = Hand(app)
        await hand.open()
        yield hand, mornings[0]
        await app.close_desk()


def serving(hand: Hand) -> Person:
    client = hand.pane.queue.current
    assert client is not None
    return BY_NUMBER[client.id]


def state_of(hand: Hand, number: int) -> SignInState:
    return next(one.state for one in hand.pane.queue.entries if one.client_id == number)


def own_link(person: Person) -> str:
    return f"api_key={own_app(person.user_id)[0]}"


async def refused_at_once(hand: Hand, text: str, words: str) -> None:
    """What was pasted is not taken: the same client stays, its own link is in the clipboard, a bell rings."""
    person, bells, given = serving(hand), hand.bells, hand.pane.queue.progress()
    await hand.give(text)
    await hand.shows(f"not taken: {words} · still {person.code}, link copied again")
    assert serving(hand) is person
    assert own_link(person) in hand.links[-1]
    assert hand.bells == bells + 1
    assert hand.field_has_focus
    assert hand.pane.queue.progress().waiting == given.waiting


@pytest.mark.proof
async def test_sixty_clients_with_faults_among_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as (hand, morning):
        kite = morning.kite
        spent = address(morning.token(BY_NUMBER[USED]))
        await morning.desk.sessions.sign_in(USED, spent)
        await morning.desk.sessions.expire(USED, "the test ends it")
        for number, fault in ((SLOW, "late_answer"), (DOWN, "unavailable"), (LOST, "gateway_timeout_done")):
            user_id = BY_NUMBER[number].user_id
            kite.mishaps.add(fault, user_id=user_id, route="sign_in", count=1, delay_s=5)
        hand.did.clear()
        before, slips = "", 0
        for number, person in BY_NUMBER.items():
            assert serving(hand) is person
            assert own_link(person) in hand.links[-1], "the link is copied by itself"
            assert hand.field_has_focus
            morning.clock.shift(2)
            own = address(morning.token(person))
            match number:
                case n if n == STRANGER:
                    own = address(morning.token(person, BY_NUMBER[STRANGER + 1]))
                case n if n == PASTED_AGAIN:
                    await refused_at_once(hand, before, f"it was given for {BY_NUMBER[n - 1].code} already")
                    slips += 1
                case n if n == LINK:
                    words = "it has no request_token; copy the address after the sign-in"
                    await refused_at_once(hand, hand.links[-1], words)
                    slips += 1
                case n if n == FAILED:
                    words = "it says that the sign-in ended with 'failed'; sign in again"
                    await refused_at_once(hand, address("x1y2z3", "failed"), words)
                    slips += 1
                case n if n == USED:
                    own = spent
                case n if n == WRONG:
                    own = "tokenOfNobodyAtAll"
                case _:
                    pass
            if number == SKIPPED:
                hand.press("right_curly_bracket")
            elif number == PEOPLE[-1].number:
                hand.paste(own)
            else:
                await hand.give(own)
            if number == SLOW + 2:
                state = partial(state_of, hand, SLOW)
                assert state() is SignInState.CHECKING, "others go on meanwhile"
                await hand.shows("checking 1")
                await morning.until(lambda state=state: state() is SignInState.DONE)
            if number == 55:  # more rows than fit
                reds = [f"{BY_NUMBER[one].code} RED" for one in reversed(RED)]
                await hand.until(
                    lambda reds=reds: [" ".join(r.split()[:2]) for r in hand.results[:5]] == reds
                )
                await hand.until(lambda: hand.results[5].startswith("KC0055"))
            before = own
        turns = len(PEOPLE) - 1
        assert hand.did == {"paste": turns + slips, "enter": turns + slips, "right_curly_bracket": 1}

        await the_red_ones_are_listed(hand, morning)
        await one_key_tries_them_again(hand, morning)


async def the_red_ones_are_listed(hand: Hand, morning: Morning) -> None:
    """At the end they stand on top with their reasons, and nobody is signed in as another."""
    await hand.shows(f"everybody had a turn, {len(RED) + 1} are left")
    await hand.shows(f"{BY_NUMBER[LOST].code}: the broker did not answer: Kite answered with HTTP 504")
    rows = hand.results
    assert [row.split()[:2] for row in rows[: len(RED)]] == [
        [BY_NUMBER[number].code, "RED"] for number in reversed(RED)
    ]
    reasons = dict(zip(reversed(RED), rows, strict=False))
    assert "This is the session of ZK0008" in reasons[STRANGER]
    assert "Token is invalid or has expired." in reasons[USED]
    assert "Token is invalid or has expired." in reasons[WRONG]
    assert "Request failed (kitetrade-oms)." in reasons[DOWN]
    assert "504" in reasons[LOST]
    assert rows[len(RED)].split()[:2] == [BY_NUMBER[SKIPPED].code, "skipped"]
    assert "r tries them again" in hand.text
    hand.press("j")
    await hand.shows(f"{BY_NUMBER[DOWN].code}: the broker did not answer: Request failed")
    hand.press("enter")
    await hand.until(lambda: isinstance(hand.app.screen, ClientScreen))
    hand.press("escape")
    await hand.until(lambda: isinstance(hand.app.screen, SignInScreen))
    assert isinstance(hand.app.focused, LiveGrid)
    everybody_is_itself(morning, {*BY_NUMBER} - {*RED, SKIPPED})
    problem = morning.desk.sessions.of(STRANGER)
    assert problem is not None
    assert problem.problem is SessionProblem.REFUSED
    assert "(client KC0008)" in problem.problem_text


async def one_key_tries_them_again(hand: Hand, morning: Morning) -> None:
    hand.did.clear()
    known = len(hand.links)
    hand.press("r")
    await hand.until(lambda: len(hand.links) > known)
    for number in (*RED, SKIPPED):
        assert serving(hand).number == number
        assert hand.field_has_focus
        assert own_link(BY_NUMBER[number]) in hand.links[-1]
        own = address(morning.token(BY_NUMBER[number]))
        if number == SKIPPED:
            hand.paste(own)
        else:
            await hand.give(own)
    await hand.shows("everybody is signed in")
    assert hand.did == {"r": 1, "paste": 6, "enter": 6}
    everybody_is_itself(morning, {*BY_NUMBER})
    hand.press("escape")
    await hand.until(lambda: isinstance(hand.app.screen, ClientsScreen))


def everybody_is_itself(morning: Morning, signed_in: set[int]) -> None:
    """Kite itself says whose each kept token is; who is not signed in has none."""
    for number, person in BY_NUMBER.items():
        held = secrets_of(morning.desk).token(person.account)
        state = morning.client(person).session
        if number in signed_in:
            assert state is SessionState.OK, person.code
            assert held is not None
            assert morning.kite.user_of(own_app(person.user_id)[0], held) == person.user_id
        else:
            assert state is SessionState.EXPIRED, person.code


@pytest.mark.proof
async def test_a_browser_that_comes_back_is_caught_and_nothing_is_typed(tmp_path: Path) -> None:
    listener = RedirectListener()

    async def comes_back(headers: dict[str, str] | None = None, **query: str) -> int:
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(listener.url, params=query) as answer,
        ):
            return answer.status

    async with opened(tmp_path, listener) as (hand, morning):
        await hand.shows("the browser's return is caught")
        hand.did.clear()
        for number in (1, 2, 3):
            person = BY_NUMBER[number]
            await hand.until(lambda person=person: own_link(person) in hand.links[-1])
            assert serving(hand) is person
            state = hand.links[-1].partition("redirect_params=state%3D")[2]
            if number == 1:
                hand.app.post_message(Paste("halfawordforthisclient"))
                await hand.until(lambda: hand.pane.query_one(TokenField).value)
            if number == 2:
                assert hand.pane.query_one(TokenField).value == "", "what stood there was not for this one"
                await nobody_else_is_heard(hand, comes_back, morning.token(person))
                assert await comes_back(status="failed", state=state) == 200
                await hand.shows(f"sign in again · still {person.code}, link copied again")
            token = morning.token(person)
            assert await comes_back(status="success", request_token=token, state=state) == 200
        await hand.until(lambda: all(state_of(hand, number) is SignInState.DONE for number in (1, 2, 3)))
        everybody_is_itself(morning, {1, 2, 3})
        assert not hand.did
        hand.press("escape")
        await hand.until(lambda: not listener.listening)
        with pytest.raises(aiohttp.ClientConnectorError):
            await comes_back(status="success")


async def nobody_else_is_heard(hand: Hand, comes_back: Callable[..., Awaitable[int]], token: str) -> None:
    """Calls of pages are refused, and an address that is not of this sign-in takes nobody's turn."""
    for headers in (
        {"Origin": "https://page.example"},
        {"Host": "rebound.example"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    ):
        assert await comes_back(headers, status="success", request_token=token) == 403
    before = hand.pane.queue.progress().waiting
    hand.app.clear_notifications()
    assert await comes_back(status="success", request_token=token) == 200
    assert await comes_back(status="success", request_token=token, state="guessed") == 200
    words = "an address came back that is not of this sign-in: dropped"
    await hand.until(lambda: toasts_shown(hand.app).count(words) == 2)
    assert hand.pane.queue.progress().waiting == before
