"""The projection of the books in memory, the views read from it, and what a halt covers."""
