"""Addresses of database files. A path goes into none by hand: `?`, `%` and `#` mean something there."""

from pathlib import Path

from sqlalchemy import URL, make_url


def sqlite_url(path: Path, driver: str = "sqlite") -> URL:
    """The address of a SQLite file, whatever its path is called."""
    return URL.create(driver, database=str(path))


def left_outside(path: Path) -> Path | None:
    """A database that versions which pasted paths into addresses would have put elsewhere than at `path`.

    None where they would have put it there, or none is there.
    """
    pasted = make_url(f"sqlite:///{path}").database
    other = Path(pasted) if pasted else path
    try:
        with other.open("rb") as file:
            return other if other != path and file.read(16).startswith(b"SQLite format 3") else None
    except (OSError, ValueError):
        return None
