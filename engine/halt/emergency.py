"""A cancel-all whose halt the books did not take: what brokers showed of it, kept in a file until they do."""

import contextlib
import json
import logging
import os
from collections import Counter, defaultdict
from pathlib import Path

from brokers.connections import Connections
from brokers.contract import BrokerOrder, BrokerStatus
from data.errors import BadInput
from data.home import certificates_folder
from data.records import replace
from data.vocabulary import OrderState
from engine.book.book import Book
from engine.book.halt_scope import HaltView
from engine.book.views import OrderView
from engine.halt.broker_books import BrokerBooks
from engine.halt.certificate import NOT_ENDED, Certificate, CertificateLine, CertificateOrder, OrderResult
from engine.halt.checked import check_certificate
from engine.halt.conditionals import look_at_conditionals
from engine.halt.round import Round
from engine.halt.sweep import Sent, cancel_times, lost_order, named
from engine.rules import Rules
from engine.timing import Timing

log = logging.getLogger(__name__)

LEFT = "unbooked-*.json"
"""The files of certificates that the books have not taken, in the home's `certificates` folder."""

UNREADABLE = "unreadable-*"
"""Such files as held no certificate."""

_ENDS = {
    BrokerStatus.COMPLETE: OrderResult.FILLED,
    BrokerStatus.CANCELLED: OrderResult.CANCELLED,
    BrokerStatus.REJECTED: OrderResult.REJECTED,
    BrokerStatus.EXPIRED: OrderResult.EXPIRED,
}


async def certify_from_books(
    timing: Timing, connections: Connections, rules: Rules, reading: Round, why: str
) -> Certificate:
    """Read the brokers' books back after `BrokerBooks.cancel_all`, then GTTs and alerts, and certify.

    `why` is what kept the halt out of the books; no money is freed before they take it.
    """
    reach, books = reading.reach, reading.books
    book, halt = reach.book, reach.halt
    await books.read_back()
    conditionals = await look_at_conditionals(book, timing, connections, rules, reach.clients)
    by_client: dict[int, list[CertificateOrder]] = defaultdict(list)
    lost = [lost_order(order_id) for order_id in books.orders if order_id not in book.orders]
    found = [book.orders[order_id] for order_id in books.orders if order_id in book.orders]
    for order in found:
        by_client[order.client_id].append(_entry(order, books))
    entries = [*lost, *(entry for rows in by_client.values() for entry in rows)]
    results = Counter(entry.result for entry in entries)
    unread = books.unread()
    lines = [_line(book, client_id, rows, halt, books.sent) for client_id, rows in by_client.items()]
    first, last = cancel_times([entry.order_id for entry in entries], halt, books.sent)
    blocked = sum(order.blocked_paise for order in found)
    made = Certificate(
        number=halt.number,
        scope=halt.scope,
        value=halt.value,
        by=halt.by,
        at=halt.at,
        last_read_at=timing.wall.now(),
        ended=books.are_quiet() and not any(results[word] for word in NOT_ENDED),
        cancelled=results[OrderResult.CANCELLED],
        filled_meanwhile=results[OrderResult.FILLED],
        refused=0,
        unknown=sum(results[word] for word in NOT_ENDED),
        unreachable=len(unread),
        unsent_freed=0,
        released_paise=0,
        blocked_before_paise=blocked,
        still_blocked_paise=blocked,
        lines=tuple(sorted(lines, key=lambda line: line.code)),
        orders=tuple(entries),
        external=books.external(),
        first_cancel_s=first,
        last_cancel_s=last,
        clients=len(reach.clients),
        tried=results[OrderResult.TRIED],
        unread=unread,
        not_signed_in=reach.not_signed_in,
        unread_rows=books.unread_rows(),
        passed_over=books.passed_over(),
        unbooked=why,
        strength=halt.strength,
    )
    return conditionals.over(made, book)


def _entry(order: OrderView, books: BrokerBooks) -> CertificateOrder:
    theirs = books.in_book(order)
    filled = order.filled_quantity if theirs is None else theirs.filled_quantity
    return CertificateOrder(
        order.id,
        order.client_id,
        order.key,
        order.side.value,
        order.quantity,
        filled,
        _result(order, theirs, books),
        0,
    )


def _result(order: OrderView, theirs: BrokerOrder | None, books: BrokerBooks) -> OrderResult:
    if order.state is OrderState.RESERVED:
        return OrderResult.UNSENT
    if theirs is None:
        return OrderResult.TRIED if order.id in books.tried else OrderResult.UNKNOWN
    return _ENDS.get(theirs.status) or (OrderResult.TRIED if order.id in books.tried else OrderResult.LIVE)


def _line(
    book: Book, client_id: int, entries: list[CertificateOrder], halt: HaltView, sent: Sent
) -> CertificateLine:
    code, name = named(book, client_id)
    results = Counter(entry.result for entry in entries)
    funds = book.funds.get(client_id)
    available = 0 if funds is None else funds.available_paise
    first, last = cancel_times([entry.order_id for entry in entries], halt, sent)
    unsent = f"{results[OrderResult.UNSENT]} unsent keep their money until the books take the halt"
    return CertificateLine(
        client_id=client_id,
        code=code,
        name=name,
        cancelled=results[OrderResult.CANCELLED],
        filled=results[OrderResult.FILLED],
        refused=0,
        unknown=sum(results[word] for word in NOT_ENDED),
        released_paise=0,
        available_before_paise=available,
        available_now_paise=available,
        note=unsent if results[OrderResult.UNSENT] else "",
        first_cancel_s=first,
        last_cancel_s=last,
        tried=results[OrderResult.TRIED],
    )


# --- the file -----------------------------------------------------------------------------------------------


def leave_certificate(home: Path, made: Certificate) -> Path | None:
    """Keep a certificate that the books did not take in a synced file; None where that cannot be written."""
    folder = certificates_folder(home)
    path = folder / f"unbooked-{made.at:%Y%m%dT%H%M%S%f}-{os.getpid()}.json"
    part = path.with_suffix(".part")
    try:
        folder.mkdir(exist_ok=True, mode=0o700)
        with part.open("w", encoding="utf-8") as file:
            json.dump(made.to_json(), file, indent=2, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync(folder)
    except OSError as problem:
        log.error("the certificate could not be kept in a file: %s", problem)
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        return None
    return path


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def left_certificates(home: Path) -> list[Path]:
    """The files of certificates that the books have not taken, oldest first."""
    return sorted(certificates_folder(home).glob(LEFT))


def read_certificate(path: Path) -> Certificate | None:
    """A certificate from its file; None where that is gone: another process has just taken it up.

    Raises `OSError` where it cannot be read now, and anything else where it holds no certificate.
    """
    if path.exists() and not path.is_file():
        raise BadInput("certificate", path.name, "give a file")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    made = Certificate.from_json(json.loads(text))
    check_certificate(made)
    return made


def set_aside(path: Path) -> str:
    """Rename a file that holds no certificate, so that it is read once; returns what it is now named."""
    aside = path.with_name(path.name.replace("unbooked-", UNREADABLE.removesuffix("*")))
    try:
        path.replace(aside)
    except OSError as problem:
        log.error("%s cannot be renamed: %s", path, problem)
        return path.name
    return aside.name


def set_aside_before(home: Path) -> list[str]:
    """The names of files that held no certificate, for the trader to look at and remove."""
    return sorted(path.name for path in certificates_folder(home).glob(UNREADABLE))


def as_booked(made: Certificate, number: int) -> Certificate:
    """The same certificate under the number that its halt has in the books."""
    return replace(made, number=number)
