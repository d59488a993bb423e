"""Where the typed core is stored: one repository of each kind, in the core's own classes."""

from data.repositories.accounts.balances import Balances
from data.repositories.trading.fills import ClosedLots, Fills, Lots
from data.repositories.trading.orders import Attempts, OrderRows
from data.repositories.trading.requests import Requests
from engine.booking.fills import Fill, Purse
from engine.booking.lots import ClosedLot, Lot
from engine.booking.order import WorkingOrder
from engine.booking.requests import Attempt, Request

ORDERS = OrderRows(WorkingOrder)
ATTEMPTS = Attempts(Attempt)
REQUESTS = Requests(Request)
FILLS = Fills(Fill)
LOTS = Lots(Lot)
CLOSED_LOTS = ClosedLots(ClosedLot)
BALANCES = Balances(Purse)
