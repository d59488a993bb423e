"""Converting positions to delivery: the cash that takes, the cut-off, one call, and what became of it."""
