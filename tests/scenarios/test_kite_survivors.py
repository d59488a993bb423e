"""What a cancel-all leaves alive at a local Kite is named; GTTs and alerts go where the trader wants it."""

from pathlib import Path

import pytest

from brokers.simulators.serving.orders.laid_rows import LaidRow
from data.clock import IST
from data.home import certificates_folder
from data.vocabulary import SizingKind
from engine.halt.certificate import Certificate
from engine.words.certificates import survivor_words
from tests.desks import buy
from tests.scenarios.kite_morning import Morning, Person, kite_morning

ONE, TWO = PEOPLE = [Person(1), Person(2)]
FUTURE = {
    "order_id": "77",
    "exchange": "NFO",
    "product": "NRML",
    "variety": "regular",
    "status": "OPEN",
    "tradingsymbol": "INFY26NOVFUT",
    "transaction_type": "SELL",
    "quantity": 400,
}


def lay(morning: Morning) -> None:
    """A future's order, a GTT, an alert that places orders and one that does not, all of the first client."""
    morning.kite.laid_rows.lay(LaidRow(ONE.user_id, "orders", FUTURE))
    condition = {"exchange": "NSE", "tradingsymbol": "TCS", "trigger_values": [2400.0], "last_price": 2500.0}
    order = {
        "transaction_type": "BUY",
        "quantity": 10,
        "product": "CNC",
        "order_type": "LIMIT",
        "price": 2401,
    }
    resting = morning.kite.conditionals
    resting.add_gtt(ONE.user_id, "single", condition, [order])
    alert = {"lhs_tradingsymbol": "TCS", "operator": "<=", "rhs_type": "constant", "rhs_constant": "2300"}
    resting.add_alert(ONE.user_id, {"name": "buy it", "type": "ato", **alert})
    resting.add_alert(ONE.user_id, {"name": "tell me", "type": "simple", **alert})


@pytest.mark.parametrize("deletes", [False, True])
async def test_what_survives_a_halt_is_named_and_conditionals_go_where_wanted(
    tmp_path: Path, deletes: bool
) -> None:
    async with kite_morning(tmp_path, PEOPLE, halt_deletes_conditionals=deletes) as morning:
        desk = morning.desk
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
        lay(morning)
        firing = desk.halt.fire_now("tester")
        await morning.until(firing.done)
        made = await firing
        assert made.ended
        (other,) = made.passed_over
        assert (other.code, other.what, other.side, other.quantity) == (ONE.code, "NFO NRML", "SELL", 400)
        told = {(one.kind, one.what): one.result for one in made.conditionals}
        placing = "deleted" if deletes else "active"
        assert told == {
            ("gtt", "TCS when it reaches 2400.0: BUY 10 CNC at 2401"): placing,
            ("alert", "buy it: TCS <= 2300"): placing,
            ("alert", "tell me: TCS <= 2300"): "active",
        }
        assert len(morning.kite.conditionals.gtts[ONE.user_id]) == (0 if deletes else 1)
        assert len(morning.kite.conditionals.alerts[ONE.user_id]) == (1 if deletes else 2)


async def test_conditionals_that_cannot_be_read_are_named_and_no_obstacle(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: all(morning.desk.reconcile.is_compared(one.number) for one in PEOPLE))
        morning.kite.mishaps.add("unavailable", user_id=TWO.user_id, route="gtt")
        firing = morning.desk.halt.fire_now("tester")
        await morning.until(firing.done)
        made = await firing
        assert (made.ended, made.conditionals_unread) == (True, (TWO.code,))
        assert made.conditionals_at is not None
        assert words_of(made) == f"GTTs and alerts NOT READ, looked for at 09:15: {TWO.code}"
        morning.kite.mishaps.clear()
        await morning.until(lambda: not told(morning, made.number).conditionals_unread, 1.0)
        assert (
            words_of(told(morning, made.number)) == "no GTTs and alerts at the brokers, looked for at 09:15"
        )


def told(morning: Morning, number: int) -> Certificate:
    """What a halt's certificate says now."""
    made = morning.desk.halt.certificate(number)
    assert made is not None
    return made


def words_of(made: Certificate) -> str:
    return " ".join(survivor_words(made, lambda at: f"{at.astimezone(IST):%H:%M}"))


async def test_a_certificate_is_kept_before_slow_conditionals_are_read(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
        morning.exchange.pin("ITC", 284_00)
        await morning.priced("NSE:ITC")
        await morning.send(buy("ITC", SizingKind.FIXED_QUANTITY, 1, limit_paise=280_00))
        morning.kite.mishaps.add("frozen", route="gtt", seconds=60)
        firing = desk.halt.fire_now("tester")

        def kept() -> list[str]:
            return [path.name for path in certificates_folder(tmp_path).glob("*.json")]

        await morning.until(kept)
        assert not firing.done()
        (number,) = [halt.number for halt in desk.halt.active()]
        made = told(morning, number)
        assert (made.ended, made.cancelled, made.conditionals_at) == (True, 2, None)
        assert words_of(made) == f"GTTs and alerts NOT READ, they are being read: {ONE.code}, {TWO.code}"
        await morning.until(firing.done, 1.0)
        assert (await firing).conditionals_unread == (ONE.code, TWO.code)
        await morning.until(lambda: not told(morning, number).conditionals_unread, 1.0)
