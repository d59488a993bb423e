"""The two streams of the local Upstox: market data in protobuf, a client's orders in JSON."""
