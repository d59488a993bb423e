"""Alerts: what the trader is told and when, by rules of their own too, and what carries it out of here."""
