"""Groww's answers as the contract's shapes."""
