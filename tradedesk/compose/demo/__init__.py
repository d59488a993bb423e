"""The demonstration: its books, the days before its first, and one whole day played in a minute."""
