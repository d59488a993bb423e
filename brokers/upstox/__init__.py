"""Upstox's API over aiohttp: the calls of every client account, their order streams, the market's feed."""
