"""Signing people in and out: passwords, the wait after wrong ones, tokens and their key."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct

from data.acting import Actor
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.records import replace
from data.repositories.audit import last_told
from data.repositories.people import (
    StoredKey,
    StoredPerson,
    StoredPersonSignIn,
    Try,
    add_key,
    add_sign_in,
    add_try,
    end_sign_in,
    end_sign_ins,
    every_person,
    is_as_told,
    is_known_place,
    is_sign_in_as_told,
    save_person,
    secrets_mark,
    sign_in_of,
    standing_keys,
    tries_of,
)
from data.secrets import Vault, service_name
from data.sign_in.passwords import as_hashed, hashed, is_right, wants_rehash
from data.sign_in.tokens import BadToken, TokenClaims, check_clock, new_key, public_half, read, signed
from data.store import Unit
from data.vocabulary import Right, Via
from engine.book.kept import Kept
from engine.people.rights import known_as
from engine.people.who import SIGNED_OUT, WhoActs
from engine.refusals import NobodySignedIn, SignInRefused
from engine.timing import Timing

TOKEN_LIFE = timedelta(minutes=30)
"""How long a token is taken. One that is half over is renewed by whoever uses it and has the key at hand."""

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

KEY = "sign-in-key"
"""Under which name the vault keeps the key that signs."""


class SignedIn(Struct, frozen=True):
    """A token of somebody who has signed in, with what it says."""

    token: str
    claims: TokenClaims
    until: datetime


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


NOT_AS_TOLD = "it is not as the audit left it; let the doctor look at the books"


class SigningIn:
    """Signs people in at this home, renews their tokens and ends them."""

    def __init__(self, kept: Kept, timing: Timing, who: WhoActs, rng: Random) -> None:
        self._kept = kept
        self._timing = timing
        self._who = who
        self._rng = rng
        self._vault: Vault | None = None
        self._home = service_name(kept.home)

    async def sign_in(self, name: str, password: str, place: str, via: Via) -> SignedIn:
        """Sign somebody in by their password; from then on a token says who they are.

        Raises `BadInput` for what no password can be, `SignInRefused` where name and password are not of one
        person, or one has to wait; then nothing but that it was tried is written.
        """
        name, password = name.strip(), as_hashed(password)
        person = await self._kept.store.write(lambda unit: self._tried(unit, name, place))
        right = await asyncio.to_thread(is_right, "" if person is None else person.password, password)
        if person is None or not right:
            await self._kept.store.write(lambda unit: self._keep_refused(unit, person, place))
            raise SignInRefused
        again = hashed(password) if wants_rehash(person.password) else person.password
        kid, private = await self._key()
        sign_in = f"{self._rng.getrandbits(128):032x}"

        def unit_of_work(unit: Unit) -> StoredPersonSignIn:
            standing = next((one for one in every_person(unit) if one.name == person.name), None)
            if standing is None or standing.disabled_at is not None or standing.password != person.password:
                raise SignInRefused
            if again != standing.password:
                self._keep_rehashed(unit, standing, again)
            row = StoredPersonSignIn(sign_in, person.name, place, unit.now, unit.now + SIGN_IN_LIFE)
            add_sign_in(unit, row)
            add_try(unit, self._a_try(unit, person.name, place, True))
            details = {"sign_in": sign_in[:8], "place": place, "role": standing.role.value}
            details["until"] = row.until.isoformat()
            entry = AuditEntry(AuditAction.SIGNED_IN, person.name, details=details)
            unit.audit(entry)
            unit.touched.people = True
            return row

        row = await self._kept.store.write(unit_of_work)
        claims = self._claims(person.name, sign_in, person.version, row.until)
        return SignedIn(signed(claims, kid, private), claims, row.until)

    async def make_ready(self) -> None:
        """Have the key that signs at hand. Raises `BadInput` where the vault does not open."""
        await self._key()

    def read(self, token: str) -> TokenClaims:
        """What a token of this home says, whether or not its sign-in stands. Raises `NobodySignedIn`."""
        keys = {key.kid: key.public for key in self._kept.store.glance(standing_keys)}
        last, now = self._kept.store.glance(last_told), self._timing.wall.now()
        try:
            check_clock(last, now)
            return read(token, keys, self._home, now)
        except BadToken as problem:
            raise NobodySignedIn("", Right.LOOK, str(problem)) from problem

    def actor(self, token: str, via: Via) -> Actor:
        """Who acts by a token. Raises `NobodySignedIn`."""
        claims = self.read(token)
        return Actor(claims.person, via, claims.sign_in, claims.version)

    def is_half_over(self, token: str) -> bool:
        """Whether a token should be renewed. Raises `NobodySignedIn`."""
        return self.read(token).expires_at - self._timing.wall.now() <= TOKEN_LIFE / 2

    async def renewed(self, token: str) -> str | None:
        """A token in place of one that is half over; None where it is not, or its sign-in ends.

        Raises `NobodySignedIn`, and `BadInput` where the vault does not open.
        """
        claims = self.read(token)
        _, until = self._kept.book.people.sign_ins.get(claims.sign_in, ("", claims.expires_at))
        if not self.is_half_over(token) or until <= claims.expires_at:
            return None
        stored = self._kept.store.glance(lambda on: sign_in_of(on, claims.sign_in))
        if stored is None or not self._kept.store.glance(lambda on: is_sign_in_as_told(on, stored)):
            raise NobodySignedIn("", Right.LOOK, NOT_AS_TOLD)
        kid, private = await self._key()
        return signed(self._claims(claims.person, claims.sign_in, claims.version, until), kid, private)

    async def sign_out(self, everywhere: bool = False) -> int:
        """End the sign-in of who acts at once, or all they have; returns how many stood."""
        actor = self._who.actor

        def unit_of_work(unit: Unit) -> int:
            by = actor.name
            if everywhere:
                count = end_sign_ins(unit, actor.name, by, unit.now)
            else:
                count = end_sign_in(unit, actor.sign_in, by, unit.now)
            if count:
                details = {"sign_in": "all" if everywhere else actor.sign_in[:8], "count": count}
                unit.audit(AuditEntry(AuditAction.SIGNED_OUT, by, details=details))
                unit.touched.people = True
            return count

        return await self._kept.store.write(unit_of_work)

    async def is_password_of(self, actor: Actor, password: str, place: str) -> bool:
        """Whether a password is that of who has signed in, which unlocks their screen.

        Wrong ones have the next wait as at a sign-in, but by this sign-in alone. Raises `BadInput`,
        `SignInRefused`.
        """
        password, place = as_hashed(password), f"{place} {actor.sign_in[:8]}"
        person = await self._kept.store.write(lambda unit: self._tried(unit, actor.name, place, known=True))
        right = await asyncio.to_thread(is_right, "" if person is None else person.password, password)

        def unit_of_work(unit: Unit) -> None:
            if right:
                add_try(unit, self._a_try(unit, actor.name, place, True))
            else:
                self._keep_refused(unit, person, place)

        await self._kept.store.write(unit_of_work)
        return right

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

    def _claims(self, name: str, sign_in: str, version: int, until: datetime) -> TokenClaims:
        now = self._timing.wall.now().replace(microsecond=0)
        return TokenClaims(name, sign_in, version, self._home, now, min(now + TOKEN_LIFE, until))

    async def _key(self) -> tuple[str, str]:
        """The key that signs: its id and private half; a new one where the vault has lost it."""
        if self._vault is None:
            self._vault = self._kept.open_vault()
        kept = await asyncio.to_thread(self._vault.get, KEY)
        keys = await self._kept.store.read_aside(standing_keys)
        if kept is not None:
            try:
                public = public_half(kept)
            except ValueError as problem:
                raise BadInput("secrets", KEY, "it is no key: remove it, and sign in again") from problem
            found = next((key.kid for key in keys if key.public == public), None)
            if found is not None:
                return found, kept
        private, public = new_key()
        await asyncio.to_thread(self._vault.put, KEY, private)
        kid = public[:16]

        def unit_of_work(unit: Unit) -> None:
            add_key(unit, StoredKey(kid, public, unit.now))
            details = {"kid": kid, "first": not keys}
            unit.audit(AuditEntry(AuditAction.SIGNING_KEY_MADE, self._who.actor.name, details=details))
            unit.touched.people = True

        await self._kept.store.write(unit_of_work)
        return kid, private
