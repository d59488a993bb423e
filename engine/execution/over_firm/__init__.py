"""A run over the clients of all desks: its shards, and how each desk sends its own part."""
