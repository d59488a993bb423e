"""A stand-in for Groww on loopback over the paper exchange, with every doubtful fact of it as a switch."""
