"""One contract, one room an adapter, which speaks wire formats and decides nothing; and simulated venues."""
