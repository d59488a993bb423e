"""What is looked at around a halt: what it would meet, and what became of one that the books did not take."""

from datetime import datetime

from msgspec import Struct

from engine.halt.certificate import Certificate, CertificateUnread

NO_FILE = (
    "NOT HALTED: no file HALT could be written either, and an order may leave once the books can be written"
)
"""What a trader must know of a halt that neither the books nor a file took."""


class Exposure(Struct, frozen=True):
    """What a cancel-all would meet now; money in paise."""

    live: int
    unsent: int
    unknown: int
    clients: int
    blocked_paise: int

    @property
    def orders(self) -> int:
        """All orders that it would cancel."""
        return self.live + self.unsent + self.unknown


class Unwritten(Struct, frozen=True):
    """A halt that the store did not take: why, the orders in its scope, and the cancels brokers took.

    `unread` are the clients whose books could not be read meanwhile, `certificate` what the brokers' books
    showed of the cancels; it is `kept` in a file that the books take up as soon as they can be written.
    `no_file` is why the HALT file could not be written; empty where it stands, or none is wanted.
    """

    at: datetime
    by: str
    why: str
    orders: int
    taken: int
    unread: tuple[CertificateUnread, ...]
    certificate: Certificate
    kept: bool
    no_file: str = ""

    @property
    def words(self) -> str:
        """What the brokers did all the same, and what could be written nowhere."""
        codes = ", ".join(one.code for one in self.unread)
        left = f"; NOT READ, so what lives there is not known: {codes}" if codes else ""
        kept = "" if self.kept else "; its certificate could not be kept in a file either"
        file = f"; {NO_FILE} ({self.no_file})" if self.no_file else ""
        return f"the brokers took {self.taken} cancels all the same{left}{kept}{file}"
