"""Signing in, as far as no rule decides it: passwords, tokens, and who is signed in by books at rest."""
