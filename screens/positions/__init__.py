"""Workspace 4: positions by symbol and by client."""
