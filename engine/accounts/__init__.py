"""Clients, their money and holdings, and every figure that a screen or a file shows of them."""
