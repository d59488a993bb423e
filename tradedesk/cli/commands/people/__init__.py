"""Clients, their groups, and notes on what they had done."""
