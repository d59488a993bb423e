"""Sending: reserved orders claimed under a run's conditions, paused where they fail, and sent."""
