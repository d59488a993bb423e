"""Limits before the order: what they are held against, what they say of an order, how they are set."""
