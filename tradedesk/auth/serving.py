"""The service's end: it answers whoever may reach its socket, and writes down who they are."""

import asyncio
import logging
import os
import socket
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from data.clock import Clock
from data.errors import BadInput, StoreError
from data.repositories.base import DatabaseError
from data.sign_in.peers import peer_uid
from engine.people.signer import TokenSigner, Whence
from engine.refusals import NobodySignedIn, SignInRefused
from tradedesk.auth.protocol import (
    LONGEST_LINE,
    SLOW_S,
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
    TroubleTold,
    asked_in,
    encoded,
)

log = logging.getLogger(__name__)

MOST = 64
"""Connections at a time; more are closed at once."""

AT_A_TIME = 4
"""What is done at a time: a hash takes 64 MiB."""

LONGEST_PLACE = 100
"""Signs of a place that are kept."""


class Serving:
    """Answers every connection of one service."""

    def __init__(self, signer: TokenSigner, clock: Clock, host: str) -> None:
        self._signer = signer
        self._clock = clock
        self._host = host
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._met = 0

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection; what is not of the protocol ends it and nothing else."""
        self._met += 1
        try:
            if self._met > MOST:
                return
            uid = peer_uid(writer.get_extra_info("socket"))
            async with self._clock.timeout(SLOW_S):
                asked = asked_in(await reader.readline())
            async with self._turns:
                told = await self._told(asked, uid)
            writer.write(encoded(told))
            async with self._clock.timeout(SLOW_S):
                await writer.drain()
        except (ValueError, OSError, TimeoutError) as problem:
            log.info("a connection was ended: %s", type(problem).__name__)
        finally:
            self._met -= 1
            writer.close()

    async def _told(self, asked: AskedOfService, uid: int) -> ToldByService:
        try:
            return await self._done(asked, uid)
        except SignInRefused as refusal:
            return RefusedTold(refusal.wait_s)
        except NobodySignedIn as refusal:
            return NobodyTold(refusal.why)
        except BadInput as problem:
            return BadInputTold(problem.field, problem.expected)
        except (StoreError, DatabaseError) as problem:
            log.warning("not done: %s", problem)
            return TroubleTold(f"it cannot use the books: {problem}")

    async def _done(self, asked: AskedOfService, uid: int) -> ToldByService:
        signer = self._signer
        match asked:
            case ReadyAsked():
                await signer.make_ready()
                return AnswerTold(True)
            case SignInAsked():
                made = await signer.sign_in(asked.name, asked.password, self._whence(asked.place, uid))
                return SignedInTold(made.token, made.refresh, made.claims, made.until)
            case RenewAsked():
                return TokenTold(await signer.renewed(asked.refresh, self._whence("", uid)))
            case PasswordAsked():
                whence = self._whence(asked.place, uid)
                return AnswerTold(
                    await signer.is_password_of(asked.name, asked.sign_in, asked.password, whence)
                )

    def _whence(self, place: str, uid: int) -> Whence:
        """From where it is asked: the place is told, whose process tells it is seen."""
        return Whence(f"{place[:LONGEST_PLACE]} uid {uid}", self._host, uid)


@asynccontextmanager
async def serving(signer: TokenSigner, clock: Clock, place: Path, host: str) -> AsyncGenerator[None]:
    """Answer at a socket for as long as the context lasts. Raises `OSError` where it cannot be had.

    Who may reach it says the group of its folder, which a socket made there takes where the folder is setgid.
    """
    listener = _bound(place)
    ours = os.lstat(place)
    try:
        serve = Serving(signer, clock, host)
        server = await asyncio.start_unix_server(serve.meet, sock=listener, limit=LONGEST_LINE)
        try:
            yield
        finally:
            server.close()
            with suppress(OSError):
                found = os.lstat(place)
                if (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino):
                    os.unlink(place)
    finally:
        listener.close()


def _bound(place: Path) -> socket.socket:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(place).st_mode):
            raise FileExistsError("something that is no socket is there")
        if _is_answered(place):
            raise FileExistsError("another service listens there")
        os.unlink(place)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), 0o660)
        listener.bind(str(place))
        os.chmod(place, 0o660)
        listener.listen(MOST)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_answered(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(place))
        except OSError:
            return False
        return True
