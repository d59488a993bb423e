"""The desk's end: what signs people in is a service behind a socket."""

import asyncio
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from data.clock import Clock
from data.errors import BadInput
from data.sign_in.peers import peer_uid
from data.vocabulary import Right
from engine.people.signer import SignedIn, Whence
from engine.refusals import NobodySignedIn, SigningAway, SignInRefused
from tradedesk.auth.protocol import (
    ANSWER_S,
    LONGEST_LINE,
    AnswerTold,
    AskedOfService,
    BadInputTold,
    NobodyTold,
    PasswordAsked,
    ReadyAsked,
    RefusedTold,
    RenewAsked,
    SignedInTold,
    SignInAsked,
    TokenTold,
    ToldByService,
    encoded,
    told_in,
)

T = TypeVar("T", bound=ToldByService)


class AuthService:
    """Signs people in by the service at a socket. Each part raises `SigningAway` where it does not answer.

    From where somebody comes the service sees by itself, but for the place.
    """

    def __init__(self, place: Path, clock: Clock) -> None:
        self._place = place
        self._clock = clock

    async def make_ready(self) -> None:
        """Have the service be there. Raises `BadInput` where its key is not."""
        await self._ask(ReadyAsked(), AnswerTold)

    async def sign_in(self, name: str, password: str, whence: Whence) -> SignedIn:
        """Sign somebody in by their password. Raises `BadInput`, `SignInRefused`."""
        told = await self._ask(SignInAsked(name, password, whence.place), SignedInTold)
        return SignedIn(told.token, told.refresh, told.claims, told.until)

    async def renewed(self, refresh: str, whence: Whence) -> str:
        """Another token of a sign-in that stands. Raises `NobodySignedIn`."""
        return (await self._ask(RenewAsked(refresh), TokenTold)).token

    async def is_password_of(self, name: str, sign_in: str, password: str, whence: Whence) -> bool:
        """Whether a password is that of who has signed in. Raises `BadInput`, `SignInRefused`."""
        return (await self._ask(PasswordAsked(name, sign_in, password, whence.place), AnswerTold)).yes

    async def _ask(self, asked: AskedOfService, wanted: type[T]) -> T:
        if len(line := encoded(asked)) > LONGEST_LINE:
            raise BadInput("password", "(hidden)", "give a shorter one")
        try:
            async with self._clock.timeout(ANSWER_S):
                told = await self._answer(line)
        except TimeoutError:
            raise SigningAway(f"no answer within {ANSWER_S:.0f} s") from None
        except FileNotFoundError:
            raise SigningAway(f"nothing listens at {self._place}") from None
        except (OSError, ValueError) as problem:
            raise SigningAway(str(problem)) from problem
        if isinstance(told, wanted):
            return told
        raise _refusal(told)

    async def _answer(self, line: bytes) -> ToldByService:
        self._check_place()
        reader, writer = await asyncio.open_unix_connection(str(self._place), limit=LONGEST_LINE)
        try:
            if peer_uid(writer.get_extra_info("socket")) != os.lstat(self._place).st_uid:
                raise PermissionError("another user listens than the socket's own")
            writer.write(line)
            await writer.drain()
            return told_in(await reader.readline())
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _check_place(self) -> None:
        """Have nobody else be able to put a socket there: whoever listens is told passwords."""
        if not stat.S_ISSOCK(os.lstat(self._place).st_mode):
            raise PermissionError(f"{self._place} is no socket")
        folder = os.stat(self._place.parent)
        if folder.st_mode & 0o022 and not folder.st_mode & stat.S_ISVTX:
            raise PermissionError(f"others may write to {self._place.parent}")


def _refusal(told: ToldByService) -> Exception:
    match told:
        case RefusedTold(wait_s=wait):
            return SignInRefused(wait)
        case NobodyTold(why=why):
            return NobodySignedIn("", Right.LOOK, why)
        case BadInputTold(field=field, expected=expected):
            return BadInput(field, "(hidden)", expected)
        case _:
            why = getattr(told, "why", "it answered something else than it was asked")
            return SigningAway(str(why))
