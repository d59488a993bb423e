"""Where the local brokers serve on 127.0.0.1 unless they are told another port."""

USUAL_PORTS = {"kite": 8100, "upstox": 8110, "groww": 8120}
"""By the word of the connection."""
