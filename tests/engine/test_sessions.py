"""Signing clients in: what may be pasted, whose token it is, until when it holds, and one after another."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from brokers.contract import HIDDEN, NoAnswer, SignInField, SignInForm, TurnedAway
from brokers.kite.sign_in import SESSION_END, request_token
from data.clock import ManualClock
from data.errors import BadInput
from data.records import replace
from data.vocabulary import ClientStatus, SessionProblem, SessionState
from engine.access.sessions import next_end
from engine.access.sign_in_queue import SignInState
from engine.book.access_views import SessionView
from engine.events import SessionsChanged
from tests.desks import paper_desk, there
from tests.signing import START, signing_desk
from tradedesk.testing import seam

TOKEN = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"  {TOKEN}\n",
        f"http://127.0.0.1:5010/?action=login&type=login&status=success&request_token={TOKEN}",
        f"https://desk.example/cb?request_token={TOKEN}&action=login#top",
        f"https://desk.example/cb#request_token={TOKEN}&status=success",
        f"request_token={TOKEN}&status=success",
        f"'http://localhost/?status=success&request_token={TOKEN}&request_token={TOKEN}'",
    ],
)
def test_a_token_or_the_whole_address_may_be_pasted(text):
    assert request_token(text) == TOKEN


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "paste the request token"),
        (f"{TOKEN} {TOKEN}", "4 to 128"),
        ("http://127.0.0.1/?status=success&action=login", "no request_token"),
        ("http://127.0.0.1/?status=success&request_token=", "no request_token"),
        (f"http://127.0.0.1/?status=error&request_token={TOKEN}", "ended with 'error'"),
        (f"http://127.0.0.1/?request_token={TOKEN}%20x", "not one token"),
        (f"http://me:secret@127.0.0.1/?request_token={TOKEN}&request_token=other", "not one token"),
    ],
)
def test_what_is_missing_is_named_and_no_token_is_shown(text, says):
    with pytest.raises(BadInput, match=says) as refused:
        request_token(text)
    for secret in (TOKEN, "secret"):
        assert secret not in str(refused.value)
        assert secret not in repr(refused.value.value)


def test_a_session_ends_at_the_next_six_in_the_morning_of_india():
    at = datetime(2026, 11, 18, 0, 29, 59, tzinfo=UTC)  # 05:59:59 IST
    assert next_end(at, SESSION_END) == datetime(2026, 11, 18, 0, 30, tzinfo=UTC)
    assert next_end(at + timedelta(seconds=1), SESSION_END) == datetime(2026, 11, 19, 0, 30, tzinfo=UTC)
    assert next_end(START, SESSION_END) == datetime(2026, 11, 19, 0, 30, tzinfo=UTC)


def test_a_session_is_cut_short_that_ended_before_its_time():
    ends = START + timedelta(hours=1)
    held = SessionView(1, "A", START, ends, SessionProblem.NONE, "", START)
    ended = replace(held, problem=SessionProblem.ENDED)
    assert not held.cut_short(START)
    assert ended.cut_short(START)
    assert not ended.cut_short(ends)
    assert replace(ended, expires_at=None).cut_short(ends)
    assert not replace(ended, login_at=None).cut_short(START)


async def test_a_sign_in_holds_until_six_and_the_desk_ends_it_by_itself(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    clock = ManualClock(START)
    async with signing_desk(tmp_path, "C1", "C2", clock=clock) as (desk, _broker):
        one, two = desk.clients.all()
        assert [client.code for client in desk.sessions.due()] == ["C1", "C2"]
        assert one.session is SessionState.EXPIRED
        session = await desk.sessions.sign_in(one.id, "http://127.0.0.1/?request_token=for-U1&status=success")
        assert (session.user_name, session.login_at) == ("Name of U1", START)
        assert session.expires_at == datetime(2026, 11, 19, 0, 30, tzinfo=UTC)
        assert desk.clients.get(one.id).session is SessionState.OK
        assert desk.sessions.due() == [two]
        clock.shift((there(session.expires_at) - START).total_seconds() - 60)
        assert [client.code for client in desk.sessions.due()] == ["C2", "C1"]
        assert await desk.sessions.expire_due() == 0
        clock.shift(60)
        assert await desk.sessions.expire_due() == 1
        ended = desk.sessions.of(one.id)
        assert ended is not None
        assert (ended.ok, ended.problem) == (False, SessionProblem.EXPIRED)
        assert desk.clients.get(one.id).session is SessionState.EXPIRED
        actions = [row.action for row in await desk.audit.rows(client_id=one.id)]
        assert actions[-2:] == ["CLIENT_SIGNED_IN", "CLIENT_SESSION_ENDED"]
    assert "for-U1" not in caplog.text
    assert b"for-U1" not in b"".join(file.read_bytes() for file in tmp_path.glob("desk.db*"))


async def test_a_session_outlives_the_program_until_its_end(tmp_path):
    clock = ManualClock(START)
    async with signing_desk(tmp_path, "C1", clock=clock) as (desk, _broker):
        await desk.sessions.sign_in(1, "for-U1")
    async with signing_desk(tmp_path, clock=clock) as (desk, _broker):
        assert desk.clients.get(1).session is SessionState.OK
    clock.shift(24 * 3600)
    async with signing_desk(tmp_path, clock=clock) as (desk, _broker):
        assert desk.clients.get(1).session is SessionState.EXPIRED


async def test_another_users_token_is_refused_by_name_and_ends_the_session(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2") as (desk, _broker):
        await desk.sessions.sign_in(1, "for-U1")
        with pytest.raises(BadInput, match="user U2, client C2, not to C1") as refused:
            await desk.sessions.sign_in(1, "for-U2")
        assert "for-U2" not in str(refused.value)
        assert desk.clients.get(1).session is SessionState.EXPIRED
        with pytest.raises(BadInput, match="user U9, not to C2"):
            await desk.sessions.sign_in(2, "for-U9")
        session = desk.sessions.of(2)
        assert session is not None
        assert (session.problem, session.login_at) == (SessionProblem.OTHER_USER, None)


async def test_an_adapter_that_tells_users_apart_itself_has_them_named_too(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2") as (desk, broker):
        broker.strict = True
        await desk.sessions.sign_in(1, "for-U1")
        with pytest.raises(BadInput, match=r"U2 has signed in, not U1\. \(client C2\)"):
            await desk.sessions.sign_in(1, "for-U2")
        assert desk.clients.get(1).session is SessionState.OK


async def test_a_refused_token_ends_no_session_that_holds_and_is_not_shown(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2") as (desk, _broker):
        await desk.sessions.sign_in(1, "for-U1")
        for client_id in (1, 2):
            with pytest.raises(BadInput, match="invalid or has expired") as refused:
                await desk.sessions.sign_in(client_id, TOKEN)
            assert TOKEN not in str(refused.value)
        assert [client.session.value for client in desk.clients.all()] == ["ok", "expired"]
        session = desk.sessions.of(2)
        assert session is not None
        assert (session.problem, TOKEN in session.problem_text) == (SessionProblem.REFUSED, False)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (NoAnswer("503"), "the broker did not answer: 503"),
        (TurnedAway("Too many"), "the broker has taken too many calls and did not look at it: Too many"),
    ],
)
async def test_a_sign_in_that_the_broker_did_not_look_at_is_not_told_as_refused(tmp_path, failure, words):
    async with signing_desk(tmp_path, "C1", "C2") as (desk, broker):
        await desk.sessions.sign_in(1, "for-U1")
        broker.fails = failure
        for client_id in (1, 2):
            with pytest.raises(BadInput, match=words):
                await desk.sessions.sign_in(client_id, "for-U2")
        assert [client.session.value for client in desk.clients.all()] == ["ok", "expired"]
        session = desk.sessions.of(2)
        assert session is not None
        assert session.problem is SessionProblem.UNREACHABLE
        broker.fails = None
        await desk.sessions.sign_in(2, "for-U2")
        assert desk.clients.get(2).session is SessionState.OK


async def test_a_look_ends_a_session_only_on_the_brokers_word(tmp_path):
    async with signing_desk(tmp_path, "C1") as (desk, broker):
        await desk.sessions.sign_in(1, "for-U1")
        broker.trouble = "gateway"
        assert not await desk.sessions.check(1)
        assert desk.clients.get(1).session is SessionState.OK
        broker.trouble = ""
        assert await desk.sessions.check(1)
        session = desk.sessions.of(1)
        assert session is not None
        assert session.problem is SessionProblem.NONE
        broker.users.clear()
        assert not await desk.sessions.check(1)
        assert desk.clients.get(1).session is SessionState.EXPIRED


async def test_a_read_that_the_broker_refuses_signs_the_client_out(tmp_path):
    async with signing_desk(tmp_path, "C1") as (desk, broker):
        await desk.sessions.sign_in(1, "for-U1")
        broker.users.clear()
        assert not await desk.reconcile.check(1)
        while seam(desk).background.loading:
            await asyncio.wait(seam(desk).background.loading)
        assert desk.clients.get(1).session is SessionState.EXPIRED
        assert there(desk.sessions.of(1)).problem is SessionProblem.ENDED


async def test_the_queue_goes_on_while_answers_are_checked_and_keeps_reasons(tmp_path):
    clock = ManualClock(START)
    async with signing_desk(tmp_path, "C1", "C2", "C3", "C4", clock=clock) as (desk, _broker):
        heard = []
        desk.events.subscribe(lambda event: heard.append(type(event)))
        await desk.clients.set_status(4, ClientStatus.INACTIVE, "vacation")
        queue = desk.sessions.queue()
        assert [one.code for one in queue.entries] == ["C1", "C2", "C3"]
        assert (await queue.link()).endswith("user=U1")
        assert queue.progress().left_s is None
        clock.shift(20)
        queue.submit("for-U1")
        assert queue.entries[0].state is SignInState.CHECKING
        assert there(queue.current).code == "C2"
        assert there(queue.following).code == "C3"
        assert (queue.progress().spent_s, queue.progress().left_s) == (20.0, 40.0)
        with pytest.raises(BadInput, match="no request_token"):
            queue.submit("http://127.0.0.1/?status=success")
        assert there(queue.current).code == "C2"
        with pytest.raises(BadInput, match="given for C1 already") as refused:
            queue.submit("http://127.0.0.1/?request_token=for-U1")
        assert "for-U1" not in str(refused.value)
        assert there(queue.current).code == "C2"
        queue.submit("for-U3")
        queue.skip()
        await queue.settled()
        assert queue.current is None
        assert [one.state.value for one in queue.entries] == ["done", "red", "skipped"]
        (red,) = queue.red()
        assert "user U3, client C3, not to C2" in red.words
        queue.retry(2)
        queue.submit("for-U2")
        await queue.settled()
        progress = queue.progress()
        assert (progress.done, progress.red, progress.waiting) == (2, 0, 0)
        with pytest.raises(BadInput, match="had a turn"):
            queue.skip()
        with pytest.raises(BadInput, match="red or skipped"):
            queue.retry(1)
        assert SessionsChanged in heard
        assert [client.code for client in desk.sessions.due()] == ["C3"]


async def test_a_token_given_to_the_wrong_client_serves_its_own_afterwards(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2") as (desk, broker):
        broker.strict = True
        queue = desk.sessions.queue()
        queue.submit("for-U2")
        with pytest.raises(BadInput, match="given for C1 already"):
            queue.submit("for-U2")
        await queue.settled()
        queue.submit("for-U2")
        await queue.settled()
        assert [one.state.value for one in queue.entries] == ["red", "done"]


async def test_what_is_left_follows_the_pace_and_not_a_break_or_a_skip(tmp_path):
    clock = ManualClock(START)
    codes = [f"C{number}" for number in range(1, 9)]
    async with signing_desk(tmp_path, *codes, clock=clock) as (desk, _broker):
        queue = desk.sessions.queue()
        await queue.link()
        for number, seconds in ((1, 10), (2, 14), (3, 900), (4, 11), (5, 12)):
            clock.shift(seconds)
            queue.submit(f"for-U{number}")
        assert queue.progress().left_s == 36.0, (
            "three left at twelve seconds, the break of a quarter hour apart"
        )
        clock.shift(1)
        queue.skip()
        assert queue.progress().left_s == 24.0
        for number in (7, 8):
            clock.shift(12)
            queue.submit(f"for-U{number}")
        await queue.settled()
        spent = queue.progress().spent_s
        assert (spent, queue.progress().left_s) == (972.0, 0.0)
        clock.shift(3_600)
        assert queue.progress().spent_s == spent, "the clock of a round stands still when it is over"


async def test_on_paper_nobody_needs_a_token_and_no_session_ends(tmp_path):
    async with paper_desk(tmp_path) as desk:
        (due,) = desk.sessions.due()
        assert due.code == "DR0044"
        assert await desk.sessions.login_url(due.id) == ""
        session = await desk.sessions.sign_in(due.id, "")
        assert session.expires_at is None
        assert desk.clients.get(due.id).session is SessionState.OK
        assert desk.sessions.due() == []
        with pytest.raises(BadInput, match="no client has this id"):
            await desk.sessions.sign_in(9999, "")


def _key_and_code(given):
    if not given["code"].isdecimal():
        raise BadInput("code", HIDDEN, "give the six digits that the telephone shows")
    return f"for-{given['key']}"


async def test_a_form_of_two_fields_is_asked_one_by_one_and_its_session_ends_when_the_broker_says(tmp_path):
    key, code = (
        SignInField("key", "the api key", secret=False),
        SignInField("code", "the code of the telephone"),
    )
    ends = START + timedelta(hours=2)
    async with signing_desk(tmp_path, "C1", "C2") as (desk, broker):
        broker.form, broker.session_ends = SignInForm((key, code), _key_and_code), ends
        queue = desk.sessions.queue()
        assert queue.field == key
        queue.submit("U1")
        assert (queue.field, queue.progress().checking) == (code, 0)
        with pytest.raises(BadInput, match="the six digits"):
            queue.submit("abc")
        assert queue.field == key, "the turn stays, and begins anew"
        queue.submit("U1")
        queue.submit("123456")
        await queue.settled()
        session = desk.sessions.of(1)
        assert session is not None
        assert (session.user_name, session.expires_at) == ("Name of U1", ends)
        queue.submit("U2")
        queue.skip()
        assert (queue.field, desk.sessions.of(2)) == (None, None)
        with pytest.raises(BadInput, match="it takes 2 fields: the api key, then the code of the telephone"):
            await desk.sessions.sign_in(2, "U2")
