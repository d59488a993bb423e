"""Workspace 7: the clients and their morning gate, a client's page, and signing in."""
