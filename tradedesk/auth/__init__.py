"""The signing service: one process under a user of its own that alone has the key, and how desks ask it."""
