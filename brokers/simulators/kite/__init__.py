"""A Kite on loopback, over the paper exchange, to rehearse against and to test the adapter."""
