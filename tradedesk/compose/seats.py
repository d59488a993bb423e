"""Who is signed in for this process: the token in the home, or in the file that `TRADEDESK_SESSION` names.

The app and commands of a home share it. A second person at another terminal names a file of their own there.
Imports nothing heavy: a command brings its token before the open app answers.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from data.home import LONGEST_TOKEN, session_file

if TYPE_CHECKING:
    from engine.desk import Desk

SESSION = "TRADEDESK_SESSION"
"""The environment's variable that names the file of another session than the home's."""


def token_file(home: Path) -> Path:
    """Where the token of this process is kept."""
    named = os.environ.get(SESSION)
    return Path(named).expanduser() if named else session_file(home)


def kept_token(home: Path) -> str:
    """The token that is kept; empty where there is none that this user alone could have written.

    What a link leads to is none: whoever may write where it lies chooses that. Nothing is waited for.
    """
    try:
        opened = os.open(token_file(home), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(opened, encoding="ascii") as file:
            found = os.fstat(opened)
            own = found.st_uid == os.getuid() and not found.st_mode & 0o077
            if not (own and stat.S_ISREG(found.st_mode)) or found.st_size > LONGEST_TOKEN:
                return ""
            return file.read().strip()
    except (OSError, ValueError):
        return ""


def keep_token(home: Path, token: str) -> None:
    """Keep a token for whoever comes by the same file, in place of another. Raises `OSError`."""
    place = token_file(home)
    made = place.with_name(f"{place.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        made.unlink()
    written = os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(written, f"{token}\n".encode("ascii"))
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
