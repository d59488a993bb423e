"""ZIP archives that somebody else made, and may have damaged."""

import zlib
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO
from lzma import LZMAError
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from data.errors import BadInput, TradedeskError

_DAMAGE = (
    *(BadZipFile, zlib.error, LZMAError, EOFError),
    *(KeyError, NotImplementedError, RuntimeError, ValueError),
)


class DamagedZip(TradedeskError):  # noqa: N818 - it is told as a word about the file
    """An archive is damaged, locked, or packed in a way that cannot be unpacked here."""


@contextmanager
def opened_zip(file: Path | BytesIO) -> Generator[ZipFile]:
    """An archive to be read: what ZIP and its compressions find wrong in it is `DamagedZip`, said in words.

    Raises `OSError` where the file cannot be read.
    """
    try:
        with ZipFile(file) as packed:
            yield packed
    except BadInput:
        raise
    except OSError as problem:
        if problem.errno is not None:
            raise
        raise DamagedZip(str(problem)) from problem  # BZIP2's word of a damaged stream
    except _DAMAGE as problem:
        raise DamagedZip(str(problem) or type(problem).__name__) from problem
