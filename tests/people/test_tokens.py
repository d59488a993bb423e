"""Tokens: what is read of one, and everything that is none, told apart from what PyJWT says."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from data.records import replace
from data.sign_in.tokens import (
    BadToken,
    RefreshClaims,
    TokenClaims,
    new_key,
    public_half,
    read,
    read_refresh,
    signed,
    signed_refresh,
)

NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
BOOKS = "tradedesk:0123456789abcdef"
PRIVATE = "5e" * 32
PUBLIC = public_half(PRIVATE)
KEYS = {"one": PUBLIC}
CLAIMS = TokenClaims("asha", "0" * 32, 3, BOOKS, NOW, NOW + timedelta(minutes=30))
REFRESH = RefreshClaims(CLAIMS, "desk.example", 1007)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_what_was_signed_is_read_here_and_by_pyjwt_alike():
    token = signed(CLAIMS, "one", PRIVATE)
    assert read(token, KEYS, BOOKS, NOW) == CLAIMS
    told = jwt.decode(
        token,
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(PUBLIC)),
        algorithms=["EdDSA"],
        audience=BOOKS,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (told["sub"], told["jti"], told["ver"]) == ("asha", "0" * 32, 3)
    private, public = new_key()
    assert public_half(private) == public != PUBLIC


def forged(header: dict[str, object], key: object, algorithm: str) -> str:
    told = {"sub": "asha", "jti": "0" * 32, "ver": 3, "aud": BOOKS, "iat": int(NOW.timestamp())}
    told["exp"] = int((NOW + timedelta(minutes=30)).timestamp())
    return jwt.encode(told, key, algorithm=algorithm, headers=header)  # pyright: ignore[reportArgumentType]


def swapped(token: str, **changed: object) -> str:
    head, told, sign = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(told + "=="))
    return ".".join([head, part({**claims, **changed}), sign])


TOKEN = signed(CLAIMS, "one", PRIVATE)
HEADER, TOLD, SIGNATURE = TOKEN.split(".")
ANOTHER = Ed25519PrivateKey.from_private_bytes(b"another key of somebody else's..")

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
    "another key": (forged({"kid": "two"}, ANOTHER, "EdDSA"), "not of these books"),
    "somebody else's name": (swapped(TOKEN, sub="ravi"), "signature"),
    "a later end": (swapped(TOKEN, exp=4_000_000_000), "signature"),
    "an empty signature": (f"{HEADER}.{TOLD}.", "signature"),
    "a cut signature": (TOKEN[:-8], "signature|no token"),
    "other books'": (signed(replace(CLAIMS, books="tradedesk:f"), "one", PRIVATE), "other books"),
    "one for no books": (signed(replace(CLAIMS, books=""), "one", PRIVATE), "other books"),
    "a refresh token": (signed_refresh(REFRESH, "one", PRIVATE), "not signed as"),
    "an expired one": (signed(replace(CLAIMS, expires_at=NOW), "one", PRIVATE), "expired"),
    "a clock that was set back": (
        signed(replace(CLAIMS, issued_at=NOW + timedelta(minutes=5)), "one", PRIVATE),
        "set back",
    ),
}


def by_our_key(header: str, told: str) -> str:
    """A token of this text, signed by our key: what only this desk could have written, and never does."""
    written = ".".join(base64.urlsafe_b64encode(one.encode()).rstrip(b"=").decode() for one in (header, told))
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(PRIVATE))
    return f"{written}.{base64.urlsafe_b64encode(key.sign(written.encode())).rstrip(b'=').decode()}"


OURS = '{"alg":"EdDSA","typ":"JWT","kid":"one"}'
SAYS = json.dumps(
    {
        "sub": "asha",
        "jti": "0" * 32,
        "ver": 3,
        "aud": BOOKS,
        "iat": int(NOW.timestamp()),
        "exp": 4_000_000_000,
    }
)
SIGNED_BY_US = {
    "no crit header": (OURS[:-1] + ',"crit":["exp"]}', SAYS, "not signed as"),
    "b64 switched off": (OURS[:-1] + ',"b64":false,"crit":["b64"]}', SAYS, "not signed as"),
    "two algorithms, none first": ('{"alg":"none",' + OURS[1:], SAYS, "no token"),
    "two algorithms, none last": (OURS[:-1] + ',"alg":"none"}', SAYS, "no token"),
    "two key ids": (OURS[:-1] + ',"kid":"two"}', SAYS, "no token"),
    "another spelling of the algorithm": (OURS.replace("EdDSA", "eddsa"), SAYS, "not signed as"),
    "the curve for the algorithm": (OURS.replace("EdDSA", "Ed25519"), SAYS, "not signed as"),
    "a list of algorithms": (OURS.replace('"EdDSA"', '["EdDSA"]'), SAYS, "not signed as"),
    "a key id that is a path": (OURS.replace('"one"', '"../../dev/null"'), SAYS, "not of these books"),
    "a key id that is an address": (OURS.replace('"one"', '"file:///one"'), SAYS, "not of these books"),
    "a key id with a nought": (OURS.replace('"one"', '"one\\u0000"'), SAYS, "not of these books"),
    "a key id that is SQL": (OURS.replace('"one"', "\"one' OR '1'='1\""), SAYS, "not of these books"),
    "a key id that is a number": (OURS.replace('"one"', "1"), SAYS, "not signed as"),
    "where a key would be": (OURS[:-1] + ',"jku":"https://x.example/k"}', SAYS, "not signed as"),
    "two names": (OURS, SAYS[:-1] + ',"sub":"ravi"}', "no token"),
    "not before a time to come": (OURS, SAYS[:-1] + ',"nbf":4000000000}', "not say who"),
    "an end without end": (OURS, SAYS.replace("4000000000", "1e400"), "not say who"),
    "an end that is no number": (OURS, SAYS.replace("4000000000", "NaN"), "not say who"),
    "an end after all calendars": (OURS, SAYS.replace("4000000000", "9" * 400), "no time"),
    "an end of thousands of digits": (OURS, SAYS.replace("4000000000", "9" * 2_000), "no time"),
    "several audiences": (OURS, SAYS.replace(f'"{BOOKS}"', f'["{BOOKS}", "x"]'), "not say who"),
    "a list for an object": (OURS, f"[{SAYS}]", "no token"),
}


@pytest.mark.parametrize("bad", SIGNED_BY_US)
def test_what_our_own_key_signed_is_taken_in_our_own_form_alone(bad):
    header, told, why = SIGNED_BY_US[bad]
    with pytest.raises(BadToken, match=why):
        read(by_our_key(header, told), KEYS, BOOKS, NOW)


def by_pyjwt(token: str) -> dict[str, object]:
    return jwt.decode(
        token,
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(PUBLIC)),
        algorithms=["EdDSA"],
        audience=BOOKS,
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )


@pytest.mark.parametrize(
    "bad",
    [one for one in BAD if one not in ("an expired one", "a clock that was set back", "a refresh token")],
)
def test_pyjwt_refuses_each_of_them_as_well(bad):
    with pytest.raises(jwt.PyJWTError):
        by_pyjwt(BAD[bad][0])


def test_one_sign_of_a_token_changed_is_taken_no_more():
    assert read(by_our_key(OURS, SAYS), KEYS, BOOKS, NOW).person == "asha"
    for place in range(len(TOKEN)):
        for sign in "ABQgwEFGH-_=. \n":
            changed = TOKEN[:place] + sign + TOKEN[place + 1 :]
            try:
                claims = read(changed, KEYS, BOOKS, NOW)
            except BadToken:
                continue
            assert changed == TOKEN
            assert (claims.person, by_pyjwt(changed)["sub"]) == ("asha", "asha")


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_token_of_ours_says_why(bad):
    token, why = BAD[bad]
    with pytest.raises(BadToken, match=why):
        read(token, KEYS, BOOKS, NOW)


@pytest.mark.parametrize("claim", ["sub", "jti", "ver", "aud", "iat", "exp"])
@pytest.mark.parametrize("value", [None, 1.5, True, [], {"$ne": ""}, 10**40])
def test_a_claim_of_another_kind_is_none(claim, value):
    told = {"sub": "asha", "jti": "0", "ver": 3, "aud": BOOKS, "iat": 1_800_000_000, "exp": 4_000_000_000}
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(PRIVATE))
    written = f"{part({'alg': 'EdDSA', 'typ': 'JWT', 'kid': 'one'})}.{part({**told, claim: value})}"
    sign = base64.urlsafe_b64encode(key.sign(written.encode())).rstrip(b"=").decode()
    if claim == "ver" and value == 10**40:
        assert read(f"{written}.{sign}", KEYS, BOOKS, datetime(2027, 6, 1, tzinfo=UTC)).version == 10**40
        return
    with pytest.raises(BadToken):
        read(f"{written}.{sign}", KEYS, BOOKS, NOW)


def test_a_refresh_token_is_one_and_nothing_else():
    refresh = signed_refresh(REFRESH, "one", PRIVATE)
    assert read_refresh(refresh, KEYS, BOOKS, NOW) == REFRESH
    for bad in (
        TOKEN,
        refresh[:-8],
        f"{refresh}A",
        "",
        f"{part({'alg': 'none', 'typ': 'refresh+jwt', 'kid': 'one'})}.{refresh.split('.')[1]}.",
    ):
        with pytest.raises(BadToken):
            read_refresh(bad, KEYS, BOOKS, NOW)
    for keys, books, now in (({}, BOOKS, NOW), (KEYS, "tradedesk:f", NOW), (KEYS, BOOKS, CLAIMS.expires_at)):
        with pytest.raises(BadToken):
            read_refresh(refresh, keys, books, now)
    for host, uid in (("", "1007"), (7, 1007), (None, 1007), ("desk.example", True)):
        told = {"sub": "asha", "jti": "0", "ver": 3, "aud": BOOKS, "iat": 1_800_000_000, "exp": 4_000_000_000}
        header = OURS.replace('"JWT"', '"refresh+jwt"')
        with pytest.raises(BadToken, match="whom"):
            read_refresh(by_our_key(header, json.dumps({**told, "host": host, "uid": uid})), KEYS, BOOKS, NOW)
