"""What is looked at before a desk trades: the file as SQLite sees it, and the end of the audit chain."""

from sqlalchemy.exc import DBAPIError

from engine.parts import Parts
from engine.trail import Trail


async def boot_problem(parts: Parts) -> str:
    """Why these books are not to be traded on, in words for the trader; empty if nothing speaks against it.

    The store must be open. It is quick, for each opening of a desk; `tradedesk doctor` looks at everything.
    """
    damage = await parts.store.quick_check()
    if damage:
        return f"desk.db is damaged ({damage}): put a copy back; `tradedesk doctor` says what can be read"
    try:
        report = await Trail(parts).verify_tail()
    except DBAPIError as problem:
        return f"the audit in desk.db cannot be read ({problem.orig}); `tradedesk doctor` says more"
    if not report.ok:
        return (
            f"the audit does not verify: {report.message}, so desk.db was changed by something other than "
            f"tradedesk; `tradedesk audit show` and `tradedesk doctor` say more"
        )
    return ""
