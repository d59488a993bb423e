"""Upstox's budgets of calls: sliding windows of an account (developer documentation, "rate limits").

Orders, changes and cancels have 10 a second, every other call has 50; both have 500 a minute and 2,000 in
thirty minutes. A call that is turned away is not counted.
"""

MINUTE, HALF_HOUR = (60.0, 500), (1_800.0, 2_000)
ORDERS = ((1.0, 10), MINUTE, HALF_HOUR)
"""Windows in seconds, and how many calls each takes, of what asks something of an order."""

OTHERS = ((1.0, 50), MINUTE, HALF_HOUR)
"""The same of every other call."""
