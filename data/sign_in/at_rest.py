"""Who is signed in, by books that no desk has open: for commands that are done before one is."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from data.engines.at_rest import FileAtRest, FileError, opened_to_look
from data.engines.catalog import has_table
from data.sign_in.tokens import BadToken, check_clock, read
from data.vocabulary import Role


class StandingPerson(Struct, frozen=True):
    """Somebody whose sign-in stands; `everybody` says that they may see every client."""

    name: str
    role: Role
    everybody: bool


_ANYBODY = "SELECT EXISTS (SELECT 1 FROM person WHERE disabled_at IS NULL)"
_KEYS = "SELECT kid, public, retired_at FROM signing_key"
_BOOKS = "SELECT value FROM meta WHERE name = 'books'"
_LAST_TOLD = "SELECT at FROM audit ORDER BY seq DESC LIMIT 1"
_STANDING = (
    "SELECT person.role, person.scope IS NULL, sign_in.until FROM person"
    " JOIN sign_in ON sign_in.person = person.name"
    " WHERE person.name = ? AND person.version = ? AND person.disabled_at IS NULL"
    " AND sign_in.id = ? AND sign_in.ended_at IS NULL"
)


def has_people(file: FileAtRest) -> bool:
    """Whether whoever acts in this home signs in. Raises `FileError`."""
    if not has_table(file.execute, "person"):
        return False
    return bool(file.execute(_ANYBODY).fetchone()[0])


def people_in(database: Path) -> bool:
    """The same of a file that may not be there, or be no database: then nobody is known."""
    try:
        with opened_to_look(database) as file:
            return has_people(file)
    except FileError:
        return False


def standing(file: FileAtRest, token: str, now: datetime) -> StandingPerson | None:
    """Whose sign-in a token is of, where it stands; else None. Raises `FileError`."""
    row = file.execute(_LAST_TOLD).fetchone()
    try:
        check_clock(None if row is None else _moment(row[0]), now)
        keys = {
            kid: public for kid, public, until in file.execute(_KEYS) if not until or _moment(until) > now
        }
        books = file.execute(_BOOKS).fetchone()
        claims = read(token, keys, "" if books is None else str(books[0]), now)
    except (BadToken, ValueError):
        return None
    row = file.execute(_STANDING, (claims.person, claims.version, claims.sign_in)).fetchone()
    if row is None or row[0] not in set(Role):
        return None
    return StandingPerson(claims.person, Role(row[0]), bool(row[1])) if _moment(row[2]) > now else None


def _moment(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)
