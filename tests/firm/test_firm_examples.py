"""The firm's examples, units and commands of its page are those of this program."""

import re
import shlex
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from tradedesk.cli.main import app
from tradedesk.compose.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "examples" / "firm"
UNITS = sorted(EXAMPLES.glob("*.service"))
SERVICES = {"tradedesk", "tradedesk-auth"}
"""The accounts of docs/firm.md."""

HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "UMask": "0077",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "SystemCallFilter": "@system-service",
}


def unit(path: Path) -> ConfigParser:
    found = ConfigParser(interpolation=None)
    found.optionxform = str  # type: ignore[method-assign,assignment]
    found.read_string(path.read_text("utf-8"))
    return found


def check_command(words: list[str]) -> None:
    """Hold what follows `tradedesk` to the command line: its commands, and each of its options."""
    command: Any = typer.main.get_command(app)
    rest = [*words]
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"tradedesk {shlex.join(words)}: no such command"
        command = command.commands[rest.pop(0)]
    known = {name for one in command.params for name in one.opts}
    given = {word for word in rest if word.startswith("--")}
    assert given <= known, f"tradedesk {shlex.join(words)}: no such option"


def commands_in(text: str) -> list[list[str]]:
    """What follows `tradedesk` in each command of a shell; settings before it are looked at too."""
    found = list[list[str]]()
    for line in re.split(r"&&|\n|; do | do |; ?done", text):
        words = shlex.split(line.strip(), comments=True)
        while words and re.fullmatch(r"\w+=.*", words[0]):
            name = words.pop(0).partition("=")[0]
            setting = name.removeprefix("TRADEDESK_").lower()
            assert setting == "home" or setting in Settings.model_fields, name
        if words[:1] == ["tradedesk"]:
            found.append([word for word in words[1:] if word not in ("&", ";")])
    return found


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_a_command_of_this_program_as_its_account_and_hardened(path: Path) -> None:
    service = unit(path)["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert Path(program).name == "tradedesk"
    check_command(words)
    assert service["User"] == ("tradedesk-auth" if words == ["auth"] else "tradedesk")
    assert {key: service[key] for key in HARDENED} == HARDENED
    home = service["Environment"].removeprefix("TRADEDESK_HOME=")
    assert home.startswith(f"/var/lib/{service['StateDirectory']}")
    assert service["User"] in SERVICES


def test_the_target_wants_every_unit() -> None:
    wanted = unit(EXAMPLES / "tradedesk.target")["Unit"]["Wants"].split()
    assert sorted(wanted) == [path.name for path in UNITS]
    assert all(unit(path)["Install"]["WantedBy"] == "tradedesk.target" for path in UNITS)


def test_the_compose_file_runs_commands_of_this_program_behind_its_servers() -> None:
    services = yaml.safe_load((EXAMPLES / "compose.yaml").read_text("utf-8"))["services"]
    ours = {name: one for name, one in services.items() if "build" in one}
    assert ours.keys() == {"books", "keep", "worker", "beat"}
    for name, one in ours.items():
        if name == "books":
            assert [check_command(words) for words in commands_in(one["command"][0])] == [None, None]
            continue
        program, *words = one["command"]
        assert program == "tradedesk"
        check_command(words)
        assert one["depends_on"]["books"]["condition"] == "service_completed_successfully"
        assert one["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for one in services.values() for port in one.get("ports", ()))
    assert "noeviction" in services["redis"]["command"]
    for one in services.values():
        for mounted in one.get("volumes", ()):
            if mounted.startswith("./") and mounted.endswith(".sql:ro"):
                assert (EXAMPLES / mounted.split(":")[0]).exists()


def test_the_page_of_the_firm_says_commands_and_settings_of_this_program() -> None:
    page = (DOCS / "firm.md").read_text("utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    told = [words for block in blocks for words in commands_in(_without_homes(block))]
    for words in told:
        check_command(words)
    assert ["firm", "servers", "."] in told
    assert ["simulate", "sign-in"] in told
    keys = {key for block in blocks for key in re.findall(r"^(\w+) = \"", block, re.MULTILINE)}
    assert {"desk_clients", "wrapping_key_file", "redis_url"} <= keys <= Settings.model_fields.keys()


def _without_homes(block: str) -> str:
    """A block without what it writes into files."""
    return re.sub(r"^\w+ = .*$|^while .*$|^done <<<.*$|^END$", "", block, flags=re.MULTILINE)
