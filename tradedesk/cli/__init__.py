"""The command line: how typed words become a command, carried out here or by the open app."""
