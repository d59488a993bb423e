"""Who trades what in these runs: clients with money and shares, and a market that partly stands still.

Everything is a function of how many clients there are, so that a desk and its broker begin alike.
"""

from dataclasses import dataclass
from functools import cache

from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from data.ledger import Line, ShareLine, Transfer, post
from data.money import tick_down
from data.reference.instruments import Instrument
from data.reference.seed import universe
from data.store import Unit
from data.tables.lots import LotRecord
from data.vocabulary import Account, Bucket, ClientStatus, Product, TransferKind
from engine.accounts.client_file import BROKERS, NewClient
from engine.desk import Desk
from tradedesk.testing import seam

PINNED = ("RELIANCE", "TCS", "INFY", "SBIN")
"""Symbols whose price is moved by hand: what crosses it trades at once and whole."""

WALKING = ("HDFCBANK", "ICICIBANK", "ITC", "TITAN")
"""Symbols whose price walks and whose depth ends: orders trade in parts, and rest."""

SYMBOLS = PINNED + WALKING


@cache
def stocks() -> dict[str, Instrument]:
    """The instruments traded here, by symbol."""
    return {
        row.instrument.tradingsymbol: row.instrument
        for row in universe()
        if row.instrument.tradingsymbol in SYMBOLS and row.instrument.exchange == "NSE"
    }


def opening_price(symbol: str) -> int:
    """What a symbol begins at, in paise: its previous close on the tick."""
    instrument = stocks()[symbol]
    return tick_down(instrument.prev_close_paise, instrument.tick_paise)


@dataclass(frozen=True, slots=True)
class Held:
    """Settled shares that a client begins with; the cost of all of them in paise."""

    code: str
    instrument: Instrument
    quantity: int
    cost_paise: int


def roster(count: int) -> list[NewClient]:
    """`count` clients of all brokers: cash, every third with a limit for MTF."""
    return [
        NewClient(
            code=f"CH{number:04}",
            name=f"Client {number}",
            broker=BROKERS[number % len(BROKERS)],
            broker_user_id=f"U{number:04}",
            status=ClientStatus.ACTIVE,
            capital_paise=20_00_000_00 + number * 1_00_000,
            available_paise=20_00_000_00 + number * 1_00_000,
            mtf_limit_paise=10_00_000_00 if number % 3 == 0 else 0,
            groups=("North",) if number % 2 else ("South",),
        )
        for number in range(1, count + 1)
    ]


def held(count: int) -> list[Held]:
    """Shares of three symbols for every client."""
    found: list[Held] = []
    for number, client in enumerate(roster(count), 1):
        for step in range(3):
            instrument = stocks()[SYMBOLS[(number + 3 * step) % len(SYMBOLS)]]
            quantity = 40 + (number * 7 + step * 11) % 60
            found.append(Held(client.code, instrument, quantity, quantity * instrument.prev_close_paise))
    return found


def openings(count: int) -> tuple[list[AccountOpening], list[HoldingOpening]]:
    """The same clients as the exchange opens them."""
    accounts = [
        AccountOpening(
            client.code, client.available_paise, client.mtf_limit_paise, client.hold_paise, client.broker
        )
        for client in roster(count)
    ]
    shares = [
        HoldingOpening(one.code, one.instrument.key, one.quantity, one.cost_paise) for one in held(count)
    ]
    return accounts, shares


async def move_in(desk: Desk, count: int) -> None:
    """Lay market, clients and their shares into an empty home."""
    await desk.market.store_instruments([row.instrument for row in universe()], "test")
    await desk.clients.add(roster(count))
    by_code = {client.code: client.id for client in desk.clients.all()}
    day = desk.market_clock.trading_day

    def unit_of_work(unit: Unit) -> None:
        transfers: list[Transfer] = []
        lots: list[dict[str, object]] = []
        shares = held(count)
        for lot_id, one in zip(unit.take_ids("lot", len(shares)), shares, strict=True):
            security, product = one.instrument.security, Product.CNC.value
            client_id = by_code[one.code]
            transfers.append(
                Transfer(
                    client_id,
                    TransferKind.OPENING,
                    day,
                    [
                        Line(Account.STOCK_COST, one.cost_paise, security=security),
                        Line(Account.EXTERNAL, -one.cost_paise),
                    ],
                    [
                        ShareLine(
                            security,
                            product,
                            Bucket.FREE,
                            one.quantity,
                            one.instrument.exchange,
                            one.instrument.tradingsymbol,
                        ),
                        ShareLine(security, product, Bucket.OUTSIDE, -one.quantity),
                    ],
                    evidence="import",
                )
            )
            lots.append(
                {
                    "id": lot_id,
                    "client_id": client_id,
                    "security": security,
                    "product": product,
                    "bucket": Bucket.FREE.value,
                    "opened_on": day.replace(day=2),
                    "quantity": one.quantity,
                    "cost_paise": one.cost_paise,
                    "loan_paise": 0,
                    "charges_paise": 0,
                    "quantity_left": one.quantity,
                    "cost_left_paise": one.cost_paise,
                    "loan_left_paise": 0,
                    "charges_left_paise": 0,
                    "fill_id": None,
                }
            )
        post(unit, transfers)
        unit.insert(LotRecord, lots)
        unit.touched.everything = True

    await seam(desk).store.write(unit_of_work)
