"""PostgreSQL and Redis from wheels in a folder that stays, to try a firm on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tradedesk.rehearsal.own_postgres import OwnPostgres
from tradedesk.rehearsal.own_redis import OwnRedis

BOOKS, ROLE = "firm", "desk"
"""The database of a firm, and the role that its desks connect as."""


class ServersUp(Struct, frozen=True):
    """Where they answer: the books as their owner has them and as a desk does, and Redis."""

    owner_url: str
    desk_url: str
    redis_url: str


def make_books(postgres: OwnPostgres) -> None:
    """Make a server's database and the role of desks, both empty. Raises `BadInput`."""
    make_database(postgres, BOOKS)
    postgres.tell(f"CREATE ROLE {ROLE} LOGIN")


def make_database(postgres: OwnPostgres, name: str) -> None:
    """Make an empty one as books are best kept in. Raises `BadInput`."""
    postgres.tell(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")


@contextmanager
def servers_in(folder: Path) -> Iterator[ServersUp]:
    """Both of a folder, made where they are not there yet; ended at the end. Raises `BadInput`."""
    postgres, redis = OwnPostgres(folder / "pg"), OwnRedis(folder / "redis")
    fresh = not (folder / "pg" / "data").exists()
    if fresh:
        postgres.make()
    postgres.start()
    try:
        if fresh:
            make_books(postgres)
        redis.start()
        try:
            owner = postgres.address.set(database=BOOKS)
            desk = owner.set(username=ROLE)
            yield ServersUp(str(owner), str(desk), redis.address())
        finally:
            redis.stop()
    finally:
        postgres.stop()
