"""Making a client's session at Groww, and whose it is."""

from datetime import datetime
from typing import cast

from brokers.contract import BrokerAccount, BrokerError, BrokerProfile, NotAsked
from brokers.groww.answers.account import profile_of
from brokers.groww.answers.rows import GrowwRow
from brokers.groww.calls import PROFILE, GrowwCalls
from brokers.groww.sign_in import code_of, is_code, mint_by_approval, mint_by_code, secret_of
from brokers.meter import CallKind
from brokers.wire.access import AccountAccess, users_own
from brokers.wire.calls import Call
from brokers.wire.outcomes import TURNED_AWAY, CallFailure, read_error
from brokers.wire.reading import READ_TRIES, TURNED_AWAY_S
from data.clock import Clock


class GrowwSignIn:
    """Signs clients in. The secret of a key is read where a code is made of it, and kept nowhere."""

    def __init__(self, calls: GrowwCalls, access: AccountAccess, clock: Clock) -> None:
        self._calls = calls
        self._access = access
        self._clock = clock

    async def page(self, account: BrokerAccount) -> str:
        """Where the client makes its session itself; empty where what is stored with its key makes it."""
        key = self._calls.route_of(account).api_key
        stored = await self._calls.ask_access(lambda: bool(self._access.secret(key)))
        return "" if stored else self._calls.roots.keys_page

    async def sign_in(self, account: BrokerAccount, given: str) -> BrokerProfile:
        """Make a session of nothing, a code or an access token, and keep it if it is this client's.

        Raises `BrokerError`: `other_user` where the key is somebody else's, `login_refused` where Groww does
        not take it, `no_secret` where nothing is stored or given.
        """
        ends: datetime | None = None
        token = given
        if not given or is_code(given):
            row = GrowwRow("session", await self._minted(account, given))
            token = _token_of(row)
            ends = row.moment_or_none("expiry")
        call = Call(CallKind.SIGN_IN, "GET", PROFILE, token=token)
        answer = await self._answer(account, call)  # what minted it is not to be wasted
        if isinstance(answer, CallFailure):
            if given and token == given and answer.status in (401, 403):
                words = f"Groww refused the access token of {account.user_id}: {answer.text}"
                raise BrokerError(words, "login_refused")
            raise read_error(answer)
        profile = users_own(account, profile_of(answer, account, ends))
        await self._calls.ask_access(lambda: self._access.keep_token(account, token))
        return profile

    async def _answer(self, account: BrokerAccount, call: Call) -> object | CallFailure:
        """What a call of the sign-in returns, tried again where Groww turned it away as one too many."""
        tried = 0
        while True:
            answer = await self._calls.run(account, call, self._calls.waits.read_s, signed_in=False)
            tried += 1
            turned_away = isinstance(answer, CallFailure) and answer.status == TURNED_AWAY
            if not turned_away or tried == READ_TRIES:
                return answer
            await self._clock.sleep(TURNED_AWAY_S)

    async def _minted(self, account: BrokerAccount, code: str) -> object:
        """What Groww answers to a key with its code or checksum."""
        key = self._calls.route_of(account).api_key
        call = mint_by_code(key, code) if code else await self._by_secret(account, key)
        answer = await self._answer(account, call)
        if not isinstance(answer, CallFailure):
            return answer
        if answer.status not in (400, 401, 403, 404, 422):
            raise read_error(answer)
        page = self._calls.roots.keys_page
        words = f"Look at the key's secret, and approve today's session on Groww's page of keys, {page}."
        raise BrokerError(
            f"Groww refused the sign-in of {account.user_id}: {answer.text} {words}", "login_refused"
        )

    async def _by_secret(self, account: BrokerAccount, key: str) -> Call:
        def made() -> Call | None:
            stored = self._access.secret(key)
            if not stored:
                return None
            now = self._clock.now()
            secret = secret_of(stored)
            if secret.approval:
                return mint_by_approval(key, secret.approval, now)
            return mint_by_code(key, code_of(secret.totp, now))

        call = await self._calls.ask_access(made)
        if call is None:
            words = f"No secret is stored for the api key of {account.user_id}: store it, or give a code."
            raise NotAsked(words, "no_secret")
        return call


def _token_of(row: GrowwRow) -> str:
    """The access token of an answer without an envelope, or of one with. Raises `BrokerError`."""
    inner = row.get("payload")
    token = row.get("token") or (
        cast("dict[str, object]", inner).get("token") if isinstance(inner, dict) else None
    )
    if not isinstance(token, str) or not token:
        raise BrokerError("Groww: session, token: missing", "bad_row")
    return token
