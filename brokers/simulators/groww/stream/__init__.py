"""The feed of the local Groww: NATS over a WebSocket, with prices and a client's orders in protobuf."""
