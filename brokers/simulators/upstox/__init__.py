"""A stand-in for Upstox on loopback over the paper exchange, with every doubtful fact of it as a switch."""
