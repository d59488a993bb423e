"""Keeping a home: backups made and restored, and what is removed of it once it is old."""
