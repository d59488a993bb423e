"""A desk with people at it, whose passwords and tokens tests know."""

from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from data.clock import ManualClock
from data.secrets import PASSPHRASE_FILE
from data.vocabulary import Role, Via
from engine.desk import Desk
from tests.desks import paper_desk

PASSWORD = "a quiet word for {}"
HERE = "ssh 10.0.0.7"
MINE, THEIRS = ("AM1042", "ZM1048"), "PS1015"
"""Clients of the scoped trader, and one of somebody else."""

PEOPLE: Mapping[str, tuple[Role, tuple[str, ...]]] = {
    "asha": (Role.ADMIN, ()),
    "sunil": (Role.SUPERVISOR, ()),
    "tara": (Role.TRADER, ()),
    "ravi": (Role.TRADER, MINE),
    "anil": (Role.ASSISTANT, ()),
    "uma": (Role.AUDITOR, ()),
    "aarav": (Role.CLIENT, MINE[:1]),
}
OF_ROLE = {
    Role.ADMIN: "asha",
    Role.SUPERVISOR: "sunil",
    Role.TRADER: "tara",
    Role.ASSISTANT: "anil",
    Role.AUDITOR: "uma",
    Role.CLIENT: "aarav",
}


def passphrase(folder: Path, monkeypatch: Any) -> None:
    """Have vaults of this test open by a passphrase in a file."""
    file = folder / "passphrase"
    file.write_text("a passphrase of tests\n")
    file.chmod(0o600)
    monkeypatch.setenv(PASSPHRASE_FILE, str(file))


def password(name: str) -> str:
    """Somebody's password."""
    return PASSWORD.format(name)


async def sit(desk: Desk, name: str) -> str:
    """Have somebody sign in and sit at the desk; returns their token."""
    made = await desk.signing.sign_in(name, password(name), HERE, Via.API)
    desk.who.seat = desk.signing.actor(made.token, Via.API)
    return made.token


async def add_people(desk: Desk) -> None:
    """Add everybody; the admin sits at the desk afterwards."""
    for name, (role, codes) in PEOPLE.items():
        await desk.people.add(name, role, password(name), codes)
        if desk.who.seat is None:
            await sit(desk, name)


@asynccontextmanager
async def desk_of_many(home: Path, clock: ManualClock | None = None) -> AsyncIterator[Desk]:
    """The demonstration's desk with everybody of `PEOPLE`; the admin sits at it."""
    async with paper_desk(home, clock=clock) as desk:
        await add_people(desk)
        yield desk


@contextmanager
def seated(desk: Desk, seat: Any) -> Generator[None]:
    """Have somebody else sit at the desk within the context."""
    before, desk.who.seat = desk.who.seat, seat
    try:
        yield
    finally:
        desk.who.seat = before


async def refusals(desk: Desk) -> list[Mapping[str, Any]]:
    """What the audit tells of refusals, oldest first, as the admin reads it."""
    rows = await desk.audit.rows(50, action="REFUSED")
    return [{"actor": row.actor, **row.details} for row in sorted(rows, key=lambda row: row.seq)]
