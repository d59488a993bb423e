"""The firm's feed: prices that one process takes from a broker, and every desk reads from Redis."""
