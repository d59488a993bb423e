"""Who a connection to the feed is of: public keys as NATS writes them, and the tokens that name them.

NATS documentation, "nkeys" and "JWT authentication": the token names a user's public key, and whoever
connects proves to have its private half by signing what the server says first.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

USER, ACCOUNT = 20 << 3, 0
"""What comes first in the public key of a user and of an account."""

_LENGTH = 35


def _checksum(data: bytes) -> bytes:
    """The CRC-16 of a key (XMODEM), its lower byte first."""
    return binascii.crc_hqx(data, 0).to_bytes(2, "little")


def written(prefix: int, key: bytes) -> str:
    """A public key of 32 bytes as text."""
    body = bytes((prefix,)) + key
    return base64.b32encode(body + _checksum(body)).decode().rstrip("=")


def read_user(text: str) -> Ed25519PublicKey | None:
    """A user's public key; None where the text is none."""
    try:
        body = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None
    if len(body) != _LENGTH or body[0] != USER or _checksum(body[:-2]) != body[-2:]:
        return None
    return Ed25519PublicKey.from_public_bytes(body[1:33])


class Signer:
    """The account that the feed's tokens are issued by, with a key of this process."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.name = written(ACCOUNT, public)

    def token(self, claims: Mapping[str, Any]) -> str:
        """A token of these claims, in the algorithm that NATS names `ed25519-nkey`."""
        head = _part(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
        body = _part(json.dumps({**claims, "iss": self.name}).encode())
        return f"{head}.{body}.{_part(self._key.sign(f'{head}.{body}'.encode()))}"


def signed(key: Ed25519PublicKey, data: str, signature: str) -> bool:
    """Whether a signature, in either alphabet of base64 and with padding or without, is a key's of a text."""
    plain = signature.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key.verify(base64.b64decode(plain + "=" * (-len(plain) % 4)), data.encode())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
