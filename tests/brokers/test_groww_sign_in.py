"""Signing in at Groww: codes by RFC 6238, checksums, and whose a session is."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from brokers.contract import BrokerError, NotAsked, TurnedAway
from brokers.groww.sign_in import FORM, code_of, secret_of
from data.clock import IST
from data.errors import BadInput
from tests.brokers.kite_stub import ANN, Access, Reply
from tests.brokers.test_groww_outcomes import PROFILE, WHO, at_stub, refused, told

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""That of RFC 6238's vectors, `12345678901234567890`, in base32."""

MINT = "POST /v1/token/api/access"
MINTED = {"token": "minted-token-0123456789", "expiry": "2026-11-24T06:00:00", "isActive": True}


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standards_vectors(seconds: int, code: str):
    assert code_of(secret_of(SECRET).totp, datetime.fromtimestamp(seconds, UTC)) == code


@pytest.mark.parametrize(
    "given",
    [
        SECRET.lower(),
        f" {SECRET[:16]} {SECRET[16:]} ",
        f"otpauth://totp/Groww:AB1234?secret={SECRET}&issuer=Groww",
    ],
)
def test_a_secret_is_read_however_groww_shows_it(given: str):
    assert secret_of(given).totp == b"12345678901234567890"


@pytest.mark.parametrize("given", ["", "short", "not/base32!" * 3, "approval: ", "otpauth://totp/x?issuer=1"])
def test_what_is_no_secret_is_refused_and_never_shown(given: str):
    with pytest.raises(BadInput) as refusal:
        secret_of(given)
    assert not given or given not in str(refusal.value)


@pytest.mark.parametrize("given", ["12345", "two words of it", "1234567 "])
def test_what_was_typed_is_nothing_a_code_or_a_token(given: str):
    assert FORM.read({"code": " "}) == ""
    assert FORM.read({"code": "123456"}) == "123456"
    with pytest.raises(BadInput) as refusal:
        FORM.read({"code": given})
    assert given not in str(refusal.value)


async def test_the_stored_secret_makes_the_session_and_goes_nowhere():
    access = Access(tokens={}, secrets={"annkey": SECRET})
    async with at_stub(access) as (broker, stub, _):
        stub.on(MINT, Reply(200, json.dumps(MINTED)))
        assert await broker.login_url(ANN) == "", "nothing is asked of the client"
        profile = await broker.exchange_token(ANN, "")
        assert profile.user_id == ANN.user_id
        assert profile.session_ends == datetime(2026, 11, 24, 6, tzinfo=IST)
        assert access.tokens[ANN] == MINTED["token"]
        (asked,) = stub.asked_of(MINT)
        assert asked.headers["Authorization"] == "Bearer annkey"
        body = json.loads(asked.raw_form)
        assert (body["key_type"], len(body["totp"])) == ("totp", 6)
        assert all(SECRET not in one.raw_form + repr(one.headers) for one in stub.asked)


async def test_an_approved_key_signs_in_by_a_checksum_of_its_secret():
    access = Access(tokens={}, secrets={"annkey": "approval:s3cret"})
    async with at_stub(access) as (broker, stub, _):
        stub.on(MINT, Reply(200, json.dumps({"payload": MINTED})))
        await broker.exchange_token(ANN, "")
        body = json.loads(stub.asked_of(MINT)[0].raw_form)
        made = hashlib.sha256(f"s3cret{body['timestamp']}".encode()).hexdigest()
        assert body == {"key_type": "approval", "checksum": made, "timestamp": body["timestamp"]}


async def test_a_code_or_a_token_of_the_clients_own_does_without_a_secret():
    access = Access(tokens={}, secrets={})
    async with at_stub(access) as (broker, stub, _):
        assert "api-keys" in await broker.login_url(ANN)
        with pytest.raises(NotAsked):
            await broker.exchange_token(ANN, "")
        stub.on(MINT, Reply(200, json.dumps(MINTED)))
        await broker.exchange_token(ANN, "123456")
        assert json.loads(stub.asked_of(MINT)[0].raw_form) == {"key_type": "totp", "totp": "123456"}
        token = "a-token-of-the-page-0123456789"
        await broker.exchange_token(ANN, token)
        assert access.tokens[ANN] == token
        assert stub.asked_of(PROFILE)[-1].headers["Authorization"] == f"Bearer {token}"


async def test_a_refusal_names_the_page_and_shows_no_secret():
    access = Access(tokens={}, secrets={"annkey": SECRET})
    async with at_stub(access) as (broker, stub, _):
        error = {"error": {"displayMessage": "annkey: please approve", "code": "GA001"}}
        stub.on(MINT, Reply(400, json.dumps(error)))
        with pytest.raises(BrokerError, match="api-keys") as caught:
            await broker.exchange_token(ANN, "")
        assert caught.value.code == "login_refused"
        assert SECRET not in str(caught.value)
        assert "annkey" not in str(caught.value), "the key is a bearer's"
        assert access.tokens == {}


async def test_somebody_elses_key_makes_no_session():
    access = Access(tokens={}, secrets={"annkey": SECRET})
    async with at_stub(access) as (broker, stub, _):
        stub.on(MINT, Reply(200, json.dumps(MINTED)))
        stub.on(PROFILE, told(WHO | {"ucc": "ZZ9999"}))
        with pytest.raises(BrokerError) as caught:
            await broker.exchange_token(ANN, "")
        assert (caught.value.code, access.tokens) == ("other_user", {})
        stub.on(PROFILE, told(WHO | {"ucc": "ZZ9999", "vendor_user_id": ANN.user_id}))
        assert (await broker.exchange_token(ANN, "")).user_id == ANN.user_id, "either id is the client's"
        stub.on(PROFILE, refused(401, "GA005"))
        with pytest.raises(BrokerError):
            await broker.exchange_token(ANN, "a-token-of-the-page-0123456789")


async def test_calls_of_a_sign_in_that_come_too_soon_are_made_again():
    access = Access(tokens={}, secrets={"annkey": SECRET})
    too_soon = refused(429, "GA006", "Rate limit exceeded")
    async with at_stub(access) as (broker, stub, _):
        stub.on(MINT, too_soon, too_soon, Reply(200, json.dumps(MINTED)))
        stub.on(PROFILE, too_soon, told(WHO))
        assert (await broker.exchange_token(ANN, "")).user_id == ANN.user_id
        assert (len(stub.asked_of(MINT)), len(stub.asked_of(PROFILE))) == (3, 2)


async def test_a_sign_in_that_comes_too_soon_again_and_again_was_not_looked_at():
    access = Access(tokens={}, secrets={"annkey": SECRET})
    async with at_stub(access) as (broker, stub, _):
        stub.on(MINT, refused(429, "GA006", "Rate limit exceeded"))
        with pytest.raises(TurnedAway, match="Rate limit exceeded"):
            await broker.exchange_token(ANN, "")
        assert access.tokens == {}
