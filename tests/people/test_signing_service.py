"""The signing service: what it alone can, what a desk has of it, what its loss and a rotation leave."""

import asyncio
import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from data.errors import BadInput
from data.home import session_file
from data.records import replace
from data.repositories.people import standing_keys
from data.sign_in.tokens import RefreshClaims, read_refresh, signed, signed_refresh
from data.vocabulary import Via
from engine.desk import Desk
from engine.people.signer import SIGN_IN_LIFE, TOKEN_LIFE, OwnSigner, SignedIn, Whence
from engine.refusals import NobodySignedIn, NoLongerStands, SigningAway, SignInRefused
from tests.books import SQLITE, engine_now, rows_of
from tests.desks import paper_desk
from tests.people.home_of_many import HERE, add_people, password, sit
from tests.people.signing_service import HOST, Service, desk_by_service
from tests.tradedesk.cli_desk import Terminal
from tradedesk.auth.key_file import KeyFile
from tradedesk.auth.protocol import LONGEST_LINE
from tradedesk.compose.seats import keep_token, kept_token
from tradedesk.testing import seam

HALF = TOKEN_LIFE.total_seconds() / 2
US = Whence("", HOST, os.getuid())


async def signed_in(desk: Desk, name: str) -> SignedIn:
    return await desk.signing.sign_in(name, password(name), HERE, Via.API)


async def test_a_desk_is_signed_in_at_by_the_service_and_has_no_key_itself(tmp_path: Path) -> None:
    async with desk_by_service(tmp_path / "home") as (desk, service, _):
        made = await signed_in(desk, "tara")
        desk.who.seat = desk.signing.actor(made.token, Via.API)
        assert len(desk.clients.all()) == 50
        await desk.watchlists.make("hers")
        assert made.claims.books.startswith("tradedesk:")
        assert str(tmp_path) not in made.claims.books
        assert not (tmp_path / "home" / "secrets.enc").exists(), "no vault of the desk was ever opened"
        kept = await service.key.get()
        assert kept is not None
        assert rows_of(tmp_path / "home", f"SELECT 1 FROM signing_key WHERE public = '{kept}'") == []
        assert stat.S_IMODE(os.lstat(service.place).st_mode) == 0o660
        assert stat.S_IMODE(os.stat(service.place.with_name("signing.key")).st_mode) == 0o600
        with pytest.raises(SignInRefused):
            await desk.signing.sign_in("tara", "a wrong password", HERE, Via.API)
        with pytest.raises(BadInput) as bad:
            await desk.signing.sign_in("tara", "two\nlines of it", HERE, Via.API)
        assert "two" not in str(bad.value)
        assert await desk.signing.is_password_of(desk.who.actor, password("tara"), HERE)
        assert not await desk.signing.is_password_of(desk.who.actor, password("asha"), HERE)
        place = rows_of(tmp_path / "home", "SELECT place FROM sign_in WHERE person = 'tara'")
        assert place == [(f"{HERE} uid {os.getuid()}",)]


async def test_a_desk_that_names_no_service_makes_no_key_of_its_own(tmp_path: Path) -> None:
    async with desk_by_service(tmp_path / "home") as (desk, _, signer):
        made = await signed_in(desk, "tara")
    async with paper_desk(tmp_path / "home", demo=False) as desk:
        with pytest.raises(BadInput, match="a service signs for these books"):
            await signed_in(desk, "tara")
        desk.signing.read(made.token)
    assert len(rows_of(tmp_path / "home", "SELECT kid FROM signing_key")) == 1
    assert isinstance(signer, OwnSigner)


async def test_the_loss_of_the_service_lets_who_is_signed_in_go_on_to_the_end_of_the_token(
    tmp_path: Path,
) -> None:
    async with desk_by_service(tmp_path / "home") as (desk, service, _):
        await sit(desk, "tara")
        made = await signed_in(desk, "ravi")
    async with paper_desk(
        tmp_path / "home", demo=False, settings=service.settings(), clock=service.clock
    ) as desk:
        desk.who.seat = desk.signing.actor(made.token, Via.API)
        await desk.watchlists.make("his")
        with pytest.raises(SigningAway, match="nothing listens"):
            await signed_in(desk, "tara")
        with pytest.raises(SigningAway):
            await desk.signing.renewed(made.refresh)
        service.clock.shift(2 * HALF - 1)
        assert desk.who.trouble() == ""
        service.clock.shift(1)
        assert "the signing service has not renewed it" in desk.who.trouble()
        with pytest.raises(NoLongerStands, match="not renewed"):
            await desk.watchlists.make("another")


async def test_a_renewal_is_for_the_same_user_of_the_same_machine_while_the_row_stands(
    tmp_path: Path,
) -> None:
    async with desk_by_service(tmp_path / "home") as (desk, service, signer):
        made = await signed_in(desk, "tara")
        service.clock.shift(3 * HALF)
        token = await desk.signing.renewed(made.refresh)
        assert desk.signing.read(token).person == "tara"
        for elsewhere in (replace(US, host="other.example"), replace(US, uid=US.uid + 1)):
            with pytest.raises(NobodySignedIn, match="another machine's or user's"):
                await signer.renewed(made.refresh, elsewhere)
        for no_refresh in (made.token, token, "", "a.b.c"):
            with pytest.raises(NobodySignedIn):
                await desk.signing.renewed(no_refresh)
        await sit(desk, "asha")
        (one,) = [one for one in await desk.signing.standing() if one.person == "tara"]
        await desk.signing.revoke([one.id])
        with pytest.raises(NobodySignedIn, match="ended"):
            await desk.signing.renewed(made.refresh)
        made = await signed_in(desk, "tara")
        await desk.people.set_password("tara", "another word for tara")
        with pytest.raises(NobodySignedIn, match=r"ended|changed"):
            await desk.signing.renewed(made.refresh)
        made = await signed_in(desk, "ravi")
        service.clock.shift(SIGN_IN_LIFE.total_seconds())
        with pytest.raises(NobodySignedIn, match="expired"):
            await desk.signing.renewed(made.refresh)


async def test_claims_that_the_row_does_not_bear_out_renew_nothing(tmp_path: Path) -> None:
    """Whoever had the key could sign anything: the row and the person still decide."""
    async with desk_by_service(tmp_path / "home") as (desk, service, signer):
        made = await signed_in(desk, "ravi")
        private = await service.key.get()
        assert private is not None
        kept = await seam(desk).store.read_aside(lambda on: standing_keys(on, service.clock.now()))
        kid, keys = kept[-1].kid, {one.kid: one.public for one in kept}
        refresh = read_refresh(made.refresh, keys, made.claims.books, service.clock.now())
        claims = refresh.claims
        for other in (
            replace(claims, person="asha"),
            replace(claims, sign_in="0" * 32),
            replace(claims, version=claims.version + 1),
            replace(claims, books="tradedesk:0"),
        ):
            forged = signed_refresh(RefreshClaims(other, refresh.host, refresh.uid), kid, private)
            with pytest.raises(NobodySignedIn):
                await signer.renewed(forged, US)
        stolen = signed(replace(made.claims, person="asha"), kid, private)
        desk.who.seat = desk.signing.actor(stolen, Via.API)
        with pytest.raises(NoLongerStands):
            desk.clients.all()


async def test_a_rotation_has_two_keys_for_half_a_day_and_at_once_voids_the_first(tmp_path: Path) -> None:
    async with desk_by_service(tmp_path / "home") as (desk, service, signer):
        first = await signed_in(desk, "tara")
        async with service.signer() as beside:  # as `tradedesk auth rotate` is a process of its own
            kid = await beside.rotate()
        second = await signed_in(desk, "ravi")
        assert desk.signing.read(first.token).person == "tara"
        assert desk.signing.read(second.token).person == "ravi"
        assert desk.signing.read(await desk.signing.renewed(first.refresh)).person == "tara"
        kids = [row[0] for row in rows_of(tmp_path / "home", "SELECT kid FROM signing_key ORDER BY made_at")]
        assert kids[-1] == kid
        await signer.rotate(at_once=True)
        for token in (first.token, second.token):
            with pytest.raises(NobodySignedIn, match="not of these books"):
                desk.signing.read(token)
        with pytest.raises(NobodySignedIn):
            await desk.signing.renewed(second.refresh)
        assert desk.signing.read((await signed_in(desk, "tara")).token).person == "tara"
    assert len(kids) == 2


async def test_a_second_machine_voids_nothing_by_a_key_of_its_own(tmp_path: Path) -> None:
    async with desk_by_service(tmp_path / "home") as (desk, service, signer):
        made = await signed_in(desk, "tara")
        first = service.key
        service.key = KeyFile(service.place.with_name("another.key"))
        async with service.signer() as beside:
            with pytest.raises(BadInput, match="another key signs"):
                await beside.make_ready()
            assert await service.key.get() is None
            await beside.rotate()
            await beside.make_ready()
        assert desk.signing.read(made.token).person == "tara"
        assert desk.signing.read(await signer.renewed(made.refresh, US)).person == "tara", "both keys stand"
        service.clock.shift(SIGN_IN_LIFE.total_seconds())
        with pytest.raises(BadInput, match="another key signs"):
            await signed_in(desk, "tara")
        assert await first.get() != await service.key.get()


async def asked_raw(service: Service, line: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(service.place))
    with suppress(OSError):
        writer.write(line)
        await writer.drain()
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


NOT_OF_THE_PROTOCOL = (
    b"\n",
    b"{}\n",
    b"[]\n",
    b'{"type":"sign"}\n',
    b'{"type":"sign_in","name":"tara"}\n',
    b'{"type":"sign_in","name":"tara","password":7,"place":""}\n',
    b'{"type":"renew","refresh":"","uid":0}\n',
    b'{"type":"password","name":"tara","sign_in":"","password":"","place":"","known":true}\n',
    b"\xff\xfe\n",
    b"[" * 5_000 + b"\n",
    b"x" * (2 * LONGEST_LINE) + b"\n",
)


async def test_what_is_not_of_the_protocol_is_not_answered_and_the_service_goes_on(tmp_path: Path) -> None:
    async with desk_by_service(tmp_path / "home") as (desk, service, _):
        for line in NOT_OF_THE_PROTOCOL:
            assert await asked_raw(service, line) == b"", line
        assert (await signed_in(desk, "tara")).claims.person == "tara"


async def test_a_password_is_guessed_no_faster_by_made_up_sign_ins(tmp_path: Path) -> None:
    async with desk_by_service(tmp_path / "home") as (_, _, signer):
        refused = 0
        for guess in range(8):
            try:
                await signer.is_password_of("tara", f"{guess:032x}", f"a wrong guess {guess}", US)
            except SignInRefused:
                refused += 1
        assert refused == 3, "five were free: no sign-in stands by any of these ids"


async def test_a_socket_that_others_could_have_laid_is_told_no_password(tmp_path: Path) -> None:
    async with desk_by_service(tmp_path / "home") as (desk, service, _):
        os.chmod(service.place.parent, 0o777)
        with pytest.raises(SigningAway, match="others may write"):
            await signed_in(desk, "tara")
        os.chmod(service.place.parent, 0o700)
        await signed_in(desk, "tara")
    service.place.parent.mkdir()
    try:
        service.place.write_text("no socket")
        async with paper_desk(
            tmp_path / "home", demo=False, settings=service.settings(), clock=service.clock
        ) as desk:
            with pytest.raises(SigningAway, match="no socket"):
                await signed_in(desk, "tara")
    finally:
        service.place.unlink()
        service.place.parent.rmdir()


async def test_a_key_that_others_may_read_signs_nothing(tmp_path: Path) -> None:
    async with desk_by_service(tmp_path / "home") as (desk, service, _):
        file = service.place.with_name("signing.key")
        file.chmod(0o640)
        with pytest.raises(BadInput, match="mode 0600"):
            await signed_in(desk, "tara")
        file.chmod(0o600)
        await signed_in(desk, "tara")


async def test_the_first_person_waits_for_the_service(tmp_path: Path) -> None:
    service = Service(tmp_path / "home", tmp_path, None)  # pyright: ignore[reportArgumentType]
    async with paper_desk(tmp_path / "home", settings=service.settings()) as desk:
        with pytest.raises(SigningAway):
            await add_people(desk)
        assert not desk.who.asked


def test_commands_list_and_revoke_sign_ins_and_a_token_that_is_over_is_renewed(home: Terminal) -> None:
    for name in ("ravi", "asha"):
        assert home.run("sign-in", name, "--password-stdin", stdin=password(name)).code == 0
    stand = home.done("sessions")
    assert {one["person"] for one in stand} >= {"asha", "ravi"}
    (his,) = [one["id"] for one in stand if one["person"] == "ravi"]
    assert [one["id"] for one in home.done("sessions", "revoke", his)] == [his]
    assert home.run("sessions", "revoke", his, "--json").error["field"] == "id"
    assert home.run("sessions", "revoke", "", "--json").error["field"] == "id", "nothing names all"
    assert home.done("sessions", "revoke", "--of", "ravi") == []
    _, refresh, *_ = session_file(home.home).read_text().splitlines()
    keep_token(home.home, "", refresh)
    assert home.done("whoami")["name"] == "asha"
    assert kept_token(home.home), "which is the same one where it is made within the same second"
    if engine_now() == SQLITE:
        assert "database_url" in home.run("auth", "rotate").err
