"""Where a key, a line of the command line or another screen can lead."""

from enum import StrEnum


class WorkspaceName(StrEnum):
    """The workspaces by name, which is also the name of their mode in the app."""

    DESK = "desk"
    BULK = "bulk"
    ORDERS = "orders"
    POSITIONS = "positions"
    MATRIX = "matrix"
    REBALANCE = "rebalance"
    CLIENTS = "clients"
    DAY = "day"
    AUDIT = "audit"


class View(StrEnum):
    """What a workspace can turn to: the orders shown, the depth beside the clients, the sign-in."""

    ALL = "all"
    LIVE = "live"
    NEEDS_ME = "needs-me"
    TRADES = "trades"
    ELSEWHERE = "elsewhere"
    DEPTH = "depth"
    SIGN_IN = "sign-in"
