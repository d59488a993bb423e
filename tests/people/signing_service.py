"""A signing service beside a desk, in this process: on the desk's books, with a store and key of its own."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from data.clock import ManualClock
from data.home import books_file
from data.store import Store
from engine.desk import Desk
from engine.people.signer import OwnSigner
from tests.books import database_of
from tests.desks import START, paper_desk
from tests.people.home_of_many import add_people
from tradedesk.auth.key_file import KeyFile
from tradedesk.auth.serving import serving
from tradedesk.compose.settings import Settings

HOST = "desk.example"


class Service:
    """One service: where it listens, its key, and what may be made of it."""

    def __init__(self, home: Path, folder: Path, clock: ManualClock) -> None:
        self.home, self.clock = home, clock
        self.place, self.key = folder / "sign-in.sock", KeyFile(folder / "signing.key")

    def settings(self) -> Settings:
        """The settings of a desk that asks it."""
        return Settings(trader="tester", auth_socket=self.place)

    @asynccontextmanager
    async def signer(self) -> AsyncGenerator[OwnSigner]:
        """What signs, on the books of the desk."""
        store = Store(books_file(self.home), self.clock, database=database_of(self.home))
        await store.open()
        try:
            yield OwnSigner(store, self.clock, Random(3), self.key, lambda: "tradedesk auth", is_service=True)
        finally:
            await store.close()

    @asynccontextmanager
    async def up(self) -> AsyncGenerator[OwnSigner]:
        """The service, answering."""
        async with self.signer() as signer, serving(signer, self.clock, self.place, HOST):
            yield signer


@asynccontextmanager
async def desk_by_service(home: Path) -> AsyncGenerator[tuple[Desk, Service, OwnSigner]]:
    """The demonstration's desk with everybody at it, signed in by a service; the admin sits at it."""
    with tempfile.TemporaryDirectory(prefix="tda-") as folder:  # a socket's path is short
        service = Service(home, Path(folder), ManualClock(START))
        async with (
            paper_desk(home, clock=service.clock, settings=service.settings()) as desk,
            service.up() as signer,
        ):
            await add_people(desk)
            yield desk, service, signer
