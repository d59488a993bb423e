"""The addresses of the local Upstox, and what each answers."""
