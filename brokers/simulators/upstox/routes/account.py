"""Signing in and out, who a user is, its money, its addresses and its kill switches."""

import json
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from brokers.simulators.serving.answers import Row, json_answer, read_form
from brokers.simulators.serving.caller import Caller
from brokers.simulators.upstox.answers import Fault, invalid
from brokers.simulators.upstox.books.money import funds_row, segment_rows
from brokers.simulators.upstox.books.shares import mtf_rows, position_rows
from brokers.simulators.upstox.forms import read_object
from brokers.simulators.upstox.kill_switches import SEGMENTS
from data.vocabulary import Product

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox


async def sign_in(upstox: "LocalUpstox", request: web.Request) -> object:
    """The exchange of a code, whose answer has no envelope."""
    form = read_form(await request.read())
    user_id, token = upstox.sessions.exchange(form, upstox.switches)
    told = _person(upstox, user_id) | {"access_token": token, "extended_token": None}
    return json_answer(200, told)


async def sign_out(upstox: "LocalUpstox", request: web.Request, _caller: Caller) -> object:
    """End the session that the call is made in."""
    return upstox.sessions.finish(request.headers["Authorization"].partition(" ")[2])


def _person(upstox: "LocalUpstox", user_id: str) -> Row:
    return {
        "email": f"{user_id.lower()}@example.invalid",
        "exchanges": ["NSE", "BSE"],
        "products": ["D", "I", "MTF"],
        "broker": "UPSTOX",
        "user_id": user_id,
        "user_name": user_id,
        "order_types": ["MARKET", "LIMIT", "SL", "SL-M"],
        "user_type": "individual",
        "poa": user_id not in upstox.switches.without_poa,
        "is_active": True,
    }


async def profile(upstox: "LocalUpstox", _request: web.Request, caller: Caller) -> object:
    """Who is signed in."""
    return _person(upstox, caller.user_id)


async def funds(upstox: "LocalUpstox", _request: web.Request, caller: Caller) -> object:
    """A client's money, version 3."""
    money, opening = await upstox.money(caller.user_id)
    payout = await upstox.venue.read(partial(upstox.exchange.held, caller.user_id))
    held = await upstox.venue.read(partial(upstox.exchange.holdings, caller.user_id))
    lent_on = sum(row.cost_paise for row in held if row.product is Product.MTF)
    own = max(0, lent_on - money.mtf_loan_paise)
    return funds_row(money, opening, payout, own, pledge_total=upstox.switches.pledge_total)


async def segment_funds(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """A client's money, version 2, of both segments or of one."""
    rows = segment_rows(*await upstox.money(caller.user_id))
    match request.query.get("segment"):
        case None:
            return rows
        case "SEC":
            return {"equity": rows["equity"]}
        case "COM":
            return {"commodity": rows["commodity"]}
        case other:
            raise invalid("segment", other)


# --- addresses ------------------------------------------------------------------------------------------


async def addresses(upstox: "LocalUpstox", _request: web.Request, caller: Caller) -> object:
    """The addresses that the user's orders may come from."""
    return _addresses(upstox, caller.user_id)


async def set_addresses(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Take other addresses, which ends every session of the user."""
    body = read_object(await request.read())
    given = [body.get(name) for name in ("primary_ip", "secondary_ip")]
    if not isinstance(given[0], str) or not given[0]:
        raise invalid("primary_ip", given[0])
    kept = [one for one in given if isinstance(one, str) and one]
    others = (known for user, known in upstox.switches.static_ips.items() if user != caller.user_id)
    if any(set(known) & set(kept) for known in others):
        raise invalid("primary_ip", given[0], "The IP is linked to another customer")
    upstox.switches.static_ips[caller.user_id] = kept
    upstox.address_times[caller.user_id] = upstox.venue.market.now().isoformat()
    upstox.sessions.end_user(caller.user_id)
    return _addresses(upstox, caller.user_id) | {"access_tokens_invalidated": True}


def _addresses(upstox: "LocalUpstox", user_id: str) -> Row:
    known = [*upstox.switches.static_ips.get(user_id, []), None, None][:2]
    at = upstox.address_times.get(user_id)
    return {
        "primary_ip": known[0],
        "secondary_ip": known[1],
        "primary_ip_updated_at": at if known[0] else None,
        "secondary_ip_updated_at": at if known[1] else None,
    }


# --- kill switches --------------------------------------------------------------------------------------


async def kill_switches(upstox: "LocalUpstox", _request: web.Request, caller: Caller) -> object:
    """Every segment with its switch."""
    return upstox.kill_switches.rows(caller.user_id)


async def set_kill_switches(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Switch segments, given as an array of `segment` and `action`, `ENABLE` or `DISABLE`."""
    wanted = [_switched(one) for one in _array(await request.read())]
    upstox.kill_switches.set(caller.user_id, wanted, await _busy(upstox, caller.user_id))
    return upstox.kill_switches.rows(caller.user_id)


def _array(body: bytes) -> list[object]:
    try:
        given: object = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, list) or not given:
        raise invalid("body", None, "The request body should be an array of segments")
    return cast("list[object]", given)


def _switched(one: object) -> tuple[str, bool]:
    row = cast("dict[str, Any]", one) if isinstance(one, dict) else {}
    segment, action = row.get("segment"), row.get("action")
    if segment not in SEGMENTS:
        raise invalid("segment", segment)
    if action not in ("ENABLE", "DISABLE"):
        raise invalid("action", action)
    return segment, action == "ENABLE"


async def _busy(upstox: "LocalUpstox", user_id: str) -> frozenset[str]:
    """Segments where the user has open orders or positions."""
    working = {one.request.exchange for one in upstox.journal.book(user_id) if not one.final}
    day = await upstox.priced_day(user_id)
    open_ = {row["exchange"] for row in (*position_rows(day), *mtf_rows(day)) if row["quantity"]}
    return frozenset(f"{exchange}_EQ" for exchange in working | open_)


async def not_found(_upstox: "LocalUpstox", request: web.Request) -> object:
    """The answer to an address that there is not."""
    raise Fault("UDAPI100060", f"Resource not found: {request.method} {request.path}", 404)
