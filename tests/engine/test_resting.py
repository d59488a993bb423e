"""GTTs in the list for tomorrow: what brokers told of them, and of whom nothing is known and why."""

from brokers.contract import BrokerError, BrokerRows, Conditional, ConditionalKind
from engine.words.day.closing import tomorrow_lines
from tests.desks import paper_desk
from tests.engine.test_consents import ready
from tests.signing import signing_desk

SALE = "SELL 10 TCS at 2,400.00 below 2,410.00"


async def test_what_rests_at_brokers_is_listed_by_name_or_why_it_is_not_known(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2", "C3") as (desk, broker):
        await ready(desk, 1, 2)
        (told,) = tomorrow_lines(await desk.close.tomorrow())
        assert told == "GTTs and alerts: not read yet, the look before a close reads them"
        assert tomorrow_lines(await desk.close.tomorrow(ask=True)) == [
            "GTTs not read of C1, C2: zerodha does not tell them here",
            "GTTs not read of C3: not signed in",
        ]

        async def conditionals(account):
            if account.user_id == "U2":
                raise BrokerError("Gateway timed out")
            sale = Conditional(
                ConditionalKind.GTT, "7", "SELL 10 TCS at 2,400.00 below 2,410.00", True, "NSE:TCS"
            )
            tells = Conditional(ConditionalKind.ALERT, "8", "tells of TCS above 2,600.00", False, "NSE:TCS")
            return BrokerRows((sale, tells))

        vars(broker).update(conditionals=conditionals, delete_conditional=conditionals)
        prospect = await desk.close.look()
        assert prospect.begins_at is not None
        found = await desk.close.tomorrow()
        assert found.gtts_at == desk.clock.now()
        assert tomorrow_lines(found) == [
            f"C1 keeps a GTT {SALE}",
            "GTTs not read of C2: Gateway timed out",
            "GTTs not read of C3: not signed in",
        ]


async def test_the_paper_exchange_keeps_none_and_nothing_is_said(tmp_path):
    async with paper_desk(tmp_path) as desk:
        assert tomorrow_lines(await desk.close.tomorrow(ask=True)) == []
