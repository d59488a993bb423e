"""Upstox's answers as the contract's shapes."""
