"""Venues that exist here alone: an exchange, stand-ins for brokers, and faults on purpose."""
