"""Workspace 1: watchlist, clients, depth and tape, with a symbol's page and the search."""
