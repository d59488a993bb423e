"""Where a desk's files are, told without anything heavy: neither the first frame nor a command that the open
app answers waits for it.
"""

import os
from pathlib import Path

from data.home import books_file, settings_file


def home_folder(home: Path | None = None) -> Path:
    """The desk's folder: given, or `TRADEDESK_HOME`, or the platform's place for user data."""
    if home is not None:
        return home.expanduser().absolute()
    named = os.environ.get("TRADEDESK_HOME")
    if named:
        return Path(named).expanduser().absolute()
    return _user_data("tradedesk")


def local_kite_folder() -> Path:
    """The local Kite's folder: one of its own, whatever `TRADEDESK_HOME` says, since it is no desk's."""
    return _user_data("tradedesk-local-kite") / "books"


def _user_data(name: str) -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir(name, appauthor=False))


def has_other_venues(home: Path) -> bool:
    """Whether the books of a home know a connection that is not the paper exchange's."""
    from data.engines.at_rest import FileError, opened_to_look

    books = books_file(home)
    query = "SELECT EXISTS (SELECT 1 FROM connection WHERE broker <> 'paper')"
    try:
        with opened_to_look(books) as file:
            return bool(file.execute(query).fetchone()[0])
    except FileError:  # none yet, or what the desk will say of them when it is opened
        return False


def is_on_paper(home: Path) -> bool:
    """Whether the home's settings say plainly that it is on the paper exchange.

    False as well where only reading them whole can tell, or say what is wrong with them.
    """
    named = os.environ.get("TRADEDESK_MARKET", "")
    if named:
        return named == "paper"
    try:
        given = settings_file(home).read_bytes()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    import tomllib

    try:
        values = tomllib.loads(given.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return False
    return all(value == "paper" for key, value in values.items() if key.lower() == "market")
