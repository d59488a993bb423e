"""The API keys of a rehearsal. They and their secrets open nothing but the local Groww."""

import base64
import hashlib

from msgspec import Struct

TOTP, APPROVAL = "totp", "approval"
"""The two kinds of key: one signs in by codes that change, one by a secret and a daily approval on a page."""


class ApiKey(Struct, frozen=True):
    """Whose key it is, its secret, and how it signs in; the secret of a `totp` key is base32."""

    user_id: str
    secret: str
    kind: str = TOTP


def own_app(user_id: str) -> tuple[str, str]:
    """A client's own key, which signs in by codes, and its secret."""
    name = user_id.lower()
    secret = base64.b32encode(hashlib.sha1(f"local groww {name}".encode()).digest()).decode()
    return f"lg{name}", secret


def approved_app(user_id: str) -> tuple[str, str]:
    """A client's other key, which is approved every day, and its secret."""
    key = f"lga{user_id.lower()}"
    return key, f"{key}-secret"


def keys_of(user_id: str) -> dict[str, ApiKey]:
    """Both keys of a client."""
    (first, secret), (second, other) = own_app(user_id), approved_app(user_id)
    return {first: ApiKey(user_id, secret, TOTP), second: ApiKey(user_id, other, APPROVAL)}
