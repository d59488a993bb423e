"""Groww's Trading API over aiohttp: the calls of every client account, and its feed over NATS."""
