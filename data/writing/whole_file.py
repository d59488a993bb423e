"""Putting a file of the home in place of another, whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def put_whole(path: Path, content: str | bytes) -> None:
    """Put a file in place of another, whole or not at all; its owner alone may read it. Raises `OSError`."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(name, path.stat().st_mode & 0o777)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
