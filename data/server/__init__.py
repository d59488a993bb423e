"""Books on a database server: where they stand and whose they are, their schema, and a home copied to one."""
