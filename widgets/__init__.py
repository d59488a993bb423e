"""Reusable terminal widgets that know nothing of the Desk."""
