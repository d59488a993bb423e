"""Codes of six digits that change every half minute (RFC 6238: SHA-1, six digits, thirty seconds)."""

import base64
import binascii
import hashlib
import hmac
import struct
from datetime import datetime

STEP_S = 30
"""How long a code is the one of now."""


def code_of(secret: str, step: int) -> str:
    """The code of a base32 secret in a step of half a minute since 1970. Raises `ValueError`."""
    try:
        key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    except binascii.Error as problem:
        raise ValueError("a secret is base32") from problem
    digest = hmac.digest(key, struct.pack(">Q", step), hashlib.sha1)
    offset = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFF_FFFF) % 1_000_000:06d}"


def is_code_of(secret: str, code: str, at: datetime) -> bool:
    """Whether a code is that of a moment, or of the half minute before or after it."""
    now = int(at.timestamp()) // STEP_S
    known = (code_of(secret, step) for step in (now - 1, now, now + 1))
    return any(hmac.compare_digest(one.encode(), code.encode("utf-8", "replace")) for one in known)
