"""Tokens: what is read of one, and everything that is none, told apart from what PyJWT says."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from data.records import replace
from data.sign_in.tokens import BadToken, TokenClaims, new_key, public_half, read, signed

NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
HOME = "tradedesk:0123456789abcdef"
PRIVATE, PUBLIC = new_key()
KEYS = {"one": PUBLIC}
CLAIMS = TokenClaims("asha", "0" * 32, 3, HOME, NOW, NOW + timedelta(minutes=30))


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_what_was_signed_is_read_here_and_by_pyjwt_alike():
    token = signed(CLAIMS, "one", PRIVATE)
    assert read(token, KEYS, HOME, NOW) == CLAIMS
    told = jwt.decode(
        token,
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(PUBLIC)),
        algorithms=["EdDSA"],
        audience=HOME,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (told["sub"], told["jti"], told["ver"]) == ("asha", "0" * 32, 3)
    assert public_half(PRIVATE) == PUBLIC


def forged(header: dict[str, object], key: object, algorithm: str) -> str:
    told = {"sub": "asha", "jti": "0" * 32, "ver": 3, "aud": HOME, "iat": int(NOW.timestamp())}
    told["exp"] = int((NOW + timedelta(minutes=30)).timestamp())
    return jwt.encode(told, key, algorithm=algorithm, headers=header)  # pyright: ignore[reportArgumentType]


def swapped(token: str, **changed: object) -> str:
    head, told, sign = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(told + "=="))
    return ".".join([head, part({**claims, **changed}), sign])


TOKEN = signed(CLAIMS, "one", PRIVATE)
HEADER, TOLD, SIGNATURE = TOKEN.split(".")
ANOTHER = Ed25519PrivateKey.generate()

BAD = {
    "nothing": ("", "no token"),
    "words": ("let me in", "no token"),
    "two parts": (f"{HEADER}.{TOLD}", "no token"),
    "markup": ("[b].<script>.{x}", "no token"),
    "a megabyte": ("a" * 1_000_000, "no token"),
    "nested without end": (f"{part({})}.{base64.urlsafe_b64encode(b'[' * 2000).decode()}.x", "no token"),
    "no algorithm": (forged({"kid": "one"}, None, "none"), "not signed as"),
    "no algorithm, signature kept": (
        f"{part({'alg': 'none', 'typ': 'JWT', 'kid': 'one'})}.{TOLD}.{SIGNATURE}",
        "not signed as",
    ),
    "the public key as a shared secret": (
        forged({"kid": "one"}, bytes.fromhex(PUBLIC) + b"-" * 32, "HS256"),
        "not signed as",
    ),
    "a key that is brought along": (
        forged({"kid": "one", "jwk": {"kty": "OKP"}}, ANOTHER, "EdDSA"),
        "not signed as",
    ),
    "another key under our id": (forged({"kid": "one"}, ANOTHER, "EdDSA"), "signature"),
    "another key": (forged({"kid": "two"}, ANOTHER, "EdDSA"), "not this home's"),
    "somebody else's name": (swapped(TOKEN, sub="ravi"), "signature"),
    "a later end": (swapped(TOKEN, exp=4_000_000_000), "signature"),
    "an empty signature": (f"{HEADER}.{TOLD}.", "signature"),
    "a cut signature": (TOKEN[:-8], "signature"),
    "another home's": (signed(replace(CLAIMS, home="tradedesk:f"), "one", PRIVATE), "another home"),
    "an expired one": (signed(replace(CLAIMS, expires_at=NOW), "one", PRIVATE), "expired"),
    "a clock that was set back": (
        signed(replace(CLAIMS, issued_at=NOW + timedelta(minutes=5)), "one", PRIVATE),
        "set back",
    ),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_token_of_ours_says_why(bad):
    token, why = BAD[bad]
    with pytest.raises(BadToken, match=why):
        read(token, KEYS, HOME, NOW)


@pytest.mark.parametrize("claim", ["sub", "jti", "ver", "aud", "iat", "exp"])
@pytest.mark.parametrize("value", [None, 1.5, True, [], {"$ne": ""}, 10**40])
def test_a_claim_of_another_kind_is_none(claim, value):
    told = {"sub": "asha", "jti": "0", "ver": 3, "aud": HOME, "iat": 1_800_000_000, "exp": 4_000_000_000}
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(PRIVATE))
    written = f"{part({'alg': 'EdDSA', 'typ': 'JWT', 'kid': 'one'})}.{part({**told, claim: value})}"
    sign = base64.urlsafe_b64encode(key.sign(written.encode())).rstrip(b"=").decode()
    if claim == "ver" and value == 10**40:
        assert read(f"{written}.{sign}", KEYS, HOME, datetime(2027, 6, 1, tzinfo=UTC)).version == 10**40
        return
    with pytest.raises(BadToken):
        read(f"{written}.{sign}", KEYS, HOME, NOW)
