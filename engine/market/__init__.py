"""Prices, instruments and their names, margins told by brokers, watchlists."""
