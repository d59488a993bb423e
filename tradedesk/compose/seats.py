"""Who is signed in for this process: the token in the home, or in the file that `TRADEDESK_SESSION` names.

The app and commands of a home share it. A second person at another terminal names a file of their own there.
Imports nothing heavy: a command brings its token before the open app answers.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from data.home import LONGEST_TOKEN, session_file

if TYPE_CHECKING:
    from engine.desk import Desk

SESSION = "TRADEDESK_SESSION"
"""The environment's variable that names the file of another session than the home's."""


def token_file(home: Path) -> Path:
    """Where the token of this process is kept."""
    named = os.environ.get(SESSION)
    return Path(named).expanduser() if named else session_file(home)


class KeptSession(NamedTuple):
    """The token that is kept, and the one that renews it; both are empty where there is none."""

    token: str = ""
    refresh: str = ""


def kept_token(home: Path) -> str:
    """The token that is kept; empty where there is none that this user alone could have written."""
    return kept_session(home).token


def kept_session(home: Path) -> KeptSession:
    """What is kept of a sign-in, where this user alone could have written it.

    What a link leads to is nothing: whoever may write where it lies chooses that. Nothing is waited for.
    """
    try:
        opened = os.open(token_file(home), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(opened, encoding="ascii") as file:
            found = os.fstat(opened)
            own = found.st_uid == os.getuid() and not found.st_mode & 0o077
            if not (own and stat.S_ISREG(found.st_mode)) or found.st_size > 2 * LONGEST_TOKEN:
                return KeptSession()
            return KeptSession(*[line.strip() for line in file.read().splitlines()[:2]])
    except (OSError, ValueError):
        return KeptSession()


def keep_token(home: Path, token: str, refresh: str = "") -> None:
    """Keep a token, and what renews it, for whoever comes by the same file. Raises `OSError`."""
    place = token_file(home)
    made = place.with_name(f"{place.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        made.unlink()
    written = os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(written, f"{token}\n{refresh}\n".encode("ascii"))
        os.fsync(written)
    finally:
        os.close(written)
    os.replace(made, place)


def forget_token(home: Path) -> None:
    """Forget the token; one that is not there is no fault. Raises `OSError`."""
    token_file(home).unlink(missing_ok=True)


def where_from() -> str:
    """From where somebody comes, as far as the system tells: the other machine, or this one's terminal."""
    far = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
    if far:
        return f"ssh {far}"
    for descriptor in (0, 1, 2):
        with suppress(OSError):
            return os.ttyname(descriptor)
    return "no terminal"


def take_seat(desk: "Desk") -> None:
    """Have whoever is signed in for this process sit at the desk; nobody does by a token that is none."""
    from data.vocabulary import Via
    from engine.refusals import NobodySignedIn

    desk.who.seat = None
    if not desk.who.asked or not (token := kept_token(desk.home)):
        return
    with suppress(NobodySignedIn):
        desk.who.seat = desk.signing.actor(token, Via(desk.kind))


async def renew_seat(desk: "Desk") -> bool:
    """Have a token that is half over renewed, and whoever it is of sit at the desk; returns whether it was.

    Raises `NobodySignedIn`, `SigningAway`, `OSError`, and `BadInput` where the vault does not open.
    """
    kept = kept_session(desk.home)
    if not desk.who.asked or not kept.refresh or not desk.signing.is_half_over(kept.token):
        return False
    renewed = await desk.signing.renewed(kept.refresh)
    if kept_session(desk.home) != kept:  # somebody has signed in meanwhile
        return False
    keep_token(desk.home, renewed, kept.refresh)
    take_seat(desk)
    return True


async def renew_quietly(desk: "Desk") -> None:
    """The same, where nobody has to be asked for the key that signs; what cannot be renewed is left."""
    from data.errors import BadInput, StoreError
    from data.secrets import passphrase_source
    from engine.refusals import NobodySignedIn, SigningAway
    from tradedesk.compose.settings import load_settings
    from tradedesk.compose.vaults import vault_standing

    if not desk.who.asked or not kept_session(desk.home).refresh:
        return
    with suppress(NobodySignedIn, SigningAway, BadInput, StoreError, OSError):
        if not desk.signing.is_half_over(kept_token(desk.home)):
            return
        if not desk.signing.by_service:
            standing = vault_standing(desk.home, load_settings(desk.home))
            if passphrase_source(None) is None and standing.backend == "file":
                return
        await renew_seat(desk)
