"""Lines of the command line: what they open and change, the log of them, and workspaces as lines."""
