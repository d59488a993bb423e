"""A server of the Model Context Protocol: an assistant's program may look at the desk, and no more."""
