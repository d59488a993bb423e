"""Clients, their money and their holdings."""
