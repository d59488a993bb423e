"""Prices and watchlists."""
