"""Proof that a server which refuses, is lost, or does not answer costs no fact and sends nothing twice."""
