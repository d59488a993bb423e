"""What signs people in: passwords, the wait after wrong ones, and tokens signed by the one key.

A desk does it by itself with a key of its vault; desks of a firm ask a service that alone has the key
(`tradedesk auth`), which does the same on the same books.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Protocol

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.clock import Clock
from data.errors import BadInput
from data.records import replace
from data.repositories.base import On
from data.repositories.meta import BOOKS, SIGNED_BY_SERVICE, fact_of, keep_facts
from data.repositories.people import (
    StoredKey,
    StoredPerson,
    StoredPersonSignIn,
    Try,
    add_key,
    add_sign_in,
    add_try,
    every_person,
    is_as_told,
    is_known_place,
    is_sign_in_as_told,
    person,
    save_person,
    secrets_mark,
    sign_in_of,
    standing_keys,
    tries_of,
)
from data.sign_in.passwords import as_hashed, hashed, is_right, wants_rehash
from data.sign_in.tokens import (
    BadToken,
    RefreshClaims,
    TokenClaims,
    new_key,
    public_half,
    read_refresh,
    signed,
    signed_refresh,
)
from data.store import GateMode, Store, Unit
from data.vocabulary import Right
from engine.people.rights import known_as
from engine.people.who import SIGNED_OUT
from engine.refusals import NobodySignedIn, SignInRefused

TOKEN_LIFE = timedelta(minutes=10)
"""How long a token is taken. One that is half over is renewed by whoever uses it."""

SIGN_IN_LIFE = timedelta(hours=12)
"""How long a sign-in stands however often its token is renewed: a trading day with its evening."""

FREE_TRIES = 5
"""Wrong passwords that have nobody wait."""

LONGEST_WAIT_S = 300
"""Seconds that the next password waits at most; nobody is ever shut out for good."""

COUNTED_FOR = timedelta(hours=24)
"""How long a wrong password counts."""

KNOWN_FOR = timedelta(days=90)
"""How long a place where somebody has signed in counts as theirs."""

NOT_AS_TOLD = "it is not as the audit left it; let the doctor look at the books"


class Whence(Struct, frozen=True):
    """From where somebody comes: the place they tell, and the machine and user that were seen."""

    place: str
    host: str
    uid: int


class SignedIn(Struct, frozen=True):
    """A token of somebody who has signed in, with what it says, and the refresh token that renews it."""

    token: str
    refresh: str
    claims: TokenClaims
    until: datetime


class TokenSigner(Protocol):
    """Signs people in at these books. Each raises `BadInput`, and `SigningAway` where nobody answers."""

    async def make_ready(self) -> None:
        """Have the key that signs at hand."""
        ...

    async def sign_in(self, name: str, password: str, whence: Whence) -> SignedIn:
        """Sign somebody in by their password. Raises `SignInRefused`."""
        ...

    async def renewed(self, refresh: str, whence: Whence) -> str:
        """Another token of a sign-in that stands. Raises `NobodySignedIn`."""
        ...

    async def is_password_of(self, name: str, sign_in: str, password: str, whence: Whence) -> bool:
        """Whether a password is that of who has signed in. Raises `SignInRefused`."""
        ...


class SigningKeys(Protocol):
    """Where the private key that signs is kept, in hex."""

    async def get(self) -> str | None:
        """The key; None where there is none. Raises `BadInput` where it cannot be read."""
        ...

    async def put(self, private: str) -> None:
        """Keep another one in its place. Raises `BadInput`."""
        ...


def wait_s(tries: Sequence[Try], places: Callable[[str], bool], place: str, now: datetime) -> int:
    """Seconds until the next password may be given at a place; `places` says which ones are known.

    At a place where the person has signed in before only the wrong ones given there count. All others count
    together, so that guesses from many places wait as those from one do and shut nobody out of their own.
    """
    if places(place):
        counted = [one for one in tries if one.place == place]
    else:
        counted = [one for one in tries if not places(one.place)]
    wrong: list[Try] = []
    for one in counted:
        wrong = [] if one.was_right else [*wrong, one]
    beyond = len(wrong) - FREE_TRIES
    if beyond < 0:
        return 0
    waits = min(2 ** min(beyond, 16), LONGEST_WAIT_S)
    passed = (now - wrong[-1].at).total_seconds()
    return max(0, round(waits - passed))


class OwnSigner:
    """Signs by a key that this process has; `is_service` says that no other may sign for these books."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rng: Random,
        keys: SigningKeys,
        by: Callable[[], str],
        is_service: bool = False,
    ) -> None:
        self._store = store
        self._clock = clock
        self._rng = rng
        self._keys = keys
        self._by = by
        self._is_service = is_service

    async def make_ready(self) -> None:
        """Have the key that signs at hand, made where there is none. Raises `BadInput`."""
        await self._key()

    async def sign_in(self, name: str, password: str, whence: Whence) -> SignedIn:
        """Sign somebody in by their password; from then on a token says who they are.

        Raises `BadInput` for what no password can be, `SignInRefused` where name and password are not of one
        person, or one has to wait; then nothing but that it was tried is written.
        """
        name, password, place = name.strip(), as_hashed(password), whence.place
        found = await self._store.write(lambda unit: self._tried(unit, name, place))
        right = await asyncio.to_thread(is_right, "" if found is None else found.password, password)
        if found is None or not right:
            await self._store.write(lambda unit: self._keep_refused(unit, found, place))
            raise SignInRefused
        again = hashed(password) if wants_rehash(found.password) else found.password
        kid, private, books = await self._key()
        sign_in = f"{self._rng.getrandbits(128):032x}"

        def unit_of_work(unit: Unit) -> StoredPersonSignIn:
            standing = next((one for one in every_person(unit) if one.name == found.name), None)
            if standing is None or standing.disabled_at is not None or standing.password != found.password:
                raise SignInRefused
            if again != standing.password:
                self._keep_rehashed(unit, standing, again)
            row = StoredPersonSignIn(sign_in, found.name, place, unit.now, unit.now + SIGN_IN_LIFE)
            add_sign_in(unit, row)
            add_try(unit, self._a_try(unit, found.name, place, True))
            details = {"sign_in": sign_in[:8], "place": place, "role": standing.role.value}
            details |= {"until": row.until.isoformat(), "host": whence.host, "uid": whence.uid}
            unit.audit(AuditEntry(AuditAction.SIGNED_IN, found.name, details=details))
            unit.touched.people = True
            return row

        row = await self._store.write(unit_of_work)
        claims = self._claims(found.name, sign_in, found.version, books, row.until)
        refresh = RefreshClaims(replace(claims, expires_at=row.until), whence.host, whence.uid)
        return SignedIn(
            signed(claims, kid, private), signed_refresh(refresh, kid, private), claims, row.until
        )

    async def renewed(self, refresh: str, whence: Whence) -> str:
        """Another token by a refresh token, for the user of the machine that it was given to.

        Raises `NobodySignedIn` where its sign-in does not stand, and `BadInput` where the key is not had.
        """
        now = self._clock.now()

        def look(on: On) -> tuple[RefreshClaims, StoredPersonSignIn | None, StoredPerson | None]:
            keys = {key.kid: key.public for key in standing_keys(on, now)}
            found = read_refresh(refresh, keys, fact_of(on, BOOKS) or "", now)
            row = sign_in_of(on, found.claims.sign_in)
            if row is not None and not is_sign_in_as_told(on, row):
                raise BadToken(NOT_AS_TOLD)
            return found, row, person(on, found.claims.person)

        try:
            found, row, who = await self._store.read_aside(look)
            claims = found.claims
            if (found.host, found.uid) != (whence.host, whence.uid):
                raise BadToken("it is another machine's or user's")
            if row is None or row.person != claims.person or row.ended_at is not None or row.until <= now:
                raise BadToken("the sign-in was ended")
            if who is None or who.disabled_at is not None or who.version != claims.version:
                raise BadToken("what they may do was changed since they signed in")
        except BadToken as problem:
            raise NobodySignedIn("", Right.LOOK, str(problem)) from problem
        kid, private, books = await self._key()
        return signed(
            self._claims(claims.person, claims.sign_in, claims.version, books, row.until), kid, private
        )

    async def is_password_of(self, name: str, sign_in: str, password: str, whence: Whence) -> bool:
        """Whether a password is that of who has signed in, which unlocks their screen.

        Wrong ones have the next wait as at a sign-in, but by this sign-in alone. Raises `BadInput`,
        `SignInRefused`.
        """
        password, place = as_hashed(password), f"{whence.place} {sign_in[:8]}"

        def tried(unit: Unit) -> StoredPerson | None:
            row = sign_in_of(unit, sign_in)
            known = row is not None and row.person == name and row.ended_at is None
            return self._tried(unit, name, place, known)

        found = await self._store.write(tried)
        right = await asyncio.to_thread(is_right, "" if found is None else found.password, password)

        def unit_of_work(unit: Unit) -> None:
            if right:
                add_try(unit, self._a_try(unit, name, place, True))
            else:
                self._keep_refused(unit, found, place)

        await self._store.write(unit_of_work)
        return right

    async def rotate(self, at_once: bool = False) -> str:
        """Sign by another key from here on; returns its id. What the one before has signed is taken until its
        sign-ins are over, or not at all any more. Raises `BadInput`, `StoreError`.
        """
        private, public = new_key()
        until = self._clock.now() + (timedelta(0) if at_once else SIGN_IN_LIFE)
        await self._store.write(partial(self._add_key, public, until), GateMode.ALONE)
        await self._keys.put(private)
        return public[:16]

    def _tried(self, unit: Unit, name: str, place: str, known: bool = False) -> StoredPerson | None:
        """Count a password before it is looked at, so that no two are tried at once.

        Raises `SignInRefused` where it has to wait.
        """
        found = next((one for one in every_person(unit) if known_as(one.name) == known_as(name)), None)
        if found is not None and found.disabled_at is not None:
            found = None
        if found is not None and not is_as_told(unit, found):
            raise BadInput("person", found.name, NOT_AS_TOLD)
        whose = "" if found is None else found.name
        since = unit.now - KNOWN_FOR

        def is_known(one: str) -> bool:
            return (known and one == place) or (bool(whose) and is_known_place(unit, whose, one, since))

        wait = wait_s(tries_of(unit, whose, unit.now - COUNTED_FOR), is_known, place, unit.now)
        if wait:
            raise SignInRefused(wait)
        add_try(unit, self._a_try(unit, whose, place, False))
        return found

    def _keep_rehashed(self, unit: Unit, person: StoredPerson, password: str) -> None:
        """Keep the same password hashed by the parameters of now, which changes nothing else."""
        save_person(unit, after := replace(person, password=password))
        scope = ["all"] if person.scope is None else list(person.scope)
        told = {"person": person.name, "role": person.role.value, "scope": scope, "what": "rehashed"}
        details = {**told, "secrets": secrets_mark(after)}
        unit.audit(AuditEntry(AuditAction.PERSON_CHANGED, person.name, details=details))

    def _a_try(self, unit: Unit, name: str, place: str, right: bool) -> Try:
        return Try(unit.take_ids("sign_in_try", 1)[0], name, place, right, unit.now)

    def _keep_refused(self, unit: Unit, person: StoredPerson | None, place: str) -> None:
        # What was typed for a name that is nobody's is not kept: it may be a password.
        name = SIGNED_OUT if person is None else person.name
        unit.audit(AuditEntry(AuditAction.SIGN_IN_REFUSED, name, details={"place": place}))

    def _claims(self, name: str, sign_in: str, version: int, books: str, until: datetime) -> TokenClaims:
        now = self._clock.now().replace(microsecond=0)
        return TokenClaims(name, sign_in, version, books, now, min(now + TOKEN_LIFE, until))

    async def _key(self) -> tuple[str, str, str]:
        """The key that signs, its id and private half, and the id of the books; made where there is none."""
        kept, now = await self._keys.get(), self._clock.now()

        def look(on: On) -> tuple[list[StoredKey], str, bool]:
            by_service = fact_of(on, SIGNED_BY_SERVICE) is not None
            return standing_keys(on, now), fact_of(on, BOOKS) or "", by_service

        keys, books, by_service = await self._store.read_aside(look)
        if by_service and not self._is_service:
            raise BadInput("auth_socket", "", "a service signs for these books: name the socket of it")
        if kept is not None and books and by_service == self._is_service:
            try:
                public = public_half(kept)
            except ValueError as problem:
                expected = "the key that signs is none: remove it, and sign in again"
                raise BadInput("secrets", "sign-in key", expected) from problem
            found = next((key.kid for key in keys if key.public == public), None)
            if found is not None:
                return found, kept, books
        if by_service and keys:  # another one here would void what that of another machine signs
            expected = "another key signs for these books: copy it here, or run `tradedesk auth rotate`"
            raise BadInput("signing.key", "", expected)
        private, public = new_key()
        await self._keys.put(private)
        books = await self._store.write(partial(self._add_key, public, now), GateMode.ALONE)
        return public[:16], private, books

    def _add_key(self, public: str, others_until: datetime, unit: Unit) -> str:
        """Keep the public half of a key; returns the id of the books, which is made where there is none."""
        kid, first = public[:16], not standing_keys(unit, unit.now)
        add_key(unit, StoredKey(kid, public, unit.now), others_until)
        books = fact_of(unit, BOOKS)
        if books is None:
            books = f"tradedesk:{self._rng.getrandbits(128):032x}"
            keep_facts(unit, {BOOKS: books})
        if self._is_service and fact_of(unit, SIGNED_BY_SERVICE) is None:
            keep_facts(unit, {SIGNED_BY_SERVICE: unit.now.isoformat()})
        details = {"kid": kid, "first": first, "others_until": others_until.isoformat()}
        unit.audit(AuditEntry(AuditAction.SIGNING_KEY_MADE, self._by(), details=details))
        unit.touched.people = True
        return books
