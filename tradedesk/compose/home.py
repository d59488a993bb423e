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


def local_upstox_folder() -> Path:
    """The local Upstox's folder, which is no desk's either."""
    return _user_data("tradedesk-local-upstox") / "books"


def local_groww_folder() -> Path:
    """The local Groww's folder, which is no desk's either."""
    return _user_data("tradedesk-local-groww") / "books"


def local_brokers_folder() -> Path:
    """The folder of all local brokers over one market, which is no desk's either."""
    return _user_data("tradedesk-local-brokers") / "books"


def _user_data(name: str) -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir(name, appauthor=False))


def books_address(home: Path) -> str:
    """The server that the books of a home stand on, as the settings name it; empty for its own file."""
    return _named(home, "database_url")


def shared_clients(home: Path) -> str:
    """Whom the settings of a home name of the clients that several desks share; empty where none do."""
    return _named(home, "desk_clients")


def _named(home: Path, setting: str) -> str:
    """What a setting says, though others may say what cannot be taken."""
    named = os.environ.get(f"TRADEDESK_{setting.upper()}", "")
    if named or not settings_file(home).exists():
        return named
    import tomllib

    try:
        given = tomllib.loads(settings_file(home).read_bytes().decode("utf-8-sig"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return ""  # whoever reads them whole says what is wrong
    return next((str(value) for key, value in given.items() if key.lower() == setting), "")


def has_books(home: Path) -> bool:
    """Whether a home has books, in a file of its own or on a server."""
    return books_file(home).exists() or bool(books_address(home))


def has_people(home: Path) -> bool:
    """Whether whoever acts in a home signs in."""
    if books_address(home):
        return _holds(home, "SELECT EXISTS (SELECT 1 FROM person WHERE disabled_at IS NULL)")
    from data.sign_in.at_rest import people_in

    return people_in(books_file(home))


def has_other_venues(home: Path) -> bool:
    """Whether the books of a home know a connection that is not the paper exchange's."""
    return _holds(home, "SELECT EXISTS (SELECT 1 FROM connection WHERE broker <> 'paper')")


def has_alert_channels(home: Path) -> bool:
    """Whether alerts leave this machine by channels, whose addresses are secrets."""
    return _holds(home, "SELECT EXISTS (SELECT 1 FROM alert_channel)")


def _holds(home: Path, query: str) -> bool:
    """What a look at the books says; False where there are none yet, or none that can be looked at."""
    if address := books_address(home):
        return _server_holds(address, query)
    from data.engines.at_rest import FileError, opened_to_look

    try:
        with opened_to_look(books_file(home)) as file:
            return bool(file.execute(query).fetchone()[0])
    except FileError:  # what the desk will say of them when it is opened
        return False


def _server_holds(address: str, query: str) -> bool:
    """The same of a server; True where it cannot be asked: a person is asked too much, not too little."""
    from sqlalchemy.exc import DBAPIError

    from data.engines.driver import fetch
    from tradedesk.compose.server import server_at

    try:
        return bool(server_at(address).read(lambda connection: fetch(connection, query))[0][0])
    except DBAPIError:
        return True


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
