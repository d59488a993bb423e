"""A home whose file system takes nothing more, as seen by a program that may otherwise write everywhere."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def make_read_only(monkeypatch: pytest.MonkeyPatch, home: Path, *writable: str) -> None:
    """Have the system refuse every change in `home` but of the files named as `writable`.

    SQLite asks the system by itself: that it changed nothing is to be seen in the files.
    """

    def is_in(path: Path) -> bool:
        return path.is_relative_to(home) and path.name not in writable

    def refusing(real: Callable[..., Any], changes: Callable[..., bool]) -> Callable[..., Any]:
        def call(path: Path, *args: Any, **kwargs: Any) -> Any:
            if is_in(path) and changes(*args, **kwargs):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
            return real(path, *args, **kwargs)

        return call

    def always(*args: Any, **kwargs: Any) -> bool:
        return True

    def to_write(mode: str = "r", *args: Any, **kwargs: Any) -> bool:
        return any(sign in mode for sign in "wax+")

    for name in ("chmod", "touch", "unlink", "rename", "replace"):
        monkeypatch.setattr(Path, name, refusing(getattr(Path, name), always))
    monkeypatch.setattr(Path, "open", refusing(Path.open, to_write))
