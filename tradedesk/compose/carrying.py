"""What carries alerts out of this machine: the library apprise, loaded when the first one leaves."""

import logging
import re
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from data.errors import BadInput
from engine.alerts.outbox import NotDelivered

MISSING = "apprise is not installed: `pip install tradedesk-workstation[alerts]`"

SHORTEST_WAIT_S, LONGEST_WAIT_S = 5, 3600
"""Seconds that a service is waited for which takes no more, whatever it asks for."""

_STATUS = re.compile(r"\berror[=: ]+(\d{3})\b")
_RETRY_AFTER = re.compile(r"retry[_ -]?after\W{1,4}(\d{1,6})", re.IGNORECASE)
_MEANT: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: ": is the chat or address right?",
    HTTPStatus.UNAUTHORIZED: ": is its key or token right?",
    HTTPStatus.FORBIDDEN: ": it may not write there",
    HTTPStatus.NOT_FOUND: ": is its key, token or way right?",
}


class AppriseCarrier:
    """Sends by any address that apprise knows: Telegram, mail, webhooks and more.

    An address holds secrets, so that nothing of it stands in a word or in the log. apprise logs addresses and
    answers itself, so that its log is silent here.
    """

    def check(self, address: str) -> None:
        """Whether apprise knows such an address. Raises `BadInput`."""
        try:
            kept = _apprise().Apprise.instantiate(address, suppress_exceptions=True)
        except NotDelivered as problem:
            raise BadInput("channel", "(hidden)", str(problem)) from None
        if kept is None:
            expected = "give an address as apprise takes it, such as tgram://TOKEN/CHAT or jsons://HOST/WAY"
            raise BadInput("address", "(hidden)", expected)

    def send(self, address: str, title: str, body: str, urgent: bool) -> None:
        """Send one message and wait until it is taken. Raises `NotDelivered`."""
        library = _apprise()
        sender = library.Apprise()
        if not sender.add(address):
            raise NotDelivered("apprise does not know such an address: add the channel again")
        kind = library.NotifyType.WARNING if urgent else library.NotifyType.INFO
        done = sender.notify(
            body=body,
            title=title,
            notify_type=kind,
            body_format=library.NotifyFormat.TEXT,
            log_level=logging.DEBUG,
        )
        if not done:
            raise _problem([(one.level, str(one.message)) for one in done.logs()])


def _problem(told: Iterable[tuple[str, str]]) -> NotDelivered:
    """Why a service did not take it, of what was logged of the send: its status, and the wait it asks for."""
    status = wait_s = 0
    for level, said in told:
        if level != "DEBUG" and (found := _STATUS.search(said)) is not None:
            status = int(found[1])
        if said.startswith("Response Details") and (found := _RETRY_AFTER.search(said)) is not None:
            wait_s = int(found[1])
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait_s = min(max(wait_s, SHORTEST_WAIT_S), LONGEST_WAIT_S)
        return NotDelivered(f"the service takes no more for {wait_s} s: too many messages", wait_s)
    if not status:
        return NotDelivered("the service cannot be reached, or did not take it")
    try:
        named = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        named = str(status)
    return NotDelivered(f"the service refused it ({named}){_MEANT.get(status, '')}")


@cache
def _apprise() -> Any:
    """The library. Raises `NotDelivered` where it is not installed."""
    try:
        import apprise
    except ImportError:
        raise NotDelivered(MISSING) from None
    log = logging.getLogger("apprise")
    log.propagate = False
    log.addHandler(logging.NullHandler())
    log.setLevel(logging.DEBUG)
    return apprise
