"""The addresses of the local Groww, and what each answers."""
