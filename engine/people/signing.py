"""Who is signed in at this desk: by whom they are signed in, their tokens as they are read, and their end."""

import asyncio
import os
import socket
from collections.abc import Collection
from datetime import datetime
from random import Random

from msgspec import Struct

from data.acting import Actor
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.repositories.audit import last_told
from data.repositories.base import On
from data.repositories.meta import BOOKS, fact_of
from data.repositories.people import (
    StoredPersonSignIn,
    end_sign_in,
    end_sign_ins,
    standing_keys,
    standing_sign_ins,
)
from data.secrets import Vault
from data.sign_in.tokens import BadToken, TokenClaims, check_clock, read
from data.store import GateMode, Unit
from data.vocabulary import Right, Via
from engine.book.kept import Kept
from engine.people.signer import TOKEN_LIFE, OwnSigner, SignedIn, TokenSigner, Whence
from engine.people.who import WhoActs
from engine.refusals import NobodySignedIn
from engine.timing import Timing

KEY = "sign-in-key"
"""Under which name the vault keeps the key that signs."""

SHOWN = 8
"""Signs of a sign-in's id that are shown, and by which one is named."""


class StandingSignIn(Struct, frozen=True):
    """A sign-in that stands: whose, from where, since when and until when at most."""

    id: str
    person: str
    place: str
    at: datetime
    until: datetime


class VaultKeys:
    """The key that signs in a desk's own vault."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._vault: Vault | None = None

    async def get(self) -> str | None:
        """The key; None where there is none. Raises `BadInput` where the vault does not open."""
        return await asyncio.to_thread(self._opened().get, KEY)

    async def put(self, private: str) -> None:
        """Keep another one in its place. Raises `BadInput`."""
        await asyncio.to_thread(self._opened().put, KEY, private)

    def _opened(self) -> Vault:
        if self._vault is None:
            self._vault = self._kept.open_vault()
        return self._vault


class SigningIn:
    """Has people signed in at this home, reads and renews their tokens, and ends their sign-ins."""

    def __init__(self, kept: Kept, timing: Timing, who: WhoActs, rng: Random) -> None:
        self._kept = kept
        self._timing = timing
        self._who = who
        self.signer: TokenSigner = OwnSigner(
            kept.store, timing.wall, rng, VaultKeys(kept), lambda: who.actor.name
        )
        """What signs: this desk by itself, or a service that it asks."""
        self.by_service = False
        """Whether a service does; then who is signed in goes on only as long as it renews their token."""

    async def sign_in(self, name: str, password: str, place: str, via: Via) -> SignedIn:
        """Have somebody signed in by their password; from then on a token says who they are.

        Raises `BadInput` for what no password can be, `SignInRefused` where name and password are not of one
        person, or one has to wait, `SigningAway`; then nothing but that it was tried is written.
        """
        made = await self.signer.sign_in(name, password, _whence(place))
        await self._heard()
        return made

    async def make_ready(self) -> None:
        """Have the key that signs at hand. Raises `BadInput` where the vault does not open, `SigningAway`."""
        await self.signer.make_ready()

    def read(self, token: str) -> TokenClaims:
        """What a token of these books says, whether or not its sign-in stands. Raises `NobodySignedIn`."""
        now = self._timing.wall.now()

        def look(on: On) -> TokenClaims:
            check_clock(last_told(on), now)
            keys = {key.kid: key.public for key in standing_keys(on, now)}
            return read(token, keys, fact_of(on, BOOKS) or "", now)

        try:
            return self._kept.store.glance(look)
        except BadToken as problem:
            raise NobodySignedIn("", Right.LOOK, str(problem)) from problem

    def actor(self, token: str, via: Via) -> Actor:
        """Who acts by a token. Raises `NobodySignedIn`."""
        claims = self.read(token)
        until = claims.expires_at if self.by_service else None
        return Actor(claims.person, via, claims.sign_in, claims.version, until)

    def is_half_over(self, token: str) -> bool:
        """Whether a token should be renewed, which is none, or will soon be none."""
        try:
            return self.read(token).expires_at - self._timing.wall.now() <= TOKEN_LIFE / 2
        except NobodySignedIn:
            return True

    async def renewed(self, refresh: str) -> str:
        """Another token of a sign-in that stands, by its refresh token.

        Raises `NobodySignedIn`, `SigningAway`, and `BadInput` where the vault does not open.
        """
        return await self.signer.renewed(refresh, _whence(""))

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
                details = {"sign_in": "all" if everywhere else actor.sign_in[:SHOWN], "count": count}
                unit.audit(AuditEntry(AuditAction.SIGNED_OUT, by, details=details))
                unit.touched.people = True
            return count

        return await self._kept.store.write(unit_of_work)

    async def standing(self) -> list[StandingSignIn]:
        """The sign-ins that stand, oldest first."""
        now = self._timing.wall.now()
        rows = await self._kept.store.read_aside(standing_sign_ins)
        return [_shown(one) for one in rows if one.until > now]

    async def revoke(self, ids: Collection[str] = (), person: str = "") -> list[StandingSignIn]:
        """End sign-ins by their ids, or all of a person; each ends before the next commit of whoever has it.

        Returns those that stood. Raises `BadInput` for what names none.
        """

        def unit_of_work(unit: Unit) -> list[StandingSignIn]:
            stand = [one for one in standing_sign_ins(unit) if one.until > unit.now]
            for one in ids:
                if len(one) < SHOWN or not any(row.id.startswith(one) for row in stand):
                    raise BadInput("id", one, "give the id of a sign-in that stands, as `sessions` lists it")
            rows = [
                row
                for row in stand
                if any(row.id.startswith(one) for one in ids)
                or (person and row.person.casefold() == person.strip().casefold())
            ]
            for row in rows:
                end_sign_in(unit, row.id, self._who.actor.name, unit.now)
                details = {"sign_in": row.id[:SHOWN], "person": row.person, "count": 1}
                entry = AuditEntry(AuditAction.SIGNED_OUT, self._who.actor.name, details=details)
                unit.audit(entry)
            unit.touched.people = bool(rows)
            return [_shown(row) for row in rows]

        return await self._kept.store.write(unit_of_work, GateMode.ALONE)

    async def is_password_of(self, actor: Actor, password: str, place: str) -> bool:
        """Whether a password is that of who has signed in, which unlocks their screen.

        Wrong ones have the next wait as at a sign-in, but by this sign-in alone. Raises `BadInput`,
        `SignInRefused`, `SigningAway`.
        """
        return await self.signer.is_password_of(actor.name, actor.sign_in, password, _whence(place))

    async def _heard(self) -> None:
        """Have this desk know what the service has written."""
        if self.by_service:
            await self._kept.store.write(lambda unit: None)


def _shown(row: StoredPersonSignIn) -> StandingSignIn:
    return StandingSignIn(row.id[:SHOWN], row.person, row.place, row.at, row.until)


def _whence(place: str) -> Whence:
    return Whence(place, socket.gethostname(), os.getuid())
