"""Lines about models and rebalances: what they ask for, and what may stand next."""
