"""The paper exchange beside its desk: whoever and whatever is known to the desk is known there too."""

import logging
from collections.abc import Mapping
from datetime import date

from brokers.contract import BrokerError
from brokers.life import Host, Life
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from data.engines.at_rest import FileError
from data.store import StoreError

log = logging.getLogger(__name__)


class PaperLife(Life):
    """Opens accounts and renames listings as the desk does.

    With a `trouble` the home's own exchange could not be opened; then `exchange` is an empty one in memory,
    which knows no account and no order, and nothing is opened there.
    """

    def __init__(self, exchange: PaperExchange, trouble: str = "") -> None:
        self.exchange = exchange
        self.trouble = trouble

    def attach(self, host: Host) -> None:
        """Learn which desk it is part of."""
        self._host = host

    async def opened(self) -> None:
        """Open paper accounts for clients that have none. Raises what the exchange or the store raises.

        A command goes on all the same: a halt must be written even when the exchange cannot be.
        """
        if self.trouble:
            return
        try:
            self._open_accounts()
            self.instruments_renamed()
        except (BrokerError, FileError, StoreError) as problem:
            if not self._host.bears_trouble:
                raise
            log.error("the paper exchange cannot be written: %s", problem)

    def clients_changed(self) -> None:
        """Give every client a paper account."""
        if not self.trouble:
            self._open_accounts()

    def trading_day(self) -> date | None:
        """The exchange's own day; none of one that could not be opened."""
        return None if self.trouble else self.exchange.trading_day

    def instruments_renamed(self) -> None:
        """Have the exchange call every security what the books call it."""
        if not self.trouble:
            self.exchange.rename(self._host.renames())

    def margins_told(self, margins: Mapping[str, int | None]) -> None:
        """Have the exchange ask for what the broker's list says."""
        if not self.trouble:
            self.exchange.set_margins(margins)

    def _open_accounts(self) -> None:
        self.exchange.open_accounts(
            (
                AccountOpening(one.code, one.available_paise, one.mtf_limit_paise, one.held_paise, one.broker)
                for one in self._host.guests()
            ),
            self._shares_of,
        )

    def _shares_of(self, code: str) -> list[HoldingOpening]:
        return [
            HoldingOpening(
                code, lot.key, lot.quantity, lot.cost_paise, lot.product, lot.loan_paise, lot.bought_on
            )
            for lot in self._host.lots(code)
        ]

    def close(self) -> None:
        """Close the exchange."""
        self.exchange.close()
