"""The private key of the signing service: a file that its user alone may read."""

import asyncio
import os
import stat
from pathlib import Path

from data.errors import BadInput
from data.writing.whole_file import put_whole

LONGEST_KEY = 200
"""Bytes of the file that are looked at."""


class KeyFile:
    """Keeps the key in a file, which is read anew for each use: another process may have rotated it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def get(self) -> str | None:
        """The key; None where there is no file. Raises `BadInput` for one that others may read or write."""
        return await asyncio.to_thread(self._read)

    async def put(self, private: str) -> None:
        """Keep another one in its place. Raises `BadInput` where it cannot be written."""
        try:
            await asyncio.to_thread(put_whole, self._path, f"{private}\n")
        except OSError as problem:
            raise BadInput("auth_key_file", str(self._path), f"it cannot be written: {problem}") from problem

    def _read(self) -> str | None:
        try:
            opened = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise BadInput("auth_key_file", str(self._path), f"it cannot be read: {problem}") from problem
        with open(opened, encoding="ascii", errors="replace") as file:
            found = os.fstat(opened)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
                expected = "give a file of the service's own user, with mode 0600"
                raise BadInput("auth_key_file", str(self._path), expected)
            return file.read(LONGEST_KEY).strip()
