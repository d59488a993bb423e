"""How a command has the open app answer: a socket in the home, JSON lines, and what may cross."""
