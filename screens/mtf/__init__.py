"""Shares on margin: the head over a client's own, and all clients by how near they are to a call."""
