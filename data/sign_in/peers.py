"""Who is at the other end of a socket of this machine, as the system tells."""

import socket
import struct


def peer_uid(connection: socket.socket) -> int:
    """The user of the process at the other end."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", told)[1]
