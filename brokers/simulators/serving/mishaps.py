"""The menu of mishaps: what may go wrong with a call or an order update, for whom, how often and how long."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from brokers.simulators.serving.answers import Row
from data.clock import Clock
from data.errors import BadInput

WRITES = frozenset({"place", "modify", "cancel"})
"""Routes that ask something of an order."""

SIGN_IN = "sign_in"
"""The route that exchanges a request token. Only a rule that names it strikes there, `*` does not."""

STREAM_UPDATE = "update"
"""Not a route: an order update on its way to the sockets."""

Menu = Mapping[str, frozenset[str]]
"""Every mishap with the routes that it may strike."""


def menu_of(reads: frozenset[str]) -> Menu:
    """The menu of a broker whose routes, beside writes and sign-in, are `reads`."""
    calls = WRITES | reads
    answers = calls | {SIGN_IN}
    place, dump = frozenset({"place"}), frozenset({"instruments"})
    update = frozenset({STREAM_UPDATE})
    return {
        "frozen": answers,  # held for `delay_s`, or to the end of its `seconds`, and then carried out
        "drop_connection": answers,  # done, and the connection closed without an answer
        "late_answer": answers,  # done, and answered after `delay_s`
        "timed_out_done": WRITES,  # done, and refused in words that do not know
        "unavailable": answers,  # 503, not done
        "unavailable_done": answers,  # 503, and done
        "gateway_timeout": answers,  # 504 as a page, not done
        "gateway_timeout_done": answers,  # 504 as a page, and done
        "server_error": answers,  # 500, not done
        "server_error_done": answers,  # 500, and done
        "bad_gateway": answers,  # 502 as a page, not done
        "bad_gateway_done": answers,  # 502 as a page, and done
        "rate_limited": answers,  # 429, not done
        "null_data": answers,  # done; the envelope holds nothing
        "no_content_type": answers,  # done; no content type
        "empty_order_id": place,  # done; the answer names no order
        "late_in_book": place,  # done; the order book shows it after `delay_s`
        "stuck": place,  # the order stays at its first status for `delay_s`
        "rms_reject": place,  # accepted, and rejected by the risk checks
        "partial_fill": place,  # half of its shares trade, rounded down, and the others after `delay_s`
        "exchange_cancel": place,  # accepted, and cancelled by the exchange after `delay_s`
        "unknown_status": place,  # the book shows a status that nobody has heard of for `delay_s`
        "not_modified": frozenset({"modify"}),  # accepted, and NOT MODIFIED in the book
        "cut_answer": dump,  # half of the file, and the connection closed
        "slow_answer": dump,  # the file in bits over `delay_s`
        "token_expired": calls,  # the session ends with this call
        "wrong_ip": WRITES,  # 403 naming the caller's address
        "lost_update": update,
        "duplicate_update": update,
        "reordered_update": update,  # sent after the one that follows it
    }


DELAY_S = 8.0
"""What `delay_s` is unless given: longer than the official client waits."""


@dataclass(slots=True)
class Mishap:
    """A rule of the menu, ended by `left` strikes or at `until` in clock seconds.

    `*` stands for every user, or for every route but the sign-in.
    """

    number: int
    user_id: str
    route: str
    fault: str
    share: float = 1.0
    left: int | None = None
    until: float | None = None
    delay_s: float = DELAY_S
    struck: int = 0

    def row(self) -> Row:
        """The rule as the control endpoint shows it."""
        return {
            "number": self.number,
            "user": self.user_id,
            "route": self.route,
            "fault": self.fault,
            "share": self.share,
            "count": self.left,
            "delay_s": self.delay_s,
            "struck": self.struck,
        }


class MishapRules:
    """The rules in force and the dice that draw them."""

    def __init__(self, menu: Menu, clock: Clock, dice: random.Random) -> None:
        self._menu = menu
        self._clock = clock
        self._dice = dice
        self._rules: list[Mishap] = []
        self._next = 1
        self._held: dict[str, Row] = {}

    def add(
        self,
        fault: str,
        *,
        user_id: str = "*",
        route: str = "*",
        share: float = 1.0,
        count: int | None = None,
        seconds: float | None = None,
        delay_s: float = DELAY_S,
    ) -> Mishap:
        """Put a rule in force for `count` strikes, for `seconds`, or until it is taken away.

        Raises `BadInput`.
        """
        routes = self._menu.get(fault)
        if routes is None:
            raise BadInput("fault", fault, f"known: {', '.join(self._menu)}")
        if route != "*" and route not in routes:
            raise BadInput("route", route, f"{fault} may strike {', '.join(sorted(routes))} or *")
        if not 0 < share <= 1:
            raise BadInput("share", share, "give a share above 0 and up to 1")
        if count is not None and count < 1:
            raise BadInput("count", count, "give a whole number from 1")
        for name, value in (("seconds", seconds), ("delay_s", delay_s)):
            if value is not None and not 0 <= value <= 86_400:
                raise BadInput(name, value, "give seconds from 0 to 86400")
        until = None if seconds is None else self._clock.monotonic() + seconds
        rule = Mishap(self._next, user_id, route, fault, share, count, until, delay_s)
        self._next += 1
        self._rules.append(rule)
        return rule

    def rules(self) -> list[Mishap]:
        """The rules in force."""
        now = self._clock.monotonic()
        self._rules = [
            rule for rule in self._rules if rule.left != 0 and (rule.until is None or now < rule.until)
        ]
        return self._rules

    def clear(self, user_id: str | None = None) -> None:
        """Take away all rules, or those of one user."""
        self._rules = [] if user_id is None else [rule for rule in self._rules if rule.user_id != user_id]

    def draw(self, user_id: str, route: str) -> Mishap | None:
        """What strikes this call, if anything; the first rule that strikes wins."""
        if not self._rules:
            return None
        for rule in self.rules():
            every = rule.route == "*" and route != SIGN_IN
            if rule.user_id not in ("*", user_id) or not (every or rule.route == route):
                continue
            if route not in self._menu[rule.fault] or (rule.share < 1 and self._dice.random() >= rule.share):
                continue
            rule.struck += 1
            if rule.left is not None:
                rule.left -= 1
            return rule
        return None

    def updates(self, user_id: str, row: Row) -> Collection[Row]:
        """The order updates that leave when `row` should: it, none, two, or it and one that was held back."""
        rule = self.draw(user_id, STREAM_UPDATE)
        fault = "" if rule is None else rule.fault
        if fault == "reordered_update" and user_id not in self._held:
            self._held[user_id] = row
            return []
        held = self._held.pop(user_id, None)
        after = [] if held is None else [held]
        if fault == "lost_update":
            return after
        return [row, row, *after] if fault == "duplicate_update" else [row, *after]
