"""A plan carried out: reserved, sent, read back, changed, cancelled, paused and resumed."""
