"""Lines about files: a list of clients that is taken in, and tables that are written."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from data.clock import day_from_text
from data.errors import BadInput
from data.spreadsheets.named import named_file
from data.vocabulary import ExportKind, ExportWhat
from engine.colon.asked import AskedExport, AskedImport
from engine.colon.known import Known

ENDINGS = (".csv", ".txt", ".xlsx", ".xlsm", ".xls")
"""Endings of files that a list of clients is read from."""

EXPORT_FORM = f"[{'|'.join(ExportWhat)}] [{'|'.join(ExportKind)}]"


def import_from(words: Sequence[str], known: Known) -> AskedImport:
    """A list of clients. Raises `BadInput` for a file that is not there."""
    return AskedImport(file_from(words, ".xlsx or .csv"))


def file_from(words: Sequence[str], kinds: str = ".csv") -> Path:
    """The file that the words name. Raises `BadInput` for one that is not there."""
    if not words:
        raise BadInput("file", "", f"give a file: {kinds}; ~ is your home")
    path = named_file(Path(" ".join(words)))
    if path.is_dir():
        raise BadInput("file", str(path), "this is a folder: give a file in it")
    if not path.is_file():
        raise BadInput("file", str(path), f"there is no such file; this folder is {Path.cwd()}")
    return path


def day_from(word: str, field: str = "day") -> date:
    """A day. Raises `BadInput`."""
    return day_from_text(word, field)


def export_from(words: Sequence[str], known: Known) -> AskedExport:
    """What is written, and how. Raises `BadInput`."""
    what, kind = None, None
    for word in words:
        told = word.casefold()
        if told in list(ExportWhat) and what is None:
            what = ExportWhat(told)
        elif told in list(ExportKind) and kind is None:
            kind = ExportKind(told)
        else:
            raise BadInput("word", word, f"give {EXPORT_FORM}")
    return AskedExport(what, kind or ExportKind.CSV)


def files_at(begun: str) -> Iterator[str]:
    """Folders, and files that a list may be read from, whose names begin as the last part of `begun` does."""
    folder, _, name = begun.rpartition("/")
    try:
        there = named_file(Path(f"{folder}/" if folder or begun.startswith("/") else "."))
        entries = sorted(there.iterdir(), key=lambda one: one.name.casefold())
    except (OSError, BadInput):
        return
    for entry in entries:
        hidden = entry.name.startswith(".") and not name.startswith(".")
        if hidden or not entry.name.casefold().startswith(name.casefold()):
            continue
        told = f"{folder}/{entry.name}" if folder or begun.startswith("/") else entry.name
        if entry.is_dir():
            yield f"{told}/"
        elif entry.suffix.lower() in ENDINGS:
            yield told
