"""Where secrets are kept: encrypted, its owner's alone, shared by processes, and never silently forgotten."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import keyring
import pytest
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

from data.errors import BadInput
from data.home import SECRETS as FILE
from data.secrets import (
    PASSPHRASE_FILE,
    ClosedVault,
    open_vault,
    vault_state,
)
from data.vaults import file_vault, keyring_vault
from data.vaults.file_vault import FileVault, file_fault
from data.vaults.keyring_vault import KeyringVault
from tests.further import further_rows

PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def shipped_passphrases(cheap_passphrases, monkeypatch):
    """Here they cost what they are shipped with."""
    monkeypatch.setattr(file_vault, "SCRYPT", cheap_passphrases)


class Remembering(KeyringBackend):
    """A keyring in memory."""

    priority: Any = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class Locked(Remembering):
    """A keyring whose dialogue nobody answers."""

    def __init__(self, release):
        super().__init__()
        self.release = release

    def get_password(self, service, username):
        self.release.wait(60)


@pytest.fixture
def use(monkeypatch):
    """Put a keyring in place of the system's."""
    monkeypatch.delenv(PASSPHRASE_FILE, raising=False)
    return lambda backend: monkeypatch.setattr(keyring, "get_keyring", lambda: backend)


def opened(path, passphrase=PASSPHRASE):
    return FileVault(path / FILE, lambda: passphrase)


def test_a_file_keeps_secrets_encrypted_and_for_its_owner_alone(tmp_path):
    vault = opened(tmp_path)
    assert vault.get("kite/secret/ak") is None
    vault.put("kite/secret/ak", "api-secret-value")
    vault.put("kite/token/DR4411", "token-value")
    raw = (tmp_path / FILE).read_bytes()
    assert b"api-secret-value" not in raw
    assert b"DR4411" not in raw
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    again = opened(tmp_path)
    assert (again.get("kite/secret/ak"), again.get("kite/token/DR4411")) == (
        "api-secret-value",
        "token-value",
    )
    again.delete("kite/token/DR4411")
    again.delete("never there")
    assert vault.get("kite/token/DR4411") is None
    assert not (tmp_path / f"{FILE}.part").exists()


def test_a_wrong_passphrase_a_short_one_and_a_damaged_file_are_named_without_a_secret(tmp_path):
    with pytest.raises(BadInput, match="at least 8") as short:
        opened(tmp_path, "seven77")
    assert "seven77" not in str(short.value)
    opened(tmp_path).put("k", "v")
    with pytest.raises(BadInput, match="does not open") as wrong:
        opened(tmp_path, "another passphrase")
    assert "another passphrase" not in str(wrong.value)
    kept = (tmp_path / FILE).read_bytes()
    cheap = json.loads(kept)
    cheap["scrypt"]["n"] = 2
    for damaged in (b"", kept[:40], b"[]", b'{"scrypt": {}, "secrets": ""}', json.dumps(cheap).encode()):
        (tmp_path / FILE).write_bytes(damaged)
        with pytest.raises(BadInput, match="damaged"):
            opened(tmp_path)
    (tmp_path / FILE).write_bytes(kept)
    assert opened(tmp_path).get("k") == "v"


def test_a_damaged_file_is_told_without_its_passphrase(tmp_path, use):
    use(fail.Keyring())
    assert file_fault(tmp_path / FILE) is None
    opened(tmp_path).put("k", "v")
    whole = (tmp_path / FILE).read_bytes()
    assert vault_state(tmp_path).ok
    token = json.loads(whole)["secrets"]
    cut = [whole.replace(token.encode(), part.encode()) for part in (token[:-40], token[:40], "gAAA", "")]
    for damaged in (*(whole[:length] for length in range(0, len(whole), 7)), *cut, b"\xff\x00" * 50):
        (tmp_path / FILE).write_bytes(damaged)
        state = vault_state(tmp_path)
        assert (state.backend, state.ok, "damaged" in state.why) == ("file", False, True), damaged
        assert state.todo.startswith("put it back from a copy")
        with pytest.raises(BadInput, match="damaged: put it back from a copy"):
            opened(tmp_path)
    (tmp_path / FILE).write_bytes(whole)
    assert vault_state(tmp_path).ok
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    assert "cannot be read" in vault_state(tmp_path).why


def test_where_secrets_are_follows_what_was_asked_for(tmp_path, use):
    use(fail.Keyring())
    state = vault_state(tmp_path, "keyring")
    assert (state.backend, state.ok, state.todo) == ("keyring", False, "unlock it")
    use(Remembering())
    assert (vault_state(tmp_path, "keyring").ok, vault_state(tmp_path).backend) == (True, "keyring")
    assert vault_state(tmp_path, "file").why == "no secrets yet; asked for"


def test_a_vault_that_was_not_opened_says_so_and_guesses_nothing():
    vault = ClosedVault(BadInput("passphrase", "", "nobody gave it"))
    for call in (lambda: vault.get("k"), lambda: vault.put("k", "v"), lambda: vault.delete("k")):
        with pytest.raises(BadInput, match="nobody gave it"):
            call()


_CHILD = """
import sys
from pathlib import Path
from data.vaults.file_vault import FileVault
vault = FileVault(Path(sys.argv[1]), lambda: sys.argv[2])
for number in range(5):
    vault.put(f"{sys.argv[3]}/{number}", sys.argv[3])
"""


def test_threads_and_processes_lose_none_of_each_others_secrets(tmp_path):
    vault = opened(tmp_path)
    vault.put("first", "kept")
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(tmp_path / FILE), PASSPHRASE, name], cwd=os.getcwd()
        )
        for name in ("one", "two")
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: vault.put(f"here/{number}", "here"), range(10)))
    assert [child.wait(60) for child in children] == [0, 0]
    names = [
        "first",
        *(f"here/{n}" for n in range(10)),
        *(f"{c}/{n}" for c in ("one", "two") for n in range(5)),
    ]
    assert [name for name in names if vault.get(name) is None] == []


def test_a_failed_write_leaves_what_stood_there(tmp_path, monkeypatch):
    vault = opened(tmp_path)
    vault.put("k", "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file_vault.os, "fsync", full)
    with pytest.raises(BadInput, match="cannot be written") as refused:
        vault.put("k", "precious")
    assert "precious" not in str(refused.value)
    monkeypatch.undo()
    assert opened(tmp_path).get("k") == "old"


def test_a_keyring_that_answers_is_used_under_a_name_of_the_home(tmp_path, use):
    backend = Remembering()
    use(backend)
    vault = open_vault(tmp_path)
    assert isinstance(vault, KeyringVault)
    vault.put("k", "v")
    vault.put("k", "w")
    assert vault.get("k") == "w"
    (service,) = {service for service, _ in backend.kept}
    assert service.startswith("tradedesk:")
    assert open_vault(tmp_path / "other", prefer="keyring").get("k") is None
    vault.delete("k")
    vault.delete("k")
    assert backend.kept == {}
    assert vault_state(tmp_path).backend == "keyring"


@pytest.mark.parametrize("backend", [null.Keyring(), fail.Keyring()], ids=["null", "fail"])
def test_a_keyring_that_forgets_or_refuses_gives_way_to_the_file_in_words(tmp_path, use, backend):
    use(backend)
    with pytest.raises(BadInput, match="encrypted file"):
        open_vault(tmp_path, prefer="keyring")
    with pytest.raises(BadInput, match=PASSPHRASE_FILE):
        open_vault(tmp_path)
    vault = open_vault(tmp_path, lambda: PASSPHRASE)
    assert vault.name == "file"
    assert "keyring is not used" in vault.why
    state = vault_state(tmp_path)
    assert (state.backend, state.ok) == ("file", True)
    assert PASSPHRASE_FILE in state.todo


def test_a_keyring_that_never_answers_is_left_in_time(tmp_path, use, monkeypatch):
    release = Event()
    monkeypatch.setattr(keyring_vault.keyring_problem, "__defaults__", (0.05,))
    use(Locked(release))
    assert "did not answer within 0.05 s" in open_vault(tmp_path, lambda: PASSPHRASE).why
    release.set()


def test_a_keyring_that_forgets_what_it_took_is_found_out(tmp_path, use):
    class Forgetting(Remembering):
        def set_password(self, service, username, password):
            pass

    use(Forgetting())
    with pytest.raises(BadInput, match="did not keep") as found:
        open_vault(tmp_path).put("k", "precious")
    assert "precious" not in str(found.value)


def test_a_file_once_made_stays_in_use_and_its_passphrase_may_stand_in_a_file(tmp_path, use, monkeypatch):
    home, words = tmp_path / "home", tmp_path / "words"
    use(fail.Keyring())
    words.write_text(f"{PASSPHRASE}\n")
    monkeypatch.setenv(PASSPHRASE_FILE, str(words))
    with pytest.raises(BadInput, match="chmod 600"):
        open_vault(home)
    words.chmod(0o600)
    open_vault(home).put("k", "v")
    use(Remembering())
    assert open_vault(home).get("k") == "v"
    state = vault_state(home)
    assert (state.backend, state.ok, state.todo) == ("file", True, "")
    (home / FILE).chmod(0o644)
    assert (vault_state(home).ok, vault_state(home).todo) == (False, f"chmod 600 {FILE}")
    words.unlink()
    with pytest.raises(BadInput, match="can be read"):
        open_vault(home)


def with_scrypt(path, **changes):
    """Change parameters of the file as an earlier version wrote it, which had no sum."""
    body = json.loads((path / FILE).read_bytes())
    body.pop("sum", None)
    body["scrypt"].update(changes)
    (path / FILE).write_text(json.dumps(body))


BAD_PARAMETERS = {
    "n": [0, 1, -16384, 16385, 2**10 + 2, 2**21, 2**40, 1e300, 16384.5, "16384", True, None, [], {}, "x"],
    "r": [0, -8, 9.5, 33, 2**31, "8", None, [8]],
    "p": [0, -1, 17, 2**31, 1.5, "1", None],
    "salt": ["", "c2hvcnQ=", "=", "*" * 24, "A" * 23, 7, None, "A" * 100_000, "\u20b9" * 24],
}


@pytest.mark.parametrize(
    ("name", "value"), further_rows([(n, v) for n, vs in BAD_PARAMETERS.items() for v in vs], 12)
)
def test_any_parameter_that_is_none_of_ours_is_damage_and_costs_nothing(tmp_path, monkeypatch, name, value):
    opened(tmp_path).put("k", "v")
    with_scrypt(tmp_path, **{name: value})
    monkeypatch.setattr(Scrypt, "derive", lambda *_: pytest.fail("it was tried"))
    with pytest.raises(BadInput, match="damaged"):
        opened(tmp_path)
    fault = file_fault(tmp_path / FILE)
    assert fault is not None
    assert "damaged" in fault[0]


@pytest.mark.parametrize(("n", "r", "p"), [(2**20, 32, 1), (2**20, 8, 16), (2**15, 32, 16)])
def test_parameters_that_would_cost_much_more_than_ours_are_damage(tmp_path, monkeypatch, n, r, p):
    opened(tmp_path).put("k", "v")
    with_scrypt(tmp_path, n=n, r=r, p=p)
    monkeypatch.setattr(Scrypt, "derive", lambda *_: pytest.fail("it was tried"))
    with pytest.raises(BadInput, match="damaged"):
        opened(tmp_path)


def test_one_changed_sign_anywhere_is_damage_and_never_a_wrong_passphrase(tmp_path, monkeypatch):
    opened(tmp_path).put("k", "v")
    kept = (tmp_path / FILE).read_bytes()
    monkeypatch.setattr(Scrypt, "derive", lambda *_: pytest.fail("it was tried"))
    for place in range(len(kept)):
        for flip in (0x01, 0x10, 0x80):
            changed = bytearray(kept)
            changed[place] ^= flip
            (tmp_path / FILE).write_bytes(changed)
            fault = file_fault(tmp_path / FILE)
            assert fault is not None, (place, bytes(changed))
            assert "damaged" in fault[0]


@pytest.mark.parametrize(
    "content",
    [b"[" * 200_000, b'{"scrypt":' * 50_000, b" " * 20_000_000, b"\xff\xfe{}"],
    ids=["brackets", "objects", "blanks", "no_text"],
)
def test_what_is_no_such_file_at_all_is_damage(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    fault = file_fault(tmp_path / FILE)
    assert fault is not None
    assert "damaged" in fault[0]
    with pytest.raises(BadInput, match="damaged"):
        opened(tmp_path)


def test_a_file_of_an_earlier_version_opens_and_has_a_sum_from_its_next_change_on(tmp_path):
    opened(tmp_path).put("k", "v")
    with_scrypt(tmp_path)
    assert opened(tmp_path).get("k") == "v"
    opened(tmp_path).put("l", "w")
    assert json.loads((tmp_path / FILE).read_bytes())["sum"]
    assert opened(tmp_path).get("k") == "v"


def test_a_passphrase_costs_an_attacker_what_is_advised():
    assert file_vault.SCRYPT == {"n": 2**15, "r": 8, "p": 1}
