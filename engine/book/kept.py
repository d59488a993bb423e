"""What is kept of a desk: its files, the projection of them, and who is told of a change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from data.home import halt_file
from data.proving.heads import HeadsFile
from data.secrets import Vault, closed_vault
from data.store import Store
from engine.between.line import DeskLine, NoLine
from engine.book.book import Book
from engine.events import Bus


@dataclass(frozen=True, slots=True)
class Kept:
    """The books of one home. What is written to `store` shows in `book`, and is then told on `bus`.

    `heads` keeps heads of the audit outside the database; `halt_file` is the file whose presence stops every
    send, checked last before each. `open_vault` opens the secrets of the home when they are first needed.
    `line` takes to other desks of the database what they should know soon.
    """

    home: Path
    store: Store
    book: Book
    bus: Bus
    heads: HeadsFile
    open_vault: Callable[[], Vault] = closed_vault
    line: DeskLine = field(default_factory=NoLine)
    halt_file: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "halt_file", halt_file(self.home))
