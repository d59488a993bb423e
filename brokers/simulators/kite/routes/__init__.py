"""The addresses of the local Kite, and what each answers."""
