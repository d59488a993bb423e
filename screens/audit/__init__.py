"""Workspace 9: the audit looked through, and the story of a row of it."""
