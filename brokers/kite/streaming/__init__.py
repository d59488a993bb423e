"""The stream of prices and order updates: its sockets, its binary packets, and keys that have none."""
