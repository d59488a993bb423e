"""What a broker with faults answers, and after how many seconds."""

from brokers.contract import (
    Ambiguous,
    NotSent,
    Refused,
)

LATE_S = {"late_8s": 8.0, "late_90s": 90.0}

REJECT_AFTER_S = 0.5
CANCEL_AFTER_S = 0.5
SLOW_CANCEL_S = 1.0
"""How long an exchange takes to reject what was accepted, and to cancel, at once or slowly."""


ODD_AFTER_S = 1.0
"""How long after its end an order is over-filled or lives again."""


NO_ANSWER = Ambiguous("connection reset by peer")


TIMEOUT_TEXT = Ambiguous("Request timed out. Please check the order book and confirm before placing again.")


HTML = Ambiguous("unreadable answer: HTML")


NO_ID = Ambiguous("no order id in the answer")


RISK_REFUSAL = Refused("InputException", "RMS:Rule: the order exceeds the limit set for this client.")


BEING_PROCESSED = Refused("InputException", "Order cannot be cancelled as it is being processed. Try later.")


NO_SESSION = Refused("TokenException", "Incorrect `api_key` or `access_token`.")


TOO_MANY_CODE = "429"


TOO_MANY = NotSent(f"{TOO_MANY_CODE} Too many requests")
