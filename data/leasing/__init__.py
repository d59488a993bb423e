"""Leases: which of several desks on one database has a client, and what proves that a desk lives."""
