"""Every path of a desk's home: the folder with its books, its locks and what it leaves beside them.

Where the home itself is, is said by the composition root. Nothing here makes a file or a folder.
"""

from pathlib import Path

SECRETS = "secrets.enc"
"""The file of encrypted secrets, as the trader is told of it."""


def books_file(home: Path) -> Path:
    """The desk's database."""
    return home / "desk.db"


def paper_exchange_file(home: Path) -> Path:
    """The database of the home's own paper exchange."""
    return home / "paper.db"


def books_id_file(home: Path) -> Path:
    """By which books on a server know that they are this home's."""
    return home / "books.id"


def command_socket(home: Path) -> Path:
    """The socket on which an open app answers commands."""
    return home / "desk.sock"


def halt_file(home: Path) -> Path:
    """The file whose presence stops every send."""
    return home / "HALT"


def settings_file(home: Path) -> Path:
    """The trader's settings."""
    return home / "config.toml"


def column_maps_file(home: Path) -> Path:
    """Which column is what in trade files of other terminals, by kind of file."""
    return home / "trade-columns.json"


def calendar_file(home: Path) -> Path:
    """Late changes of the exchanges' calendar."""
    return home / "calendar.toml"


def calendar_years(home: Path) -> Path:
    """The folder of the years that were imported from an exchange's list, a file each."""
    return home / "calendar"


def calendar_files(home: Path) -> list[Path]:
    """All that is laid over the built-in calendar, in that order: years by name, then late changes."""
    changes = calendar_file(home)
    return [*sorted(calendar_years(home).glob("*.toml")), *([changes] if changes.exists() else [])]


def classes_file(home: Path) -> Path:
    """Lists of indices that the trader has imported, in place of the program's own or beside them."""
    return home / "classes.toml"


def history_file(home: Path) -> Path:
    """Lines typed at the command line, so that they can be had again."""
    return home / "history"


def list_in_view_file(home: Path) -> Path:
    """The name of the watchlist that the screen showed last."""
    return home / "list_in_view"


def secrets_file(home: Path) -> Path:
    """Api secrets and tokens, encrypted, where no keyring keeps them."""
    return home / SECRETS


LONGEST_TOKEN = 4096
"""Bytes of a token; longer ones are not looked into, nor is a session file of more than two of them."""


def open_to_others(home: Path) -> tuple[str, bool]:
    """What others than its owner may do in a home, with the remedy, and whether that is to write; or nothing.

    Who may write there may put other files in the place of the books, of the settings and of the HALT file.
    """
    mode = home.stat().st_mode & 0o777
    if not mode & 0o077:
        return "", False
    writes = bool(mode & 0o022)
    does = "change what lies in" if writes else "look into"
    return f"others on this machine may {does} {home} (mode {mode:04o}): chmod 700 {home}", writes


def session_file(home: Path) -> Path:
    """The token of who is signed in, and behind it what renews it, for the app and for commands."""
    return home / "session"


def spare_file(home: Path) -> Path:
    """A file that only takes up space, which cancel-all gives back on a full disk."""
    return home / "spare"


def equity_file(home: Path) -> Path:
    """The course of the clients' day, a line a minute; no book rests on it."""
    return home / "equity.jsonl"


def certificates_folder(home: Path) -> Path:
    """Copies of the certificates of halts, and those that the books did not take."""
    return home / "certificates"


def backups_folder(home: Path) -> Path:
    """Backups, where no other folder is named for them."""
    return home / "backups"


def recordings_folder(home: Path) -> Path:
    """The prices of days, a file a day, where they are recorded."""
    return home / "recordings"


def replays_folder(home: Path) -> Path:
    """The homes of replays of recorded days."""
    return home / "replays"


def exports_folder(home: Path) -> Path:
    """Files that the trader exports from screens."""
    return home / "exports"


def days_folder(home: Path) -> Path:
    """The reports of closed days, a folder a day."""
    return exports_folder(home) / "days"


def letterhead_file(home: Path) -> Path:
    """Whose paper reports are printed on."""
    return home / "letterhead.toml"


def themes_folder(home: Path) -> Path:
    """Themes of the trader's own."""
    return home / "themes"


def log_file(home: Path) -> Path:
    """The newest of the rotating logs."""
    return home / "logs" / "tradedesk.log"


def app_lock(home: Path) -> Path:
    """Held by the one app that is open on the home."""
    return _lock(home, "app")


def engine_lock(home: Path, instance_id: int) -> Path:
    """Held by the engine of this number while it lives."""
    return _lock(home, f"engine-{instance_id}")


def sign_in_lock(home: Path, client_id: int) -> Path:
    """Held while a client's sign-in is under way."""
    return _lock(home, f"sign-in-{client_id}")


def backup_lock(home: Path) -> Path:
    """Held while a backup of the home is made."""
    return _lock(home, "backup")


def schema_lock(home: Path) -> Path:
    """Held while the books are brought to a version's schema."""
    return _lock(home, "schema")


def _lock(home: Path, name: str) -> Path:
    return home / "locks" / f"{name}.lock"
