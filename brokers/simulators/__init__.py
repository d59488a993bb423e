"""Venues that exist here alone: an exchange, a stand-in for Kite, and faults on purpose."""
