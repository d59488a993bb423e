"""Copies of a whole home in one file: made and tried, and put back into an empty home."""
