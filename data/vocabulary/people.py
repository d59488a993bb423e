"""Words of people: who may do what at a desk that is not one trader's alone."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is to a desk; `engine.people.rights` says what each may do."""

    ADMIN = "admin"
    """Sets the desk up, says who the others are, and does all that a trader does."""
    TRADER = "trader"
    ASSISTANT = "assistant"
    """Prepares what a trader sends, and may stop everything."""
    AUDITOR = "auditor"
    """Reads all and changes nothing."""
    CLIENT = "client"
    """Reads one account, their own."""


class Right(StrEnum):
    """A kind of thing that is done at a desk, which a role may do or not."""

    LOOK = "look"
    """See the market: prices, symbols, charts, phases, halts that stand."""
    READ_CLIENTS = "read_clients"
    """See clients with their money, holdings, orders and runs, within one's scope."""
    READ_AUDIT = "read_audit"
    """See the audit, the log of commands and what the doctor finds."""
    KEEP_LISTS = "keep_lists"
    """Keep watchlists, baskets and presets."""
    PLAN = "plan"
    """Preview and freeze plans, and look at what would be sent."""
    SIGN_CLIENTS_IN = "sign_clients_in"
    """Sign clients in at their brokers, and have books compared."""
    SEND = "send"
    """Start and resume runs, place and modify orders, convert positions."""
    CANCEL = "cancel"
    """Cancel orders; pause and stop runs, chases and flattens."""
    FLATTEN = "flatten"
    """Take positions flat."""
    HALT = "halt"
    """Cancel all and halt; it is never refused for anybody's scope."""
    RESUME = "resume"
    """End a halt."""
    APPROVE = "approve"
    """Confirm somebody else's plan above the limit that asks for it."""
    SETTLE = "settle"
    """Say what became of an order in doubt; adopt the broker's figures."""
    CLIENTS = "clients"
    """Add and change clients and their routes; let an item of their gate pass."""
    SET_UP = "set_up"
    """Set the desk up: settings, connections, instruments, secrets; accept what the audit finds wrong."""
    PEOPLE = "people"
    """Add people; change their roles, scopes and passwords; set the limit of confirmation."""
