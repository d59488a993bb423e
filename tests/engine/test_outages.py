"""An outage is one line a client in the log, however often its books are read meanwhile."""

import logging

from brokers.contract import BrokerError
from tests.desks import Wire, paper_desk

ROHAN, OTHER = 8, 9


async def test_an_outage_is_told_once_a_client(tmp_path, caplog):
    caplog.set_level(logging.INFO)

    def lines() -> list[str]:
        return [one.getMessage() for one in caplog.records if one.getMessage().startswith("the books")]

    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        away = {desk.clients.get(client_id).code for client_id in (ROHAN, OTHER)}

        async def read(account):
            if account.user_id in away:
                raise BrokerError("Kite does not answer.")

        wire.on_read = read
        for _ in range(5):
            for client_id in (ROHAN, OTHER):
                assert not await desk.reconcile.check(client_id)
        assert len(lines()) == 2, lines()
        away.clear()
        assert await desk.reconcile.check(ROHAN)
        away.add(desk.clients.get(ROHAN).code)
        for _ in range(3):
            assert not await desk.reconcile.check(ROHAN)
        assert len(lines()) == 3, lines()
