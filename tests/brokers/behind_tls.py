"""A Kite behind TLS on this machine, with a certificate that nobody trusts who is not told to."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from brokers.kite.access import KiteRoots
from tests.brokers.held_line import LONGEST_S


@contextmanager
def behind_tls(folder: Path) -> Iterator[tuple[KiteRoots, threading.Event, list[bytes]]]:
    """A Kite behind TLS, whose handshakes wait until they are let; returns what it has heard too."""
    certificate, key = self_signed(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    let, heard = threading.Event(), list[bytes]()
    answer = b'{"status": "success", "data": {"order_id": "7"}}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"

    def answer_on(line: socket.socket) -> None:
        let.wait(LONGEST_S)
        with suppress(OSError), context.wrap_socket(line, server_side=True) as secured:  # it may hang up
            while said := secured.recv(65_536):
                heard.append(said)
                if b"tradingsymbol=" in said:
                    secured.sendall(head.encode() + answer)

    def serve() -> None:
        with suppress(OSError):  # the test has ended
            while True:
                line, _ = server.accept()
                threading.Thread(target=answer_on, args=(line,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        address = f"https://127.0.0.1:{server.getsockname()[1]}"
        try:
            yield KiteRoots(address, "", "ws://127.0.0.1:1"), let, heard
        finally:
            let.set()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
