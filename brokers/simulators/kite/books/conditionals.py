"""GTTs and alerts of the local Kite: they are kept, listed and deleted, and never fire."""

import json
from itertools import count
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.kite.answers import bad_input
from brokers.simulators.serving.answers import Row, read_form
from brokers.simulators.serving.caller import Caller

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite


class Conditionals:
    """What rests at the broker by user: GTT rows by id, alert rows by uuid."""

    def __init__(self) -> None:
        self.gtts: dict[str, dict[int, Row]] = {}
        self.alerts: dict[str, dict[str, Row]] = {}
        self._numbers = count(1001)

    def add_gtt(self, user_id: str, kind: str, condition: Row, orders: list[Row]) -> int:
        """Keep an active GTT; returns its id."""
        number = next(self._numbers)
        row = {"id": number, "user_id": user_id, "type": kind, "status": "active"}
        self.gtts.setdefault(user_id, {})[number] = {**row, "condition": condition, "orders": orders}
        return number

    def add_alert(self, user_id: str, fields: Row) -> Row:
        """Keep an enabled alert; returns its row."""
        uuid = f"alert-{next(self._numbers)}"
        row: Row = {**fields, "uuid": uuid, "status": "enabled", "alert_count": 0}
        self.alerts.setdefault(user_id, {})[uuid] = row
        return row


async def gtts(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    """The user's GTTs."""
    return list(kite.conditionals.gtts.get(caller.user_id, {}).values())


async def place_gtt(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Take a GTT in."""
    form = read_form(await request.read())
    try:
        condition, orders = json.loads(form.get("condition", "")), json.loads(form.get("orders", ""))
    except ValueError:
        raise bad_input("Invalid `condition` or `orders`.") from None
    return {"trigger_id": kite.conditionals.add_gtt(caller.user_id, form.get("type", ""), condition, orders)}


async def delete_gtt(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Delete a GTT."""
    number = request.match_info["trigger_id"]
    mine = kite.conditionals.gtts.get(caller.user_id, {})
    if not number.isdigit() or mine.pop(int(number), None) is None:
        raise bad_input("Invalid `trigger_id`.")
    return {"trigger_id": int(number)}


async def alerts(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    """The user's alerts."""
    return list(kite.conditionals.alerts.get(caller.user_id, {}).values())


async def create_alert(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Take an alert in."""
    return kite.conditionals.add_alert(caller.user_id, dict(read_form(await request.read())))


async def delete_alerts(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Delete the alerts whose uuids the address names."""
    mine = kite.conditionals.alerts.get(caller.user_id, {})
    for uuid in request.query.getall("uuid", []):
        if mine.pop(uuid, None) is None:
            raise bad_input("Invalid `uuid`.")
    return None
